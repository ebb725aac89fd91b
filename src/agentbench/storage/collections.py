"""Collections: files that are searched together, under a name.

Nothing here asks who may do it but what takes a `Reader`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from agentbench.protocol.values import Value
from agentbench.storage import grants, tables
from agentbench.storage.access import collection_access, granted
from agentbench.storage.globs import matches, search_key
from agentbench.storage.grants import Grant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Select

    from agentbench.storage.grants import Reader

__all__ = [
    "Collection",
    "add",
    "by_handle",
    "by_name",
    "change",
    "clear",
    "delete_one",
    "file_ids",
    "get",
    "known",
    "link",
    "link_later",
    "lock_awaited",
    "page",
    "touch",
    "touch_holding",
    "unfinished",
    "unlink",
]

_table, _links, _pending = tables.collections, tables.collection_files, tables.pending_links


class Collection(Value, frozen=True, kw_only=True):
    """A collection and how many files it has.

    `handle` is what clients call it: a `knowledge` collection by its id, a `scratch` one (made by a client that
    processes a text or a web page) by a name that is its owner's alone. A `vector_store` is what clients of OpenAI's
    API made; lists for people leave it out.
    """

    id: str
    user: str
    handle: str
    kind: Literal["knowledge", "scratch", "vector_store"] = "knowledge"
    name: str
    description: str = ""
    meta: dict[str, Any] = {}
    version: int = 0
    files: int = 0
    grants: tuple[Grant, ...] = ()
    created_at: datetime
    updated_at: datetime


def add(connection: Connection, collection: Collection) -> bool:
    """Store a new collection without files and grants; False if its owner has one of that handle already."""
    values = asdict(collection) | {"meta": _json(collection.meta)}
    values["search_key"] = _search_key(collection.name, collection.description)
    del values["files"], values["grants"]
    try:
        with connection.begin_nested():
            connection.execute(insert(_table), values)
    except IntegrityError:
        return False
    return True


def get(connection: Connection, collection_id: str, reader: Reader, *, write: bool = False) -> Collection | None:
    """Return a collection; None if there is none that the reader may read, or write."""
    found = _all(connection, (_table.c.id == collection_id) & collection_access(reader, write=write))
    return found[0] if found else None


def known(connection: Connection, collection_ids: Sequence[str], reader: Reader) -> list[Collection]:
    """Return those of the collections that the reader may read, in the order of their ids as given."""
    found = _all(connection, _table.c.id.in_(collection_ids) & collection_access(reader))
    by_id = {each.id: each for each in found}
    return [by_id[each] for each in dict.fromkeys(collection_ids) if each in by_id]


def by_handle(connection: Connection, handle: str, user: str) -> Collection | None:
    """Return the user's own collection of that handle."""
    found = _all(connection, (_table.c.user == user) & (_table.c.handle == handle))
    return found[0] if found else None


def by_name(connection: Connection, name: str, user: str) -> list[Collection]:
    """Return the user's own knowledge collections of exactly that name, oldest first."""
    return _all(connection, (_table.c.user == user) & (_table.c.name == name) & (_table.c.kind == "knowledge"))


def page(
    connection: Connection,
    reader: Reader,
    *,
    query: str | None = None,
    shared: bool | None = None,
    offset: int = 0,
    limit: int = 30,
) -> tuple[list[Collection], int]:
    """Return knowledge collections that the reader may read, last changed first, and how many there are in all.

    `query` is a part of the name or description. `shared` leaves only those of others, False only the reader's own.
    """
    condition = (_table.c.kind == "knowledge") & collection_access(reader)
    if query:
        condition &= matches(_table.c.search_key, f"*{query}*")
    if shared is not None:
        condition &= (_table.c.user != reader.user) & granted(reader) if shared else _table.c.user == reader.user
    total = connection.scalar(select(func.count()).select_from(_table).where(condition)) or 0
    ordered = _query(condition).order_by(_table.c.updated_at.desc(), _table.c.id).offset(offset).limit(limit)
    return _loaded(connection, ordered), total


def change(
    connection: Connection,
    collection_id: str,
    *,
    name: str | None = None,
    description: str | None = None,
    meta: dict[str, Any] | None = None,
) -> None:
    """Give a collection another name, description or `meta`."""
    there = connection.execute(select(_table.c.name, _table.c.description).where(_table.c.id == collection_id)).first()
    if there is None:
        return
    values: dict[str, Any] = {
        "name": there.name if name is None else name,
        "description": there.description if description is None else description,
        "updated_at": datetime.now(UTC),
    }
    values["search_key"] = _search_key(values["name"], values["description"])
    if meta is not None:
        values["meta"] = _json(meta)
    connection.execute(update(_table).where(_table.c.id == collection_id).values(values))


def delete_one(connection: Connection, collection_id: str) -> bool:
    """Delete a collection and its grants; its files stay. False if there was none."""
    return connection.execute(delete(_table).where(_table.c.id == collection_id)).rowcount > 0


