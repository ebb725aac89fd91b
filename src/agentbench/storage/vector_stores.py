"""Vector stores: collections as clients of OpenAI's API know them, with what only those clients know of them.

Which files are in one say the collection's own tables, so that every search finds the same. Its `meta` keeps the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from sqlalchemy import select

from agentbench.protocol.values import Value
from agentbench.storage import collections, tables
from agentbench.storage.collections import Collection
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row, Select

    from agentbench.protocol.assistants.stores import FileState
    from agentbench.storage.files import FileStatus

__all__ = ["Batch", "Entry", "Member", "State", "StoredStore", "add", "get", "ids", "members", "save"]

_table, _files = tables.collections, tables.files
_links, _pending = tables.collection_files, tables.pending_links
_KEY = "vector_store"


class Entry(Value, frozen=True, kw_only=True, omit_defaults=True):
    """When a file was put in, its attributes there, and whether that was cancelled before it could be searched."""

    added: float
    attributes: dict[str, str | bool | int | float] = {}
    cancelled: bool = False


class Batch(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Files that were put in together."""

    created: int
    files: tuple[str, ...]
    cancelled: bool = False


class State(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What clients wrote of a store: `days` it is kept after it was `active` last, in seconds since 1970."""

    metadata: dict[str, str] = {}
    days: int | None = None
    active: int | None = None
    files: dict[str, Entry] = {}
    batches: dict[str, Batch] = {}


class StoredStore(Value, frozen=True, kw_only=True):
    """A collection and what clients wrote of it."""

    collection: Collection
    state: State

    @property
    def id(self) -> str:
        """The collection's."""
        return self.collection.id

    @property
    def active(self) -> int:
        """When it was used last."""
        return self.state.active or int(self.collection.created_at.timestamp())


class Member(NamedTuple):
    """A file of a store: how far it is there, when it was put in, and its attributes there."""

    id: str
    status: FileState
    added: float
    attributes: dict[str, str | bool | int | float]
    size: int
    content_type: str
    passages: int
    error: str | None


def add(connection: Connection, stored: StoredStore) -> None:
    """Store a new one without files."""
    collections.add(connection, msgspec.structs.replace(stored.collection, meta=_meta(stored)))


def get(connection: Connection, store_id: str, user: str, *, lock: bool = False) -> StoredStore | None:
    """Return a user's own store, which may be any collection with a name; None if there is none.

    With `lock`, nobody else changes it until the transaction ends.
    """
    if lock:
        connection.execute(select(_table.c.id).where(_table.c.id == store_id).with_for_update(key_share=True))
    found = collections.get(connection, store_id, Reader(user))
    if found is None or found.user != user or found.kind == "scratch":
        return None
    return StoredStore(collection=found, state=msgspec.convert(found.meta.get(_KEY, {}), State))


def ids(connection: Connection, user: str) -> list[str]:
    """Return the ids of a user's stores, oldest first."""
    query = select(_table.c.id).where(_table.c.user == user, _table.c.kind == "vector_store")
    return list(connection.scalars(query.order_by(_table.c.created_at, _table.c.id)))


def save(connection: Connection, stored: StoredStore) -> None:
    """Store a store's name and state; which files are in it stays as it is."""
    collections.change(connection, stored.id, name=stored.collection.name, meta=_meta(stored))


def members(connection: Connection, stored: StoredStore, only: Sequence[str] | None = None) -> list[Member]:
    """Return the files of a store, also those that have yet to join it, or `only` those; oldest first."""
    files = stored.state.files
    cancelled = [each for each, entry in files.items() if entry.cancelled]
    found: dict[str, Member] = {}
    for row in connection.execute(_rows(cancelled, only)) if cancelled else ():
        found[row.id] = _member(row, "cancelled", files.get(row.id))
    for links in (_pending, _links):
        inside = select(links.c.file_id).where(links.c.collection_id == stored.id)
        for row in connection.execute(_rows(inside, only)):
            found[row.id] = _member(row, _state(row.status, joined=links is _links), files.get(row.id))
    return sorted(found.values(), key=lambda each: (each.added, each.id))


def _rows(which: Sequence[str] | Select[tuple[str]], only: Sequence[str] | None) -> Select[Any]:
    query = select(_files).where(_files.c.id.in_(which))
    return query if only is None else query.where(_files.c.id.in_(only))


def _member(row: Row[Any], status: FileState, entry: Entry | None) -> Member:
    return Member(
        id=row.id,
        status=status,
        added=row.created_at.timestamp() if entry is None else entry.added,
        attributes={} if entry is None else entry.attributes,
        size=row.size,
        content_type=row.content_type,
        passages=row.passages,
        error=row.error,
    )


def _state(status: FileStatus, *, joined: bool) -> FileState:
    if status == "failed":
        return "failed"
    return "completed" if joined and status == "completed" else "in_progress"


def _meta(stored: StoredStore) -> dict[str, Any]:
    return stored.collection.meta | {_KEY: msgspec.to_builtins(stored.state)}
