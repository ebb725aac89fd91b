"""The files of vector stores, one by one and in batches, and what is found in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.assistants.stores import StoreText, StoreTexts
from agentbench.protocol.values import new_id
from agentbench.runner.assistants.store_objects import batch_object, file_object
from agentbench.runner.assistants.vector_stores import VectorStores
from agentbench.storage import collections, vector_stores
from agentbench.storage.file_texts import storable
from agentbench.storage.grants import Reader
from agentbench.storage.paging import ids_of, listing
from agentbench.storage.vector_stores import Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Listing
    from agentbench.protocol.assistants.stores import (
        AddBatch,
        AddFile,
        Attributes,
        ChangeAttributes,
        FileBatch,
        FileState,
        StoreFile,
    )
    from agentbench.storage.paging import Page
    from agentbench.storage.vector_stores import Batch, Member, StoredStore

__all__ = ["StoreFiles"]


class StoreFiles(VectorStores):
    """Puts files into vector stores, and takes them out."""

    async def add_file(self, principal: Principal, store_id: str, wanted: AddFile) -> StoreFile:
        """Let a file of the caller's join a store, as soon as it is processed."""
        await self._put(principal, store_id, {wanted.file_id: wanted.attributes})
        return await self.store_file(principal, store_id, wanted.file_id)

    async def store_file(self, principal: Principal, store_id: str, file_id: str) -> StoreFile:
        """Return a file of a store."""
        member = await self._read(principal, store_id, lambda connection, stored: _member(connection, stored, file_id))
        return file_object(store_id, member)

    async def store_files(
        self,
        principal: Principal,
        store_id: str,
        page: Page,
        *,
        status: FileState | None = None,
        batch_id: str | None = None,
    ) -> Listing:
        """Return the files of a store, or of a batch, that have a status, or any."""

        def job(connection: Connection, stored: StoredStore) -> list[StoreFile]:
            only = None if batch_id is None else _batch(stored, batch_id).files
            found = vector_stores.members(connection, stored, only)
            by_id = {each.id: each for each in found if status in (None, each.status)}
            return [file_object(store_id, by_id[each]) for each in ids_of(list(by_id), page)]

        return listing(await self._read(principal, store_id, job), page)

    async def change_file(
        self, principal: Principal, store_id: str, file_id: str, wanted: ChangeAttributes
    ) -> StoreFile:
        """Give a file other attributes in a store."""

        def change(connection: Connection, stored: StoredStore) -> StoredStore:
            member = _member(connection, stored, file_id)
            before = stored.state.files.get(file_id) or Entry(added=member.added)
            entry = replace(before, attributes=wanted.attributes or {})
            return replace(stored, state=replace(stored.state, files=stored.state.files | {file_id: entry}))

        await self._change(principal, store_id, change)
        return await self.store_file(principal, store_id, file_id)

    async def remove_file(self, principal: Principal, store_id: str, file_id: str) -> None:
        """Take a file out of a store; it stays a file."""

        def change(connection: Connection, stored: StoredStore) -> StoredStore:
            _member(connection, stored, file_id)
            collections.unlink(connection, stored.id, [file_id])
            left = {each: entry for each, entry in stored.state.files.items() if each != file_id}
            return replace(stored, state=replace(stored.state, files=left))

        await self._change(principal, store_id, change)

    async def file_text(self, principal: Principal, store_id: str, file_id: str) -> StoreTexts:
        """Return what was read out of a file of a store; nothing before it was."""
        await self.store_file(principal, store_id, file_id)
        text = await self._library.text(Reader(principal.user), file_id)
        return StoreTexts(data=(StoreText(text=text),) if text else ())

    async def add_batch(self, principal: Principal, store_id: str, wanted: AddBatch) -> FileBatch:
        """Let files of the caller's join a store together; raises before any does if one can't."""
        batch_id = new_id("vsfb")
        await self._put(principal, store_id, _wanted(wanted), batch=batch_id)
        return await self.batch(principal, store_id, batch_id)

    async def batch(self, principal: Principal, store_id: str, batch_id: str) -> FileBatch:
        """Return how far a batch is."""

        def job(connection: Connection, stored: StoredStore) -> FileBatch:
            batch = _batch(stored, batch_id)
            return batch_object(batch_id, store_id, batch, vector_stores.members(connection, stored, batch.files))

        return await self._read(principal, store_id, job)

    async def cancel_batch(self, principal: Principal, store_id: str, batch_id: str) -> FileBatch:
        """Let no more files of a batch join its store; those that did stay, and all stay files."""

        def change(connection: Connection, stored: StoredStore) -> StoredStore:
            batch = _batch(stored, batch_id)
            found = vector_stores.members(connection, stored, batch.files)
            inside = set(collections.file_ids(connection, stored.id))
            left = [each for each in found if each.status == "in_progress" and each.id not in inside]
            if not left:
                return stored
            collections.unlink(connection, stored.id, [each.id for each in left])
            marks = {each.id: Entry(added=each.added, attributes=each.attributes, cancelled=True) for each in left}
            batches = stored.state.batches | {batch_id: replace(batch, cancelled=True)}
            return replace(stored, state=replace(stored.state, files=stored.state.files | marks, batches=batches))

        await self._change(principal, store_id, change)
        return await self.batch(principal, store_id, batch_id)


def _wanted(batch: AddBatch) -> dict[str, Attributes | None]:
    """Return the files of a batch with their attributes."""
    if (batch.files is None) == (batch.file_ids is None):
        raise InvalidRequest("A batch has either `file_ids` or `files`. Send one of them.", param="file_ids")
    wanted = dict.fromkeys(batch.file_ids or (), batch.attributes)
    wanted |= {each.file_id: each.attributes for each in batch.files or ()}
    if not wanted:
        raise InvalidRequest("A batch needs a file. Name at least one.", param="file_ids")
    return wanted


def _member(connection: Connection, stored: StoredStore, file_id: str) -> Member:
    known: Sequence[str] = [file_id] if storable(file_id) == file_id else []
    for member in vector_stores.members(connection, stored, known):
        return member
    raise UnknownName("file", file_id)


def _batch(stored: StoredStore, batch_id: str) -> Batch:
    if batch_id not in stored.state.batches:
        raise UnknownName("batch of files", batch_id)
    return stored.state.batches[batch_id]
