"""The library's collections: what is in them, and who may use them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from agentbench.errors import InvalidRequest, StorageError, UnknownName
from agentbench.protocol.values import Value, new_id
from agentbench.retrieval.filing import ALL_KINDS, Filing
from agentbench.retrieval.sharing import find_collection, find_file, find_files, owned_collection, why_not_ready
from agentbench.retrieval.uploads import visible
from agentbench.retrieval.watching import ANYONE, UNFINISHED
from agentbench.storage import collections, files, processing
from agentbench.storage.collections import Collection
from agentbench.storage.file_texts import storable
from agentbench.storage.files import StoredFile
from agentbench.storage.grants import replace as replace_grants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from agentbench.storage.grants import Permission, Reader

__all__ = ["Collecting", "Linked"]

_LONGEST_NAME = 200
_MANY = 1_000_000
_AT_ONCE = 100
"""Files that join a collection in one transaction; others wait for its end."""


class Linked(Value, frozen=True, kw_only=True):
    """What became of a file that was to join a collection; `reason` says why it was refused, and what to do."""

    file: StoredFile
    status: Literal["added", "already", "refused"]
    reason: str | None = None


class Collecting(Filing):
    """Makes, fills, shares and deletes collections.

    A collection is named by its id, by its handle, or by a name that one of the reader's own has.
    """

    async def create(
        self,
        reader: Reader,
        name: str,
        description: str = "",
        *,
        grants: Sequence[tuple[str, Permission]] = (),
        handle: str | None = None,
        kind: Literal["knowledge", "scratch"] = "knowledge",
    ) -> Collection:
        """Make an empty collection; `grants` are users, or `EVERYONE`, and what they may do.

        Where the reader has one of that `handle` already, that is returned.
        """
        made, now = new_id("coll"), datetime.now(UTC)
        collection = Collection(
            id=made,
            user=reader.user,
            handle=made if handle is None else _checked(handle),
            kind=kind,
            name=_checked(name),
            description=storable(description).strip(),
            created_at=now,
            updated_at=now,
        )
        job = partial(_create, collection=collection, shared=grants, reader=reader)
        try:
            return await self._database.write(job)
        except StorageError:
            # Another process may have made one of the same handle at the same moment.
            there = await self._database.read(partial(_of_handle, handle=collection.handle, reader=reader))
            if there is None:
                raise
            return there

    async def collection(self, reader: Reader, id_or_name: str, *, write: bool = False) -> Collection:
        """Return a collection.

        Raises `UnknownName` if there is none that the reader may read, `PermissionDenied` if it may be read but is to
        be written, `InvalidRequest` if several of the reader's have that name.
        """
        return await self._database.read(partial(find_collection, name=id_or_name, reader=reader, write=write))

    async def collections(
        self,
        reader: Reader,
        *,
        query: str | None = None,
        shared: bool | None = None,
        offset: int = 0,
        limit: int = 30,
    ) -> tuple[list[Collection], int]:
        """Return collections that the reader may read, last changed first, and how many there are in all.

        `shared`: False for the reader's own, True for others'.
        """
        job = partial(
            collections.page, reader=reader, query=query and storable(query), shared=shared, offset=offset, limit=limit
        )
        return await self._database.read(job)

    async def change(
        self, reader: Reader, collection_id: str, *, name: str | None = None, description: str | None = None
    ) -> Collection:
        """Give a collection another name or description."""
        checked = None if name is None else _checked(name)
        told = None if description is None else storable(description).strip()

        def job(connection: Connection) -> Collection:
            found = find_collection(connection, collection_id, reader, write=True)
            collections.change(connection, found.id, name=checked, description=told)
            return find_collection(connection, found.id, reader)

        return await self._database.write(job)

    async def grant(self, reader: Reader, collection_id: str, grants: Sequence[tuple[str, Permission]]) -> Collection:
        """Replace who else may use a collection; only its owner may, and who sees all."""

        def job(connection: Connection) -> Collection:
            found = owned_collection(connection, collection_id, reader)
            replace_grants(connection, found.id, grants)
            return find_collection(connection, found.id, reader)

        return await self._database.write(job)

    async def link(
        self, reader: Reader, collection_id: str, file_ids: Sequence[str], *, wait: float = 0
    ) -> list[Linked]:
        """Put files into a collection, in this order; those in it already stay.

        A file that isn't completed within `wait` seconds, or isn't the reader's own, is refused; its status stays what
        it is. Raises `UnknownName` for a file that the reader may not read, before any is put in.
        """
        await self.collection(reader, collection_id, write=True)
        await self.wait(reader, file_ids, within=wait)
        job = partial(_link, collection_id=collection_id, file_ids=file_ids, reader=reader)
        return await self._database.write(job)

    async def join(self, reader: Reader, collection_id: str, file_ids: Sequence[str]) -> None:
        """Let the reader's own files join a collection, each as soon as it is completed; what needs it is processed.

        Raises `UnknownName` for a file that isn't the reader's own.
        """
        await self._check(reader, collection_id, process=True)
        job = partial(_join, name=collection_id, reader=reader, embedder=self._embedder(reader.user).name)
        wanted = sorted(set(file_ids))
        for first in range(0, len(wanted), _AT_ONCE):
            await self._database.write(partial(job, file_ids=wanted[first : first + _AT_ONCE]))
        self.resume()

    async def unlink(self, reader: Reader, collection_id: str, file_ids: Sequence[str]) -> None:
        """Take files out of a collection; they stay files. Raises `UnknownName` for one that isn't in it."""

        def job(connection: Connection) -> None:
            found = find_collection(connection, collection_id, reader, write=True)
            inside = {*collections.file_ids(connection, found.id), *_joining(connection, found.id)}
            for missing in (each for each in file_ids if each not in inside):
                raise UnknownName("file", missing)
            collections.unlink(connection, found.id, file_ids)

        await self._database.write(job)

    async def empty(self, reader: Reader, collection_id: str) -> Collection:
        """Take all files out of a collection; they stay files."""

        def job(connection: Connection) -> Collection:
            found = find_collection(connection, collection_id, reader, write=True)
            collections.clear(connection, found.id)
            return find_collection(connection, found.id, reader)

        return await self._database.write(job)

    async def delete_collection(self, reader: Reader, collection_id: str) -> None:
        """Delete a collection; its files stay. Only its owner may, and who sees all."""

        def job(connection: Connection) -> None:
            collections.delete_one(connection, owned_collection(connection, collection_id, reader).id)

        await self._database.write(job)


