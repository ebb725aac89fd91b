"""The block `retrieval`: how files become passages and are searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from agentbench.config.discover import how_to_offer
from agentbench.config.problem import Problem
from agentbench.config.retrieval import NANO_E5, RetrievalSettings, switched
from agentbench.config.section import Section
from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentbench.config.endpoint import Catalog, Endpoint

__all__ = ["RetrievalSection", "retrieval_problems", "retrieval_settings"]

_MB = 1024 * 1024
_RERANKING = ("openai_chat", "openai_responses")
_EMBEDDING = (*_RERANKING, "azure_openai", "google", "llama_cpp", "ollama")


def _model(text: str) -> str:
    endpoint, _, model = text.partition("/")
    if not (endpoint.strip() and model.strip()):
        raise ValueError("expected ENDPOINT/MODEL, such as 'openAI/text-embedding-3-small'")
    return text


_Model = Annotated[str, AfterValidator(_model)]


class RetrievalSection(Section):
    """How files become passages and are searched."""

    embedder: _Model = Field(
        default=NANO_E5,
        examples=["openAI/text-embedding-3-small"],
        description="what turns passages and queries into vectors, as `ENDPOINT/MODEL`; a collection that"
        " another one embedded has to be indexed anew",
    )
    batch_size: int = Field(
        default=16, ge=1, le=2048, alias="batchSize", examples=[64], description="texts in one call of the embedder"
    )
    concurrency: int = Field(
        default=4, ge=1, le=64, examples=[8], description="calls of an embedder or reranker that run at once, at most"
    )
    reranker: _Model | None = Field(
        default=None,
        examples=["router/rerank-multilingual"],
        description="what orders the passages that were found anew, at an endpoint with `/rerank`; none: their order"
        " stands",
    )
    passage_size: int = Field(
        default=1000, ge=100, le=20_000, alias="passageSize", examples=[1500], description="a passage, in characters"
    )
    passage_overlap: int | None = Field(
        default=None,
        ge=0,
        alias="passageOverlap",
        examples=[100],
        description="characters that a passage shares with the one before; none: a tenth of its size",
    )
    smallest_passage: int | None = Field(
        default=None,
        ge=0,
        alias="smallestPassage",
        examples=[200],
        description="a passage of fewer characters joins the next; none: a fifth of the size",
    )
    top_k: int = Field(default=3, ge=1, le=100, alias="topK", examples=[5], description="passages that an answer gets")
    threshold: float = Field(
        default=0.0,
        ge=0,
        le=1,
        examples=[0.3],
        description="the least similarity of a passage that was found by its vector, 0 to 1",
    )
    rewrite: bool = Field(
        default=False,
        examples=[True],
        description="whether the answering model writes queries besides the person's own words, in a call of its own",
    )
    max_file_mb: int = Field(
        default=100, ge=1, le=2048, alias="maxFileMB", examples=[20], description="the largest file, in megabytes"
    )
    extraction_timeout: float = Field(
        default=120, gt=0, le=3600, alias="extractionTimeout", examples=[60], description="seconds to read one file in"
    )
    extraction_memory_mb: int = Field(
        default=2048,
        ge=128,
        le=65_536,
        alias="extractionMemoryMB",
        examples=[1024],
        description="memory to read one file in, in megabytes",
    )
    wait_for_processing: float = Field(
        default=30,
        ge=0,
        le=600,
        alias="waitForProcessing",
        examples=[5],
        description="seconds that a question waits for a file that isn't ready, before it is refused",
    )
    local_addresses: bool = Field(
        default=False,
        alias="allowLocalAddresses",
        examples=[True],
        description="whether pages of this machine and its network may be fetched; not written,"
        " `ENABLE_RAG_LOCAL_WEB_FETCH` says it",
    )
    web_timeout: float = Field(
        default=30, gt=0, le=600, alias="webTimeout", examples=[10], description="seconds to fetch one page in"
    )
    max_page_mb: int = Field(
        default=10, ge=1, le=1024, alias="maxPageMB", examples=[2], description="the largest page, in megabytes"
    )
    administrators_see_all: bool = Field(
        default=True,
        alias="administratorsSeeAll",
        examples=[False],
        description="whether administrators may use everybody's files over HTTP; not written,"
        " `BYPASS_ADMIN_ACCESS_CONTROL` says it",
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.passage_overlap or 0) > self.passage_size // 2:
            raise ValueError("'passageOverlap' may be half of 'passageSize' at most")
        if (self.smallest_passage or 0) > self.passage_size:
            raise ValueError("'smallestPassage' may be as large as 'passageSize' at most")
        return self


def retrieval_settings(
    written: RetrievalSection, environ: Mapping[str, str], endpoints: Mapping[str, Endpoint]
) -> RetrievalSettings:
    """Return what was written as a value, each endpoint spelled as it is; the environment says what wasn't."""
    size = written.passage_size
    settings = RetrievalSettings(
        embedder=_spelled(written.embedder, endpoints),
        batch_size=written.batch_size,
        concurrency=written.concurrency,
        reranker=written.reranker and _spelled(written.reranker, endpoints),
        passage_size=size,
        passage_overlap=size // 10 if written.passage_overlap is None else written.passage_overlap,
        smallest_passage=size // 5 if written.smallest_passage is None else written.smallest_passage,
        top_k=written.top_k,
        threshold=written.threshold,
        rewrite=written.rewrite,
        largest_file=written.max_file_mb * _MB,
        extraction_time=written.extraction_timeout,
        extraction_memory=written.extraction_memory_mb * _MB,
        wait_for_processing=written.wait_for_processing,
        local_addresses=written.local_addresses,
        web_time=written.web_timeout,
        largest_page=written.max_page_mb * _MB,
        administrators_see_all=written.administrators_see_all,
    )
    return switched(settings, environ, written=written.model_fields_set)


def retrieval_problems(written: RetrievalSection, catalog: Catalog) -> Iterator[Problem]:
    """Yield what the embedder and the reranker name and nobody has, or what can't be one."""
    yield from _model_problems("embedder", written.embedder, catalog, _EMBEDDING, "embeds")
    if written.reranker is not None:
        yield from _model_problems("reranker", written.reranker, catalog, _RERANKING, "reranks")


def _model_problems(key: str, name: str, catalog: Catalog, providers: tuple[str, ...], does: str) -> Iterator[Problem]:
    prefix = name.partition("/")[0]
    try:
        endpoint = catalog.endpoint(prefix)
    except UnknownName as error:
        yield Problem(("retrieval", key), how_to_offer(prefix) or error.message)
        return
    if endpoint.provider not in providers:
        yield Problem(("retrieval", key), f"{endpoint.name} has no API that {does}. Name another endpoint")
    elif endpoint.provider == "llama_cpp" and _spelled(name, catalog.endpoints) != NANO_E5:
        yield Problem(("retrieval", key), f"in the kernel only {NANO_E5} {does}")


def _spelled(name: str, endpoints: Mapping[str, Endpoint]) -> str:
    prefix, _, model = name.partition("/")
    spelling = {each.casefold(): each for each in endpoints}
    return f"{spelling.get(prefix.casefold(), prefix)}/{model}"
