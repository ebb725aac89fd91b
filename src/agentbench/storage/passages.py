"""Passages: the pieces of files that searches find, each by its file and its number in it, from 0.

A search looks only into files that are completed; what it reads of passages is in `searchable`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, false, func, insert, or_, select, update

from agentbench.protocol.values import Value
from agentbench.storage import tables
from agentbench.storage.file_texts import storable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Select

__all__ = ["NewPassage", "Passage", "add_vectors", "count", "forget_vectors", "of", "replace", "unembedded"]

_table, _files = tables.passages, tables.files


class NewPassage(Value, frozen=True, kw_only=True):
    """A passage before it is stored; `terms` and `text_hash` are for the text index (`retrieval/terms.py`)."""

    text: str
    start: int
    end: int
    page: int | None = None
    heading: str | None = None
    text_hash: int
    terms: bytes


class Passage(Value, frozen=True, kw_only=True):
    """A stored passage, with its file's name and address."""

    file: str
    number: int
    text: str
    start: int
    end: int
    page: int | None = None
    heading: str | None = None
    name: str
    url: str | None = None


def replace(connection: Connection, file_id: str, passages: Sequence[NewPassage]) -> None:
    """Give a file these passages, in place of those that it had; they have no vectors yet."""
    connection.execute(delete(_table).where(_table.c.file_id == file_id))
    rows = [
        {
            "file_id": file_id,
            "number": number,
            "text": storable(each.text),
            "start": each.start,
            "end": each.end,
            "page": each.page,
            "heading": each.heading and storable(each.heading),
            "text_hash": each.text_hash,
            "terms": each.terms,
        }
        for number, each in enumerate(passages)
    ]
    if rows:
        connection.execute(insert(_table), rows)


def count(connection: Connection, file_id: str) -> tuple[int, int]:
    """Return how many passages a file has, and how many of them have their vectors."""
    query = select(func.count(), func.count(_table.c.embedding)).where(_table.c.file_id == file_id)
    row = connection.execute(query).one()
    return row[0], row[1]


def unembedded(connection: Connection, file_id: str, limit: int) -> list[Passage]:
    """Return the first passages of a file that have no vector yet."""
    query = _query().where(_table.c.file_id == file_id, _table.c.embedding.is_(None))
    rows = connection.execute(query.order_by(_table.c.number).limit(limit)).mappings()
    return [Passage(**row) for row in rows]


def add_vectors(connection: Connection, file_id: str, vectors: Mapping[int, bytes]) -> None:
    """Store vectors by the passages' numbers: little-endian float32 of length 1, the same dimensions in a file."""
    if not vectors:
        return
    one = (_table.c.file_id == bindparam("of_file")) & (_table.c.number == bindparam("of_number"))
    rows = [{"of_file": file_id, "of_number": number, "embedding": data} for number, data in vectors.items()]
    connection.execute(update(_table).where(one).values(embedding=bindparam("embedding")), rows)


def forget_vectors(connection: Connection, file_id: str) -> None:
    """Take all vectors of a file away."""
    connection.execute(update(_table).where(_table.c.file_id == file_id).values(embedding=None))


def of(connection: Connection, keys: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Passage]:
    """Return passages by their files and numbers; those that aren't there are left out."""
    # Not as pairs: SQLite would read the whole table.
    each = [(_table.c.file_id == file_id) & (_table.c.number == number) for file_id, number in keys]
    found = (Passage(**row) for row in connection.execute(_query().where(or_(false(), *each))).mappings())
    return {(each.file, each.number): each for each in found}


def _query() -> Select[Any]:
    fields = [_table.c[name] for name in ("number", "text", "start", "end", "page", "heading")]
    return select(_table.c.file_id.label("file"), *fields, _files.c.name, _files.c.url).join(
        _files, _files.c.id == _table.c.file_id
    )
