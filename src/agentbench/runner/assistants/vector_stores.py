"""Vector stores on the library: a store is a collection, and what it finds is what every search here finds.

How files are split, embedded and ranked say the settings of `retrieval`, not the store. A person's own collection can
be named like a store; lists leave it out.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.values import new_id
from agentbench.retrieval.uploads import visible
from agentbench.runner.assistants.store_objects import expires_at, store_object
from agentbench.runner.assistants.stored_files import StoredFiles
from agentbench.storage import collections, vector_stores
from agentbench.storage.collections import Collection
from agentbench.storage.file_texts import storable
from agentbench.storage.grants import Reader
from agentbench.storage.paging import ids_of, listing
from agentbench.storage.vector_stores import Batch, Entry, State, StoredStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Listing
    from agentbench.protocol.assistants.stores import Attributes, ChangeStore, CreateStore, VectorStore
    from agentbench.storage.paging import Page

    Change = Callable[[Connection, StoredStore], StoredStore]

__all__ = ["VectorStores"]

T = TypeVar("T")

_MOST_FILES = 10_000
_MOST_BATCHES = 100
"""Of a store, the newest; nobody asks for others any more."""
_USED_S = 60
"""A store that was used so short a time ago needn't be noted as used again."""


class VectorStores(StoredFiles):
    """Makes, lists, changes and deletes vector stores. All are their owner's alone: others' are `UnknownName`."""

    async def create_store(self, principal: Principal, wanted: CreateStore) -> VectorStore:
        """Make a store; its files join it one by one. Raises `UnknownName` for a file that isn't the caller's own."""
        await self.require_files(principal, wanted.file_ids)
        stored = _new(principal.user, wanted)
        await self._database.write(lambda connection: vector_stores.add(connection, stored))
        if wanted.file_ids:
            await self._put(principal, stored.id, dict.fromkeys(wanted.file_ids))
        return await self.store(principal, stored.id)

    async def stores(self, principal: Principal, page: Page) -> Listing:
        """Return the caller's stores."""

        def job(connection: Connection) -> list[VectorStore]:
            ids = ids_of(vector_stores.ids(connection, principal.user), page)
            return [_object(connection, _found(connection, each, principal.user)) for each in ids]

        return listing(await self._database.read(job), page)

    async def store(self, principal: Principal, store_id: str) -> VectorStore:
        """Return a store."""
        return await self._read(principal, store_id, _object)

    async def change_store(self, principal: Principal, store_id: str, wanted: ChangeStore) -> VectorStore:
        """Give a store another name, metadata or life."""

        def change(_: Connection, stored: StoredStore) -> StoredStore:
            state = replace(stored.state, active=_now())
            if wanted.metadata is not UNSET:
                state = replace(state, metadata=wanted.metadata or {})
            if wanted.expires_after is not UNSET:
                state = replace(state, days=wanted.expires_after and wanted.expires_after.days)
            name = stored.collection.name if wanted.name is UNSET else _name(wanted.name, stored.id)
            return StoredStore(collection=replace(stored.collection, name=name), state=state)

        await self._change(principal, store_id, change)
        return await self.store(principal, store_id)

    async def delete_store(self, principal: Principal, store_id: str) -> None:
        """Delete a store; its files stay."""

        def job(connection: Connection) -> None:
            collections.delete_one(connection, _found(connection, store_id, principal.user, lock=True).id)

        await self._database.write(job)

    async def use_store(self, user: str, store_id: str) -> StoredStore:
        """Return a user's store that is to be searched, and note that it was; raises `InvalidRequest` if it expired."""
        stored = await self._database.read(lambda connection: _found(connection, store_id, user))
        _require_alive(stored)
        if _now() - stored.active >= _USED_S:

            def job(connection: Connection) -> None:
                now = _found(connection, store_id, user, lock=True)
                vector_stores.save(connection, replace(now, state=replace(now.state, active=_now())))

            await self._database.write(job)
        return stored

    async def _put(
        self, principal: Principal, store_id: str, wanted: Mapping[str, Attributes | None], *, batch: str | None = None
    ) -> None:
        """Let the caller's own files join a store, each with its attributes, under the name of a batch if there is one.

        Raises `UnknownName` for a file that isn't the caller's, and `InvalidRequest` where a store is full or expired.
        """
        await self.require_files(principal, wanted)
        now = time.time()
        new = {each: Entry(added=now, attributes=attributes or {}) for each, attributes in wanted.items()}

        def change(connection: Connection, stored: StoredStore) -> StoredStore:
            _require_alive(stored)
            files = _with_entries(connection, stored, new)
            made = {} if batch is None else {batch: Batch(created=int(now), files=tuple(new))}
            batches = dict([*stored.state.batches.items(), *made.items()][-_MOST_BATCHES:])
            return replace(stored, state=replace(stored.state, files=files, batches=batches, active=int(now)))

        await self._change(principal, store_id, change)
        await self._library.join(Reader(principal.user), store_id, list(new))

    async def _read(self, principal: Principal, store_id: str, job: Callable[[Connection, StoredStore], T]) -> T:
        """Return what is read of a store."""
        return await self._database.read(
            lambda connection: job(connection, _found(connection, store_id, principal.user))
        )

    async def _change(self, principal: Principal, store_id: str, change: Change) -> None:
        """Store what becomes of a store."""

        def job(connection: Connection) -> None:
            stored = _found(connection, store_id, principal.user, lock=True)
            vector_stores.save(connection, change(connection, stored))

        await self._database.write(job)


def _with_entries(connection: Connection, stored: StoredStore, new: Mapping[str, Entry]) -> dict[str, Entry]:
    """Return what is known of a store's files with that of new ones; raises `InvalidRequest` where it is full."""
    files = {**stored.state.files, **new}
    if len(files) > _MOST_FILES:  # by those that are gone, perhaps
        here = {each.id for each in vector_stores.members(connection, stored)} | set(new)
        files = {each: entry for each, entry in files.items() if each in here}
    if len(files) > _MOST_FILES:
        raise InvalidRequest(f"A vector store takes {_MOST_FILES:,} files. Make another one.")
    return files


def _new(user: str, wanted: CreateStore) -> StoredStore:
    made, now = new_id("vs"), datetime.now(UTC)
    days = None if wanted.expires_after is None else wanted.expires_after.days
    return StoredStore(
        collection=Collection(
            id=made,
            user=user,
            handle=made,
            kind="vector_store",
            name=_name(wanted.name, made),
            description=storable(wanted.description or "").strip(),
            created_at=now,
            updated_at=now,
        ),
        state=State(metadata=wanted.metadata or {}, days=days, active=int(now.timestamp())),
    )


def _name(given: str | None, store_id: str) -> str:
    """Return a store's name; one without is called by its id, also in messages."""
    return visible(" ".join((given or "").split())) or store_id


def _found(connection: Connection, store_id: str, user: str, *, lock: bool = False) -> StoredStore:
    found = vector_stores.get(connection, store_id, user, lock=lock) if storable(store_id) == store_id else None
    if found is None:
        raise UnknownName("vector store", store_id)
    return found


def _object(connection: Connection, stored: StoredStore) -> VectorStore:
    return store_object(stored, vector_stores.members(connection, stored))


def _require_alive(stored: StoredStore) -> None:
    ends = expires_at(stored)
    if ends is not None and ends <= time.time():
        message = (
            f"The vector store {stored.collection.name!r} has expired. Change its `expires_after`, or make another."
        )
        raise InvalidRequest(message, param="vector_store_id")


def _now() -> int:
    return int(time.time())