def _create(
    connection: Connection, collection: Collection, shared: Sequence[tuple[str, Permission]], reader: Reader
) -> Collection:
    if collections.add(connection, collection):
        replace_grants(connection, collection.id, shared)
    made = _of_handle(connection, collection.handle, reader)
    if made is None:
        raise StorageError("The collection could not be stored. Try again.")
    return made


def _of_handle(connection: Connection, handle: str, reader: Reader) -> Collection | None:
    return collections.by_handle(connection, handle, reader.user)


def _joining(connection: Connection, collection_id: str) -> list[str]:
    """Return the files that join a collection once they are completed."""
    found, _ = files.page(
        connection, ANYONE, collection=collection_id, pending=True, own=False, kinds=ALL_KINDS, limit=_MANY
    )
    return [each.id for each in found]


def _link(connection: Connection, collection_id: str, file_ids: Sequence[str], reader: Reader) -> list[Linked]:
    found = find_collection(connection, collection_id, reader, write=True)
    known = find_files(connection, file_ids, reader)
    inside = set(collections.file_ids(connection, found.id))
    refused = {each.id: reason for each in known if each.id not in inside and (reason := _refusal(each, reader))}
    added = set(collections.link(connection, found.id, [each.id for each in known if each.id not in refused]))
    return [_linked(each, added, refused) for each in known]


def _join(connection: Connection, *, name: str, file_ids: Sequence[str], reader: Reader, embedder: str) -> None:
    found = find_collection(connection, name, reader, write=True)
    collections.touch(connection, [found.id])  # before the files: whoever deletes files locks in this order too
    inside = set(collections.file_ids(connection, found.id))
    for file_id in file_ids:
        file = find_file(connection, file_id, reader, write=True, lock=True)
        ready = file.status == "completed"
        if ready:
            collections.link(connection, found.id, [file.id])
        elif file.id not in inside:
            collections.link_later(connection, found.id, file.id)
        if file.status not in UNFINISHED and not (ready and file.embedder == embedder):
            processing.queue(connection, file.id)


def _linked(file: StoredFile, added: set[str], refused: dict[str, str]) -> Linked:
    if file.id in refused:
        return Linked(file=file, status="refused", reason=refused[file.id])
    return Linked(file=file, status="added" if file.id in added else "already")


def _refusal(file: StoredFile, reader: Reader) -> str | None:
    if not reader.sees_all and file.user != reader.user:
        # Else whoever may read a file could give it to others.
        return f"{file.name!r} is another user's, who alone may put it into a collection."
    return why_not_ready(file)


def _checked(name: str) -> str:
    name = visible(" ".join(name.split()))
    if not name:
        raise InvalidRequest("A collection needs a name.", param="name")
    if len(name) > _LONGEST_NAME:
        raise InvalidRequest(f"The collection's name is longer than {_LONGEST_NAME} characters.", param="name")
    return name