def link(connection: Connection, collection_id: str, files: Sequence[str]) -> list[str]:
    """Put files into a collection; returns the ids of those that weren't in it."""
    # It can't be deleted before the commit, and two that link the same file do so one after the other.
    if (
        connection.scalar(select(_table.c.id).where(_table.c.id == collection_id).with_for_update(key_share=True))
        is None
    ):
        return []
    linked = select(_links.c.file_id).where(_links.c.collection_id == collection_id)
    missing = select(tables.files.c.id).where(tables.files.c.id.in_(files), tables.files.c.id.not_in(linked))
    new = set(connection.scalars(missing))
    now = datetime.now(UTC)
    ordered = [each for each in dict.fromkeys(files) if each in new]
    if ordered:
        rows = [{"collection_id": collection_id, "file_id": each, "added_at": now} for each in ordered]
        connection.execute(insert(_links), rows)
        touch(connection, [collection_id])
    return ordered


def link_later(connection: Connection, collection_id: str, file_id: str) -> None:
    """Let a file join a collection once it is completed."""
    row = {"collection_id": collection_id, "file_id": file_id}
    here = (_pending.c.collection_id == collection_id) & (_pending.c.file_id == file_id)
    if connection.scalar(select(_pending.c.file_id).where(here)) is None:
        connection.execute(insert(_pending), row)


def unlink(connection: Connection, collection_id: str, files: Sequence[str]) -> int:
    """Take files out of a collection, also those that have yet to join it; returns how many were in it."""
    touch(connection, [collection_id])
    connection.execute(delete(_pending).where(_pending.c.collection_id == collection_id, _pending.c.file_id.in_(files)))
    gone = delete(_links).where(_links.c.collection_id == collection_id, _links.c.file_id.in_(files))
    return connection.execute(gone).rowcount


def clear(connection: Connection, collection_id: str) -> list[str]:
    """Take all files out of a collection; returns their ids."""
    files = file_ids(connection, collection_id)
    touch(connection, [collection_id])
    for table in (_links, _pending):
        connection.execute(delete(table).where(table.c.collection_id == collection_id))
    return files


def file_ids(connection: Connection, collection_id: str) -> list[str]:
    """Return the files of a collection, in the order in which they were added."""
    query = select(_links.c.file_id).where(_links.c.collection_id == collection_id)
    return list(connection.scalars(query.order_by(_links.c.added_at, _links.c.file_id)))


def unfinished(connection: Connection, collection_id: str, user: str) -> list[str]:
    """Return the files of a collection that wait or are processed, and the user's own that will join it."""
    files = tables.files.c
    inside = select(_links.c.file_id).where(_links.c.collection_id == collection_id)
    joining = select(_pending.c.file_id).where(_pending.c.collection_id == collection_id)
    here = files.id.in_(inside) | (files.id.in_(joining) & (files.user == user))
    return list(connection.scalars(select(files.id).where(files.status.in_(("pending", "processing")), here)))


def touch(connection: Connection, collection_ids: Iterable[str]) -> bool:
    """Note that collections were changed, so that no search goes by what they were; False if there are none."""
    ids = sorted(set(collection_ids))
    values = {"version": _table.c.version + 1, "updated_at": datetime.now(UTC)}
    # One by one, in order: two writers that each lock the other's next row would wait for ever.
    changed = [connection.execute(update(_table).where(_table.c.id == each).values(values)).rowcount for each in ids]
    return sum(changed) > 0


def lock_awaited(connection: Connection, file_id: str) -> list[str]:
    """Return the collections that a file has yet to join, and keep them and those that hold it from being changed."""
    awaited = list(connection.scalars(select(_pending.c.collection_id).where(_pending.c.file_id == file_id)))
    holding = select(_links.c.collection_id).where(_links.c.file_id == file_id)
    both = or_(_table.c.id.in_(awaited), _table.c.id.in_(holding))
    connection.execute(select(_table.c.id).where(both).order_by(_table.c.id).with_for_update(key_share=True))
    return awaited


def touch_holding(connection: Connection, files: Sequence[str]) -> None:
    """Note a change of all collections that hold one of the files."""
    touch(connection, connection.scalars(select(_links.c.collection_id).where(_links.c.file_id.in_(files))))


def _all(connection: Connection, condition: ColumnElement[bool]) -> list[Collection]:
    return _loaded(connection, _query(condition).order_by(_table.c.created_at, _table.c.id))


def _query(condition: ColumnElement[bool]) -> Select[Any]:
    count = select(func.count()).select_from(_links).where(_links.c.collection_id == _table.c.id)
    return select(_table, count.scalar_subquery().label("files")).where(condition)


def _loaded(connection: Connection, query: Select[Any]) -> list[Collection]:
    rows = connection.execute(query).mappings().all()
    by_collection: dict[str, list[Grant]] = {row["id"]: [] for row in rows}
    for grant in grants.of(connection, list(by_collection)):
        by_collection[grant.collection].append(grant)
    return [_collection(row, by_collection[row["id"]]) for row in rows]


def _collection(row: Any, granted_to: Sequence[Grant]) -> Collection:
    values = {field: row[field] for field in Collection.__struct_fields__ if field != "grants"}
    return Collection(**values | {"meta": msgspec.json.decode(values["meta"]), "grants": tuple(granted_to)})


def _search_key(name: str, description: str) -> str:
    return search_key(f"{name}\n{description}")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
