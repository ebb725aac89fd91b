"""Answers that rest on documents: what is searched for and found, and how the answer shows, reads and cites it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message
from agentbench.protocol.request import PlainTextFormat
from agentbench.protocol.values import new_id
from agentbench.runner.citations import citations
from agentbench.runner.documents import FILE_SEARCH, SEARCH_ID, Document, Passage, Source, reader_of
from agentbench.runner.opening import opened
from agentbench.runner.passages import Finder
from agentbench.runner.reading import reading_of, with_reading
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agentbench.config.endpoint import Catalog
    from agentbench.protocol import CreateResponse, InputItem
    from agentbench.protocol.content import UrlCitation
    from agentbench.retrieval.library import Library
    from agentbench.runner.embeddings import Embeddings
    from agentbench.runner.opening import Opened
    from agentbench.runner.queries import QueryWriter
    from agentbench.runner.target import Target
    from agentbench.runner.turn import Turn

__all__ = ["Grounding", "Grounds"]

_LONGEST_QUERY = 2_000
"""Characters; embedders refuse, or don't read, what is much longer."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What one answer rests on. `items` are the step that shows it, `seconds` how long the search took."""

    sources: tuple[Source, ...]
    """Each document once, with its passages; of two that have the same passage, the first has it."""
    items: tuple[FunctionCall, FunctionCallOutput]
    seconds: float
    cites: bool
    """Whether the answer is text that may hold citations."""
    reading: str
    """The passages as the model gets them."""

    def request(self, request: CreateResponse) -> CreateResponse:
        """Return the request with the passages in its last user message."""
        return msgspec.structs.replace(request, input=with_reading(request.input, self.reading))

    def cite(self, text: str) -> Iterator[UrlCitation]:
        """Yield what a text of the answer cites."""
        return citations(text, [passage for source in self.sources for passage in source.passages])


class Grounding:
    """Looks into the documents of turns; `catalog` returns the catalog as it is now."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        library: Library,
        embeddings: Embeddings,
        writer: QueryWriter,
    ) -> None:
        self._catalog = catalog
        self._library = library
        self._embeddings = embeddings
        self._writer = writer

    async def grounds(
        self, turn: Turn, target: Target, past: Sequence[InputItem], *, rewriting: bool = True
    ) -> Grounds | None:
        """Return what the turn's answer rests on; None if it has no documents, nor its agent collections.

        With `rewriting`, a model may write queries besides the person's own words. Raises what `opened` and the
        library's `search` raise, and `InvalidRequest` where there are no words to search for.
        """
        settings = self._catalog().retrieval
        reader = reader_of(turn.principal, settings)
        documents = (*turn.documents, *await self._documents_of(turn, target, reader))
        if not documents:
            return None
        ready = await opened(self._library, reader, documents, settings)
        queries = await self._queries(turn, target, (*past, *turn.request.input), ready, rewriting=rewriting)
        if queries is None:
            return None
        start = time.perf_counter()
        finder = Finder(self._library, self._embeddings, turn.principal, settings, target)
        passages = await finder.passages(ready, queries)
        seconds = time.perf_counter() - start
        cites = isinstance(turn.request.text.format, PlainTextFormat)
        items = _step(queries, ready, passages, finder.searched, seconds)
        sources = _sources(documents, ready, passages)
        return Grounds(sources, items, seconds, cites, reading_of(passages, cite=cites))

    async def _queries(
        self, turn: Turn, target: Target, said: Sequence[InputItem], ready: Sequence[Opened], *, rewriting: bool
    ) -> tuple[str, ...] | None:
        """Return what to search for; None where nobody asked for a search that can't be made."""
        if all(document.whole for document in ready):
            return ()
        words = _words(said)
        if not words and not turn.documents:
            return None  # whoever sends an agent only a picture
        if not words:
            message = "The last user message has no words to search the documents for. Write some, or read them whole."
            raise InvalidRequest(message, param="input")
        more: tuple[str, ...] = ()
        if rewriting and self._catalog().retrieval.rewrite:
            more = await self._writer.queries(turn, target, said)
        return tuple(dict.fromkeys((words, *more)))

    async def _documents_of(self, turn: Turn, target: Target, reader: Reader) -> list[Document]:
        """Return the collections of the turn's agent."""
        if target.agent is None or turn.context != "message":
            return []
        return [await self._agents_own(name, reader) for name in target.agent.collections]

    async def _agents_own(self, name: str, reader: Reader) -> Document:
        """Return a collection of an agent's: by its name the operator's, or else the reader's own."""
        try:
            meant = (await self._library.collection(Reader(KERNEL.user), name)).id
        except UnknownName:
            meant = name
        try:
            found = await self._library.collection(reader, meant)
        except UnknownName:
            if meant == name:
                raise
            raise UnknownName("collection", name) from None
        given = {"type": "collection", "id": found.id, "name": found.name}
        return Document(kind="collection", id=found.id, name=found.name, given=given)


def _words(said: Sequence[InputItem]) -> str:
    """Return the words of the last user message, of many the first and the last; empty if it has none."""
    texts = (item.text.strip() for item in reversed(said) if isinstance(item, Message) and item.role == "user")
    words = next(texts, "")
    half = _LONGEST_QUERY // 2
    return words if len(words) <= _LONGEST_QUERY else f"{words[:half]}\n{words[-half:]}"


def _sources(documents: Sequence[Document], ready: Sequence[Opened], passages: Sequence[Passage]) -> tuple[Source, ...]:
    def of(place: int) -> tuple[Passage, ...]:
        return tuple(passage for passage in passages if passage.document == place)

    return tuple(Source(document=documents[each.place], passages=of(each.place)) for each in ready)


def _step(
    queries: Sequence[str], ready: Sequence[Opened], passages: Sequence[Passage], searched: int, seconds: float
) -> tuple[FunctionCall, FunctionCallOutput]:
    """Return the search as the answer shows it."""
    asked = {
        "queries": queries,
        "files": [each.name for each in ready if not each.collections],
        "collections": [each.name for each in ready if each.collections],
        "ids": [name for each in ready for name in (*each.files, *each.collections, *filter(None, [each.url]))],
    }
    found = {"searched": searched, "seconds": round(seconds, 6), "passages": passages}
    call_id = new_id(SEARCH_ID)
    return (
        FunctionCall(id=new_id("fc"), call_id=call_id, name=FILE_SEARCH, arguments=_json(asked)),
        FunctionCallOutput(id=new_id("fco"), call_id=call_id, output=_json(found)),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
