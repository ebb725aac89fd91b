"""Files: their names, their bytes, and how far they are. What was read out of them is in `file_texts`.

Who works on which file is decided in `processing`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete, func, insert, select, update

from agentbench.protocol.values import Value
from agentbench.storage import collections, tables
from agentbench.storage.access import file_access
from agentbench.storage.globs import matches, search_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection, Select

    from agentbench.storage.grants import Reader

__all__ = [
    "PART_SIZE",
    "FileKind",
    "FileStatus",
    "StoredFile",
    "add",
    "change",
    "delete_all",
    "get",
    "known",
    "page",
    "part",
    "stored_file",
    "with_purpose",
]

FileStatus = Literal["stored", "pending", "processing", "completed", "failed"]
"""`stored`: nobody asked to process it; `pending`: it waits for its turn."""

FileKind = Literal["upload", "text", "web"]

PART_SIZE = 1024 * 1024
"""Bytes of a file to a row; the last part has the rest."""

_table, _parts = tables.files, tables.file_parts


class StoredFile(Value, frozen=True, kw_only=True):
    """A file without its bytes and text; `size` is in bytes, `digest` their SHA-256, `characters` the text's length.

    `embedder` made its vectors (`endpoint/model`), which have `dimensions`. `error` says why it failed.
    """

    id: str
    user: str
    name: str
    kind: FileKind = "upload"
    url: str | None = None
    content_type: str
    size: int
    digest: str
    status: FileStatus
    error: str | None = None
    text_digest: str | None = None
    characters: int = 0
    passages: int = 0
    embedder: str | None = None
    dimensions: int | None = None
    meta: dict[str, Any] = {}
    created_at: datetime
    updated_at: datetime


def add(connection: Connection, file: StoredFile, parts: Iterable[bytes], *, joins: Sequence[str] = ()) -> None:
    """Store a file with its bytes, in parts of `PART_SIZE`; it joins the collections `joins` once it is completed."""
    values = asdict(file) | {"meta": _json(file.meta), "search_key": search_key(file.name)}
    connection.execute(insert(_table), values | {"version": 0, "attempts": 0})
    for number, data in enumerate(parts):
        connection.execute(insert(_parts), {"file_id": file.id, "number": number, "data": data})
    for collection_id in joins:
        collections.link_later(connection, collection_id, file.id)


def get(
    connection: Connection, file_id: str, reader: Reader, *, write: bool = False, lock: bool = False
) -> StoredFile | None:
    """Return a file; None if there is none that the reader may read, or write.

    With `lock`, nobody else changes it until the transaction ends.
    """
    query = select(_table).where(_table.c.id == file_id, file_access(reader, write=write))
    query = query.with_for_update(key_share=True) if lock else query
    row = connection.execute(query).mappings().one_or_none()
    return stored_file(row) if row else None


def known(connection: Connection, file_ids: Sequence[str], reader: Reader) -> list[StoredFile]:
    """Return those of the files that the reader may read, in the order of their ids as given."""
    query = select(_table).where(_table.c.id.in_(file_ids), file_access(reader))
    found = {row["id"]: stored_file(row) for row in connection.execute(query).mappings()}
    return [found[each] for each in dict.fromkeys(file_ids) if each in found]


def page(
    connection: Connection,
    reader: Reader,
    *,
    glob: str | None = None,
    collection: str | None = None,
    pending: bool = False,
    own: bool = True,
    kinds: Sequence[FileKind] = ("upload",),
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[StoredFile], int]:
    """Return files that the reader may read, last changed first, and how many there are in all.

    `own` leaves out those of others. `collection` has those in a collection or, if `pending`, those that will join it.
    """
    query = select(_table).where(_table.c.kind.in_(kinds), file_access(reader))
    if own:
        query = query.where(_table.c.user == reader.user)
    if glob is not None:
        query = query.where(matches(_table.c.search_key, glob))
    if collection is not None:
        links = tables.pending_links if pending else tables.collection_files
        query = query.where(_table.c.id.in_(select(links.c.file_id).where(links.c.collection_id == collection)))
    ordered = query.order_by(_table.c.updated_at.desc(), _table.c.id).offset(offset).limit(limit)
    return [stored_file(row) for row in connection.execute(ordered).mappings()], _count(connection, query)


def with_purpose(connection: Connection, user: str, purpose: str | None = None) -> list[str]:
    """Return the ids of a user's files whose `meta` begins with that purpose, or with any; oldest first."""
    begins = '{"purpose":"' if purpose is None else _json({"purpose": purpose})[:-1]
    query = select(_table.c.id).where(_table.c.user == user, _table.c.meta.startswith(begins, autoescape=True))
    return list(connection.scalars(query.order_by(_table.c.created_at, _table.c.id)))


def part(connection: Connection, file_id: str, number: int) -> bytes | None:
    """Return a part of a file's bytes, counted from 0; None after the last."""
    query = select(_parts.c.data).where(_parts.c.file_id == file_id, _parts.c.number == number)
    data: bytes | None = connection.scalar(query)
    return data


def change(
    connection: Connection, file_id: str, *, name: str | None = None, meta: dict[str, Any] | None = None
) -> None:
    """Give a file another name or other `meta`."""
    values: dict[str, Any] = {"updated_at": datetime.now(UTC)}
    if name is not None:
        values |= {"name": name, "search_key": search_key(name)}
    if meta is not None:
        values["meta"] = _json(meta)
    connection.execute(update(_table).where(_table.c.id == file_id).values(values))


def delete_all(connection: Connection, file_ids: Sequence[str]) -> int:
    """Delete files with all that was made of them; returns how many there were."""
    collections.touch_holding(connection, file_ids)
    return connection.execute(delete(_table).where(_table.c.id.in_(file_ids))).rowcount


def stored_file(row: Any) -> StoredFile:
    """Make the value of a row of `files`."""
    values = {field: row[field] for field in StoredFile.__struct_fields__}
    return StoredFile(**values | {"meta": msgspec.json.decode(values["meta"])})


def _count(connection: Connection, query: Select[Any]) -> int:
    return connection.scalar(select(func.count()).select_from(query.subquery())) or 0


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
