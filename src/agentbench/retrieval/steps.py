"""The steps from a file's bytes to its passages with their vectors.

Each stores what it made, so that whoever comes next goes on from there. Who may work on a file is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest, UpstreamGarbled
from agentbench.retrieval.context import in_context
from agentbench.retrieval.values import Extracted, Progress
from agentbench.storage import file_texts, files, passages, processing
from agentbench.storage.file_texts import FileText, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.retrieval.values import Embedder
    from agentbench.storage.database import Database
    from agentbench.storage.files import StoredFile
    from agentbench.storage.passages import NewPassage, Passage

__all__ = ["Lost", "Steps"]

_READ_AT_ONCE = 2048
_FIRST, _FAST_S, _SLOW_S = 4, 0.5, 2.0


class Lost(Exception):
    """The file was deleted or queued anew, or is another worker's by now."""


class Steps:
    """Makes passages of one file; `progress` says how far it is, and `tell` is called when that changes."""

    def __init__(
        self,
        file: StoredFile,
        worker: str,
        database: Database,
        *,
        embedder: Callable[[str], Embedder],
        settings: RetrievalSettings,
        tell: Callable[[], None],
    ) -> None:
        self._file = file
        self._worker = worker
        self._database = database
        self._embedder = embedder
        self._settings = settings
        self._tell = tell
        self._dimensions: int | None = None
        self.progress = Progress(file=file.id, step="extracting")

    async def run(self) -> None:
        """Do what isn't done yet. Raises `Lost`, or what keeps the file from being completed."""
        text = await self._text()
        await self._passages(text)
        await self._vectors()
        await self._store(_complete)

    async def _text(self) -> FileText:
        there = await self._database.read(partial(file_texts.get, file_id=self._file.id))
        if there is not None:
            return there
        text = await self._extracted()
        digest = hashlib.sha256(text.text.encode()).hexdigest()
        await self._store(processing.save_text, text=text, digest=digest)
        return text

    async def _extracted(self) -> FileText:
        from agentbench.retrieval.extraction import extract

        self._show(Progress(file=self._file.id, step="extracting"))
        data = await self._database.read(partial(_bytes, file_id=self._file.id))
        seconds, memory = self._settings.extraction_time, self._settings.extraction_memory
        found = await extract(data, self._file.name, self._file.content_type, seconds=seconds, memory=memory)
        values = {field: getattr(found, field) for field in Extracted.__struct_fields__}
        return FileText(**values | {"text": storable(found.text)})

    async def _passages(self, text: FileText) -> None:
        total, _ = await self._database.read(partial(passages.count, file_id=self._file.id))
        if total:
            return
        self._show(Progress(file=self._file.id, step="splitting"))
        new = await asyncio.to_thread(_split, text, self._settings)
        if not new:
            raise InvalidRequest("There is no text in this file. Give it one, or leave it out.")
        await self._store(processing.save_passages, new=new)

    async def _vectors(self) -> None:
        embedder = self._embedder(self._file.user)
        if self._file.embedder != embedder.name:
            # Before the first vector of another embedder; how long they are is known when it comes.
            await self._store(processing.use_embedder, embedder=embedder.name, dimensions=0)
            self._file = msgspec.structs.replace(self._file, embedder=embedder.name)
        total, done = await self._database.read(partial(passages.count, file_id=self._file.id))
        self._show(Progress(file=self._file.id, step="embedding", done=done, total=total))
        size = min(_FIRST, self._settings.batch_size)
        while waiting := await self._database.read(self._unembedded):
            while waiting:
                began = time.monotonic()
                await self._embed(embedder, waiting[:size])
                waiting = waiting[size:]
                size = _paced(size, time.monotonic() - began, self._settings)

    def _unembedded(self, connection: Connection) -> list[Passage]:
        return passages.unembedded(connection, self._file.id, _READ_AT_ONCE)

    async def _embed(self, embedder: Embedder, some: Sequence[Passage]) -> None:
        from agentbench.retrieval.indexing import packed

        vectors = await embedder.embed([in_context(each.text, each.heading) for each in some], "passage")
        self._dimensions = _checked(vectors, len(some), self._dimensions, embedder.name)
        by_number = dict(zip((each.number for each in some), packed(vectors), strict=True))
        await self._store(_save_vectors, embedder=embedder.name, dimensions=self._dimensions, vectors=by_number)
        done = self.progress.done + len(some)
        self._show(msgspec.structs.replace(self.progress, done=min(done, self.progress.total)))

    async def _store(self, job: Callable[..., bool], **values: Any) -> None:
        if not await self._database.write(partial(job, file_id=self._file.id, worker=self._worker, **values)):
            raise Lost

    def _show(self, progress: Progress) -> None:
        self.progress = progress
        self._tell()


def _paced(size: int, seconds: float, settings: RetrievalSettings) -> int:
    """Return how many passages to embed next: as many as are stored again within a second or two."""
    if seconds > _SLOW_S:
        return max(size // 2, 1)
    return min(size * 2, settings.batch_size * settings.concurrency) if seconds < _FAST_S else size


def _bytes(connection: Connection, file_id: str) -> bytes:
    parts: list[bytes] = []
    while (part := files.part(connection, file_id, len(parts))) is not None:
        parts.append(part)
    return b"".join(parts)


def _split(text: FileText, settings: RetrievalSettings) -> list[NewPassage]:
    from agentbench.retrieval.indexing import new_passages
    from agentbench.retrieval.splitting import split

    values = {field: getattr(text, field) for field in Extracted.__struct_fields__}
    return new_passages(split(Extracted(**values), settings))


def _checked(vectors: NDArray[np.float32], wanted: int, dimensions: int | None, name: str) -> int:
    """Return how long the vectors are; raises `UpstreamGarbled` if there are others than were asked for."""
    rows, found = map(int, vectors.shape)
    if rows != wanted or found != (dimensions or found):
        raise UpstreamGarbled(f"The embedder {name} gave {rows} vectors of {found} numbers for {wanted} texts.")
    return found


def _save_vectors(
    connection: Connection, *, file_id: str, worker: str, embedder: str, dimensions: int, vectors: dict[int, bytes]
) -> bool:
    return processing.use_embedder(connection, file_id, worker, embedder, dimensions) and processing.save_vectors(
        connection, file_id, worker, vectors
    )


def _complete(connection: Connection, *, file_id: str, worker: str) -> bool:
    total, embedded = passages.count(connection, file_id)
    return total == embedded and processing.complete(connection, file_id, worker)
