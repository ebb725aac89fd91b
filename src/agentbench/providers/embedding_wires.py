"""The wires of embeddings and reranking over HTTP: bodies out, vectors and scores in.

OpenAI's shape is what most servers have; Ollama and Google have their own. Prefixes that a model wants before queries
or passages are the operator's affair: no wire tells which model wants which.
"""

from __future__ import annotations

from base64 import b64decode
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from agentbench.errors import UpstreamGarbled
from agentbench.providers.embedding import Embedded, Reranked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from agentbench.config.endpoint import Endpoint
    from agentbench.providers.embedding import TextKind
    from agentbench.providers.http import Http

__all__ = ["google_embedded", "ollama_embedded", "openai_embedded", "reranked"]

T = TypeVar("T")
_TASKS = {"query": "RETRIEVAL_QUERY", "passage": "RETRIEVAL_DOCUMENT"}


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Row(msgspec.Struct):
    embedding: list[float] | str  # the latter is base64 of little-endian float32
    index: int | None = None


class _OpenAI(msgspec.Struct):
    data: list[_Row]
    usage: _Usage | None = None


class _Ollama(msgspec.Struct):
    embeddings: list[list[float]]
    prompt_eval_count: int | None = None


class _Values(msgspec.Struct):
    values: list[float]


class _Google(msgspec.Struct):
    embeddings: list[_Values]


class _Result(msgspec.Struct):
    index: int
    relevance_score: float


class _Reranked(msgspec.Struct):
    results: list[_Result] = []
    data: list[_Result] = []
    usage: _Usage | None = None


async def openai_embedded(
    http: Http,
    endpoint: Endpoint,
    model: str,
    texts: Sequence[str],
    *,
    dimensions: int | None = None,
    path: str = "/embeddings",
    headers: Mapping[str, str] | None = None,
) -> Embedded:
    """Embed as OpenAI's API does."""
    body: dict[str, Any] = {"model": model, "input": list(texts)}
    if dimensions is not None:
        body["dimensions"] = dimensions
    answer = await _posted(http, path, body, endpoint, _OpenAI, headers=headers)
    rows = sorted(answer.data, key=lambda row: row.index or 0)
    usage = answer.usage or _Usage()
    vectors = _matrix([row.embedding for row in rows], len(texts), endpoint)
    return Embedded(vectors, usage.total_tokens if usage.prompt_tokens is None else usage.prompt_tokens)


async def ollama_embedded(
    http: Http, endpoint: Endpoint, model: str, texts: Sequence[str], *, dimensions: int | None = None
) -> Embedded:
    """Embed as Ollama's own API does."""
    body: dict[str, Any] = {"model": model, "input": list(texts)}
    if dimensions is not None:
        body["dimensions"] = dimensions
    answer = await _posted(http, "/api/embed", body, endpoint, _Ollama)
    return Embedded(_matrix(answer.embeddings, len(texts), endpoint), answer.prompt_eval_count)


async def google_embedded(
    http: Http,
    endpoint: Endpoint,
    model: str,
    texts: Sequence[str],
    kind: TextKind,
    *,
    dimensions: int | None = None,
    headers: Mapping[str, str],
) -> Embedded:
    """Embed as the Gemini API does; `model` is with its collection, percent-encoded. It tells no tokens."""
    shared: dict[str, Any] = {"model": model, "taskType": _TASKS[kind]}
    if dimensions is not None:
        shared["outputDimensionality"] = dimensions
    body = {"requests": [shared | {"content": {"parts": [{"text": text}]}} for text in texts]}
    answer = await _posted(http, f"/{model}:batchEmbedContents", body, endpoint, _Google, headers=headers)
    return Embedded(_matrix([each.values for each in answer.embeddings], len(texts), endpoint), None)


async def reranked(http: Http, endpoint: Endpoint, model: str, query: str, texts: Sequence[str]) -> Reranked:
    """Score as the `/rerank` of Cohere, Jina, vLLM and llama.cpp does."""
    body = {"model": model, "query": query, "documents": list(texts), "top_n": len(texts)}
    answer = await _posted(http, "/rerank", body, endpoint, _Reranked)
    by_index = {each.index: each.relevance_score for each in answer.results or answer.data}
    if by_index.keys() != set(range(len(texts))) or not all(map(np.isfinite, by_index.values())):
        raise UpstreamGarbled(f"{endpoint.name} didn't score each text. Is {model} a reranker?", endpoint=endpoint.name)
    tokens = answer.usage.total_tokens if answer.usage is not None else None
    return Reranked(tuple(by_index[index] for index in range(len(texts))), tokens)


async def _posted(
    http: Http,
    path: str,
    body: Mapping[str, Any],
    endpoint: Endpoint,
    kind: type[T],
    *,
    headers: Mapping[str, str] | None = None,
) -> T:
    plain = msgspec.structs.replace(endpoint, add_params=MappingProxyType({}))  # those are for answers
    async with http.post(path, body, plain, headers=headers, accept="application/json") as chunks:
        answer = b"".join([chunk async for chunk in chunks])
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _garbled(endpoint) from None


def _matrix(vectors: Sequence[list[float] | str], count: int, endpoint: Endpoint) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):
            rows = np.array([_floats(each) for each in vectors], dtype=np.float32)
    except ValueError:  # no base64, or rows of different lengths
        raise _garbled(endpoint) from None
    if len(rows) != count or rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():  # noqa: PLR2004 - rows, columns
        raise _garbled(endpoint)
    return rows


def _floats(vector: list[float] | str) -> list[float] | NDArray[np.float32]:
    return np.frombuffer(b64decode(vector, validate=True), "<f4") if isinstance(vector, str) else vector


def _garbled(endpoint: Endpoint) -> UpstreamGarbled:
    message = f"{endpoint.name} didn't answer with one vector a text. Check the model and baseURL: {endpoint.base_url}."
    return UpstreamGarbled(message, endpoint=endpoint.name)
