"""A library that finds what a test put into it, and a runner that has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from tests.runner.fakes import FakeProvider, runner_of

from agentbench.config.retrieval import RetrievalSettings
from agentbench.errors import UnknownName
from agentbench.protocol.items import FunctionCallOutput
from agentbench.retrieval.values import Found, Hit
from agentbench.runner.documents import Document
from agentbench.runner.grounding import Grounding
from agentbench.runner.queries import QueryWriter
from agentbench.storage.collections import Collection
from agentbench.storage.files import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.runner import Run, Runner
    from agentbench.storage.database import Database
    from agentbench.storage.grants import Reader

__all__ = ["FakeEmbeddings", "FakeLibrary", "a_file", "passages_of", "reading_runner", "sent", "stored"]

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def stored(name: str, status: Any = "completed", **fields: Any) -> StoredFile:
    """Return a file."""
    told = {"id": f"file-{name}", "user": "kernel", "content_type": "text/plain", "size": 1, "digest": "", **fields}
    return StoredFile(name=name, status=status, created_at=NOW, updated_at=NOW, **told)


class FakeLibrary:
    """Has files with texts, each line a passage, and collections of them; a search finds the lines with a word of it.

    Files that are `slow` are completed by waiting. Notes what was searched, and how long it was waited for what.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[StoredFile, str]] = {}
        self.sets: dict[str, tuple[Collection, tuple[str, ...]]] = {}
        self.slow: set[str] = set()
        self.searches: list[tuple[str, ...]] = []
        self.payers: list[str] = []
        self.waits: list[tuple[tuple[str, ...], float | None]] = []

    def put(self, name: str, text: str = "", status: Any = "completed", **fields: Any) -> str:
        """Add a file; return its id."""
        file = stored(name, status, **fields)
        self.known[file.id] = (file, text)
        return file.id

    def gather(self, name: str, *files: str, user: str = "kernel") -> str:
        """Add a collection; return its id."""
        made = Collection(id=f"set-{name}", user=user, handle=name, name=name, created_at=NOW, updated_at=NOW)
        self.sets[made.id] = (made, files)
        return made.id

    async def file(self, reader: Reader, file_id: str) -> StoredFile:
        """Return a file of the reader's."""
        if file_id not in self.known or self.known[file_id][0].user != reader.user:
            raise UnknownName("file", file_id)
        return self.known[file_id][0]

    async def collection(self, reader: Reader, name: str) -> Collection:
        """Return a collection of the reader's, or one that is everyone's, by its id."""
        for made, _ in self.sets.values():
            if (made.user == reader.user and name in (made.id, made.name)) or (made.user == "*" and name == made.id):
                return made
        raise UnknownName("collection", name)

    async def unfinished(self, _: Reader, collection: str) -> list[str]:
        """Return a collection's slow files."""
        return [each for each in self.sets[collection][1] if each in self.slow]

    async def wait(self, _: Reader, file_ids: Iterable[str], *, within: float | None) -> list[StoredFile]:
        """Complete the slow files."""
        ids = tuple(file_ids)
        self.waits.append((ids, within))
        for each in self.slow & set(ids):
            file, text = self.known[each]
            self.known[each] = (msgspec.structs.replace(file, status="completed"), text)
        return [self.known[each][0] for each in ids]

    async def whole(
        self, _: Reader, *, files: Sequence[str] = (), collections: Sequence[str] = ()
    ) -> list[tuple[StoredFile, str]]:
        """Return texts."""
        return [self.known[each] for each in self._scope(files, collections)]

    async def search(
        self,
        _: Reader,
        queries: Sequence[str],
        *,
        files: Sequence[str] = (),
        collections: Sequence[str] = (),
        top_k: int,
        threshold: float | None = None,
        payer: str,
    ) -> Found:
        """Return the lines that have a word of a query, in their order."""
        assert threshold is None, "it knows no similarity"
        self.payers.append(payer)
        self.searches.append(tuple(queries))
        words = {word.strip("?.").casefold() for query in queries for word in query.split()}
        hits = [hit for each in self._scope(files, collections) for hit in self._lines(each)]
        found = [hit for hit in hits if words & {word.strip("?.").casefold() for word in hit.text.split()}]
        return Found(queries=tuple(queries), hits=tuple(found[:top_k]), searched=len(hits), seconds=0.001)

    def _scope(self, files: Sequence[str], collections: Sequence[str]) -> list[str]:
        return [*files, *(each for one in collections for each in self.sets[one][1])]

    def _lines(self, file_id: str) -> list[Hit]:
        file, text = self.known[file_id]
        hits, at = [], 0
        for number, line in enumerate(text.splitlines()):
            page = number + 1 if file.name.endswith(".pdf") else None
            hits.append(
                Hit(
                    file=file.id,
                    name=file.name,
                    number=number,
                    text=line,
                    start=at,
                    end=at + len(line),
                    page=page,
                    url=file.url,
                    score=1 / (number + 1),
                )
            )
            at += len(line) + 1
        return hits


class FakeEmbeddings:
    """Reranks by the length of the texts, the longest first."""

    def __init__(self) -> None:
        self.reranked: list[tuple[str, int]] = []

    async def rerank(self, query: str, texts: Sequence[str], **_: object) -> list[float]:
        """Score texts."""
        self.reranked.append((query, len(texts)))
        return [float(len(text)) for text in texts]


def reading_runner(
    provider: Any, database: Database, library: FakeLibrary, *, known: Any = None, **settings: Any
) -> Runner:
    """Return a runner with that library, and such settings of retrieval."""
    runner = runner_of(provider, database, known)
    runner.catalog = msgspec.structs.replace(runner.catalog, retrieval=RetrievalSettings(**settings))
    replaced: Any = runner
    replaced.embeddings = FakeEmbeddings()
    writer = QueryWriter(lambda: runner.catalog, runner.providers, database, purse=runner.purse)
    parts: tuple[Any, Any] = (library, runner.embeddings)
    runner.grounding = Grounding(lambda: runner.catalog, *parts, writer)
    return runner


def a_file(file_id: str, **fields: Any) -> Document:
    """Return a file as a turn's document."""
    return Document(kind="file", id=file_id, **fields)


def sent(provider: FakeProvider) -> str:
    """Return the text of the last message that the upstream got."""
    text: str = provider.requests[-1].input[-1].text  # type: ignore[union-attr]
    return text


def passages_of(run: Run) -> list[dict[str, Any]]:
    """Return the passages that the answer's first step shows."""
    told = run.response.output[1]
    assert isinstance(told, FunctionCallOutput)
    passages: list[dict[str, Any]] = msgspec.json.decode(str(told.output))["passages"]
    return passages
