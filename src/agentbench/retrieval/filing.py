"""The library's files: adding, processing, reading, changing and deleting them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, BinaryIO

from agentbench.errors import InvalidRequest, MissingExtra, UnknownName
from agentbench.protocol.values import new_id
from agentbench.retrieval.extraction import content_type_of
from agentbench.retrieval.sharing import find_collection, find_file, find_files
from agentbench.retrieval.shelf import Shelf
from agentbench.retrieval.uploads import clean_name, measured, too_large
from agentbench.retrieval.watching import LOOK_S, UNFINISHED, progress_of, woken
from agentbench.storage import file_texts, files, processing
from agentbench.storage.file_texts import storable
from agentbench.storage.files import StoredFile
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from agentbench.retrieval.uploads import Upload
    from agentbench.retrieval.values import Progress
    from agentbench.storage.files import FileKind

__all__ = ["ALL_KINDS", "Filing", "read_text"]

_DELETED_AT_ONCE = 500
ALL_KINDS: tuple[FileKind, ...] = ("upload", "text", "web")


class Filing(Shelf):
    """Adds, processes, reads, changes and deletes files."""

    async def add(
        self,
        reader: Reader,
        name: str,
        data: bytes | BinaryIO,
        *,
        content_type: str | None = None,
        kind: FileKind = "upload",
        url: str | None = None,
        meta: Mapping[str, Any] | None = None,
        process: bool = True,
        collection: str | None = None,
    ) -> StoredFile:
        """Store a file of the reader's and, with `process`, queue it; returns at once, while it is `pending`.

        It joins the collection once it is completed. Raises `RequestTooLarge`, and `InvalidRequest` for an empty file.
        """
        await self._check(reader, collection, process=process)  # before the data is read
        shown, now = clean_name(name), datetime.now(UTC)
        with ExitStack() as stack:
            reading = measured(data, shown, largest=self._settings().largest_file)
            upload = await asyncio.to_thread(stack.enter_context, reading)
            file = StoredFile(
                id=new_id("file"),
                user=reader.user,
                name=shown,
                kind=kind,
                url=url,
                content_type=content_type_of(shown, upload.head, content_type),
                size=upload.size,
                digest=upload.digest,
                status="pending" if process else "stored",
                meta=dict(meta or {}),
                created_at=now,
                updated_at=now,
            )
            await self._database.write(partial(_add, file=file, upload=upload, collection=collection, reader=reader))
        self.resume()
        return file

    async def add_page(self, reader: Reader, url: str, *, collection: str | None = None) -> StoredFile:
        """Fetch a web page and add it; raises `InvalidRequest` where it can't or may not be fetched."""
        from agentbench.retrieval.web import fetch_page

        await self._check(reader, collection, process=True)  # before anything is fetched
        page = await fetch_page(url, self._settings())
        return await self.add(
            reader,
            page.name,
            page.data,
            content_type=page.content_type,
            kind="web",
            url=page.url,
            collection=collection,
        )

    async def _check(self, reader: Reader, collection: str | None, *, process: bool) -> None:
        """Raise what keeps a file from being processed, or from joining a collection."""
        if process and find_spec("semantic_text_splitter") is None:
            raise MissingExtra("retrieval", "Working with files")
        if collection is not None:
            await self._database.read(partial(find_collection, name=collection, reader=reader, write=True))

    async def process(self, reader: Reader, file_id: str) -> StoredFile:
        """Queue a file: the first time, again after a failure, or for another embedder; what was done stays done.

        One that is being processed, or has nothing left to do, stays as it is.
        """
        done = (await self.file(reader, file_id, write=True)).status == "completed"
        embedder = self._embedder(reader.user).name if done else None

        def job(connection: Connection) -> StoredFile:
            found = find_file(connection, file_id, reader, write=True)
            if found.status not in UNFINISHED and not (found.status == "completed" and found.embedder == embedder):
                processing.queue(connection, file_id)
            return find_file(connection, file_id, reader)

        queued = await self._database.write(job)
        self.resume()
        return queued

    async def wait(self, reader: Reader, file_ids: Iterable[str], *, within: float | None = None) -> list[StoredFile]:
        """Return the files once none is pending or processing, or as they are after `within` seconds."""
        self.resume()
        wanted = list(dict.fromkeys(file_ids))
        ends = None if within is None else time.monotonic() + within
        left = wanted
        while True:
            changed = self._changes.next
            found = await self._database.read(partial(find_files, file_ids=left, reader=reader))
            left = [each.id for each in found if each.status in UNFINISHED]
            patience = LOOK_S if ends is None else min(LOOK_S, ends - time.monotonic())
            if not left or patience <= 0:
                return await self._database.read(partial(find_files, file_ids=wanted, reader=reader))
            await woken(changed, within=patience)

    async def watch(self, file_id: str) -> AsyncGenerator[Progress]:
        """Yield how far a file is, now and at every change, until it is completed, failed or deleted.

        One that nobody asked to process is `waiting`. Whether the reader may read the file isn't asked here.
        """
        self.resume()
        told: Progress | None = None
        while True:
            changed = self._changes.next
            now = self._processing.progress(file_id)
            if now is None:
                now = await self._database.read(partial(progress_of, file_id=file_id))
            if now != told:
                yield now
            if now.step in ("completed", "failed", "deleted"):
                return
            told = now
            await woken(changed, within=LOOK_S)

    async def file(self, reader: Reader, file_id: str, *, write: bool = False) -> StoredFile:
        """Return a file; raises `UnknownName` if there is none that the reader may read, or write."""
        return await self._database.read(partial(find_file, file_id=file_id, reader=reader, write=write))

    async def files(
        self,
        reader: Reader,
        *,
        glob: str | None = None,
        collection: str | None = None,
        offset: int = 0,
        limit: int = 50,
        own: bool = True,
        kinds: Sequence[FileKind] | None = None,
    ) -> tuple[list[StoredFile], int]:
        """Return files, last changed first, and how many there are in all.

        They are the reader's own uploads; without `own`, all that the reader may read; of a `collection`, all it has
        of any kind.
        """

        def job(connection: Connection) -> tuple[list[StoredFile], int]:
            within = None if collection is None else find_collection(connection, collection, reader).id
            chosen: Sequence[FileKind] = kinds or (("upload",) if within is None else ALL_KINDS)
            mine = own and within is None
            return files.page(
                connection,
                reader,
                glob=glob and storable(glob),
                collection=within,
                own=mine,
                kinds=chosen,
                offset=offset,
                limit=limit,
            )

        return await self._database.read(job)

    async def content(self, reader: Reader, file_id: str) -> AsyncGenerator[bytes]:
        """Yield a file's bytes in parts."""
        left, number = (await self.file(reader, file_id)).size, 0
        while left > 0:
            part = await self._database.read(partial(files.part, file_id=file_id, number=number))
            if part is None:
                raise UnknownName("file", file_id)  # it was deleted in the meantime
            left, number = left - len(part), number + 1
            yield part

    async def text(self, reader: Reader, file_id: str) -> str:
        """Return what was read out of a file; empty where nothing was yet."""
        return await self._database.read(partial(read_text, file_id=file_id, reader=reader))

    async def set_text(self, reader: Reader, file_id: str, text: str) -> StoredFile:
        """Replace what was read out of a file, and queue it; its bytes stay. Raises `InvalidRequest` for no text."""
        largest, shown = self._settings().largest_file, storable(text)

        def job(connection: Connection) -> StoredFile:
            name = find_file(connection, file_id, reader, write=True).name
            if not shown.strip():
                raise InvalidRequest(f"The text for {name!r} is empty. Give it some, or delete the file.")
            if len(shown.encode()) > largest:
                raise too_large(name, largest)
            processing.edit(connection, file_id, shown, hashlib.sha256(shown.encode()).hexdigest())
            return find_file(connection, file_id, reader)

        changed = await self._database.write(job)
        self._processing.stop([file_id])
        self.resume()
        return changed

    async def rename(self, reader: Reader, file_id: str, name: str) -> StoredFile:
        """Give a file another name."""

        def job(connection: Connection) -> StoredFile:
            find_file(connection, file_id, reader, write=True)
            files.change(connection, file_id, name=clean_name(name))
            return find_file(connection, file_id, reader)

        return await self._database.write(job)

    async def delete(self, reader: Reader, file_id: str) -> None:
        """Delete a file with everything made of it, also while it is processed."""

        def job(connection: Connection) -> None:
            find_file(connection, file_id, reader, write=True)
            files.delete_all(connection, [file_id])

        await self._database.write(job)
        self._processing.stop([file_id])
        self._changes.tell()

    async def delete_all(self, reader: Reader) -> int:
        """Delete the reader's own files of every kind; return how many."""

        def job(connection: Connection) -> list[str]:
            gone: list[str] = []
            while own := files.page(connection, Reader(reader.user), kinds=ALL_KINDS, limit=_DELETED_AT_ONCE)[0]:
                some = [each.id for each in own]
                files.delete_all(connection, some)
                gone += some
            return gone

        gone = await self._database.write(job)
        self._processing.stop(gone)
        self._changes.tell()
        return len(gone)


def _add(connection: Connection, file: StoredFile, upload: Upload, collection: str | None, reader: Reader) -> None:
    # Once more: it may have been deleted, or closed to the reader, while the data was read.
    joins = () if collection is None else (find_collection(connection, collection, reader, write=True).id,)
    files.add(connection, file, upload.parts(), joins=joins)


def read_text(connection: Connection, file_id: str, reader: Reader) -> str:
    """Return what was read out of a file; empty where nothing was yet."""
    found = file_texts.get(connection, find_file(connection, file_id, reader).id)
    return "" if found is None else found.text
