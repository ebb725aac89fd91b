"""Searching the library's files and collections."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import InvalidRequest, MissingExtra
from agentbench.retrieval.collecting import Collecting
from agentbench.retrieval.filing import ALL_KINDS, read_text
from agentbench.retrieval.sharing import find_collection, find_file, find_files, why_not_ready
from agentbench.retrieval.watching import ANYONE, UNFINISHED
from agentbench.storage import collections as stored_collections
from agentbench.storage import files as stored_files
from agentbench.storage import processing
from agentbench.storage.files import StoredFile
from agentbench.storage.searchable import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.retrieval.index import Index
    from agentbench.retrieval.values import Embedder, Found, Ranking
    from agentbench.storage.collections import Collection
    from agentbench.storage.database import Database
    from agentbench.storage.grants import Reader

__all__ = ["Searching"]

_READ_AT_ONCE = 500


class _Vectors(NamedTuple):
    """Who made vectors, and how long they are."""

    embedder: str | None
    dimensions: int | None


class _Within(NamedTuple):
    """Where a search looks, and whose vectors it meets there, each with the first place."""

    scope: Scope
    vectors: dict[_Vectors, Collection | StoredFile]


class Searching(Collecting):
    """Searches files and collections, and embeds them anew."""

    def __init__(
        self,
        database: Database,
        *,
        embedder: Callable[[str], Embedder],
        settings: Callable[[], RetrievalSettings],
    ) -> None:
        super().__init__(database, embedder=embedder, settings=settings)
        self._index: Index | None = None
        self._checked: dict[str, tuple[int, frozenset[_Vectors]]] = {}
        self._asked: tuple[tuple[str, tuple[str, ...]], NDArray[np.float32]] | None = None

    async def search(
        self,
        reader: Reader,
        queries: Sequence[str],
        *,
        files: Sequence[str] = (),
        collections: Sequence[str] = (),
        top_k: int | None = None,
        threshold: float | None = None,
        ranking: Ranking = "fused",
        only: Mapping[str, str] | None = None,
        payer: str | None = None,
    ) -> Found:
        """Return the passages that fit best; `top_k` and `threshold` are the settings' where they are None.

        `only` leaves files of a `name` or `content_type`, with `*` and `?`. The queries are embedded for the user
        `payer`, if not for the reader. Raises `UnknownName` for what the reader may not read, and `InvalidRequest` for
        a file that isn't completed, or whose vectors today's embedder didn't make.
        """
        asked = [each for each in dict.fromkeys(query.strip() for query in queries) if each]
        if not asked:
            raise InvalidRequest("There is nothing to search for. Give a query of at least one word.")
        settings = self._settings()
        job = partial(self._within, reader=reader, files=files, collections=collections)
        within = await self._database.read(job)
        vectors = None if ranking == "text" else await self._embedded(asked, within, payer or reader.user)
        return await self._opened_index().search(
            asked,
            vectors,
            within.scope,
            top_k=settings.top_k if top_k is None else top_k,
            threshold=settings.threshold if threshold is None else threshold,
            ranking=ranking,
            only=only,
        )

    async def whole(
        self, reader: Reader, *, files: Sequence[str] = (), collections: Sequence[str] = ()
    ) -> list[tuple[StoredFile, str]]:
        """Return files with all their text, each once; raises as `search` does."""

        def job(connection: Connection) -> list[tuple[StoredFile, str]]:
            found = {each.id: each for each in find_files(connection, files, reader)}
            for name in collections:
                inside = _files_of(connection, find_collection(connection, name, reader))
                found |= {each.id: each for each in inside}
            _check_ready(found.values())
            return [(each, read_text(connection, each.id, ANYONE)) for each in found.values()]

        return await self._database.read(job)

    async def unfinished(self, reader: Reader, collection_id: str) -> list[str]:
        """Return the files of a collection, and those about to join it, that are still to be processed."""

        def job(connection: Connection) -> list[str]:
            found = find_collection(connection, collection_id, reader)
            version, _ = self._checked.get(found.id, (-1, None))
            inside = [] if version == found.version else _files_of(connection, found)
            later, _ = stored_files.page(
                connection, reader, collection=found.id, pending=True, own=False, kinds=ALL_KINDS, limit=_READ_AT_ONCE
            )
            return [each.id for each in (*inside, *later) if each.status in UNFINISHED]

        return await self._database.read(job)

    async def reindex(self, reader: Reader, collection_id: str, *, every: bool = False) -> list[StoredFile]:
        """Queue the files of a collection to be embedded by today's embedder; returns those that need it.

        `every` file is read, split and embedded anew, as after other settings for passages.
        """
        embedder = self._embedder(reader.user)
        probe = await embedder.embed(["How long is a vector?"], "query")
        today = _Vectors(embedder.name, int(probe.shape[1]))

        def job(connection: Connection) -> list[StoredFile]:
            found = find_collection(connection, collection_id, reader, write=True)
            queued = [each for each in _files_of(connection, found) if every or _needs(each, today)]
            for file in queued:
                processing.queue(connection, file.id, afresh=every or file.embedder == today.embedder)
            return [find_file(connection, each.id, ANYONE) for each in queued]

        queued = await self._database.write(job)
        self._processing.stop(each.id for each in queued)
        self.resume()
        return queued

    def _within(
        self, connection: Connection, *, reader: Reader, files: Sequence[str], collections: Sequence[str]
    ) -> _Within:
        """Return where to search; raises what `search` does for what can't be searched."""
        if not files and not collections:
            raise InvalidRequest("There is nowhere to search. Name files or collections.")
        alone = find_files(connection, files, reader)
        _check_ready(alone)
        held = [find_collection(connection, name, reader) for name in collections]
        met: dict[_Vectors, Collection | StoredFile] = {}
        for collection in held:
            for vectors in self._vectors_in(connection, collection):
                met.setdefault(vectors, collection)
        for file in alone:
            met.setdefault(_vectors_of(file), file)
        return _Within(Scope(collections=tuple(each.id for each in held), files=tuple(each.id for each in alone)), met)

    def _vectors_in(self, connection: Connection, collection: Collection) -> frozenset[_Vectors]:
        """Return whose vectors a collection has; raises `InvalidRequest` for a file that isn't completed."""
        version, vectors = self._checked.get(collection.id, (-1, frozenset[_Vectors]()))
        if version != collection.version:
            inside = _files_of(connection, collection)
            _check_ready(inside)
            vectors = frozenset(map(_vectors_of, inside))
            self._checked[collection.id] = collection.version, vectors
        return vectors

    async def _embedded(self, queries: Sequence[str], within: _Within, user: str) -> NDArray[np.float32] | None:
        """Embed queries as the passages were; raises `InvalidRequest` where others were embedded otherwise."""
        if not within.vectors:
            return None
        embedder = self._embedder(user)
        for vectors, place in within.vectors.items():
            if vectors.embedder != embedder.name:
                raise InvalidRequest(_mixed(vectors.embedder, embedder.name, place))
        found = await self._query_vectors(embedder, tuple(queries))
        for vectors, place in within.vectors.items():
            if vectors.dimensions != found.shape[1]:
                raise InvalidRequest(
                    _mixed(_sized(embedder, vectors.dimensions), _sized(embedder, found.shape[1]), place)
                )
        return found

    async def _query_vectors(self, embedder: Embedder, queries: tuple[str, ...]) -> NDArray[np.float32]:
        """Embed queries; what was searched for last isn't embedded again, as in each of an answer's documents."""
        asked = (embedder.name, queries)
        if self._asked is None or self._asked[0] != asked:
            self._asked = asked, await embedder.embed(queries, "query")
        return self._asked[1]

    def _opened_index(self) -> Index:
        if self._index is None:
            try:
                from agentbench.retrieval.index import Index
            except ImportError as error:
                raise MissingExtra("retrieval", "Searching files") from error
            self._index = Index(self._database)
        return self._index


def _files_of(connection: Connection, collection: Collection) -> list[StoredFile]:
    ids = stored_collections.file_ids(connection, collection.id)
    some = (ids[first : first + _READ_AT_ONCE] for first in range(0, len(ids), _READ_AT_ONCE))
    return [file for each in some for file in stored_files.known(connection, each, ANYONE)]


def _check_ready(found: Iterable[StoredFile]) -> None:
    for reason in filter(None, map(why_not_ready, found)):
        raise InvalidRequest(reason)


def _vectors_of(file: StoredFile) -> _Vectors:
    return _Vectors(file.embedder, file.dimensions)


def _needs(file: StoredFile, today: _Vectors) -> bool:
    return file.status == "failed" or (file.status != "pending" and _vectors_of(file) != today)


def _sized(embedder: Embedder, dimensions: int | None) -> str:
    return f"{embedder.name} with {dimensions} dimensions"


def _mixed(before: str | None, today: str, place: Collection | StoredFile) -> str:
    what = f"{place.name!r} was embedded by {before}, and queries are embedded by {today}."
    remedy = "Process it again." if isinstance(place, StoredFile) else f"Run: %agent know reindex {place.name}"
    return f"{what} {remedy}"
