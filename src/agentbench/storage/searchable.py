"""What searches read: the completed files of a scope, and the vectors and terms of their passages."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import or_, select, union_all

from agentbench.protocol.values import Value
from agentbench.storage import tables
from agentbench.storage.globs import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

__all__ = ["IndexRow", "Scope", "SearchableFile", "embedders", "files", "matching", "rows", "versions"]

FILES_A_QUERY = 500
ROWS_AT_ONCE = 2000

_files, _links, _collections, _passages = tables.files, tables.collection_files, tables.collections, tables.passages


class Scope(Value, frozen=True, kw_only=True):
    """Where to search: all files of the collections, and the files besides. Who may read them was asked before."""

    collections: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class SearchableFile(NamedTuple):
    """A completed file, how many passages it has, and how long their vectors are."""

    id: str
    version: int
    passages: int
    dimensions: int | None


class IndexRow(NamedTuple):
    """What is searched of a passage."""

    file: str
    number: int
    text_hash: int
    terms: bytes
    embedding: bytes | None


def versions(connection: Connection, scope: Scope) -> tuple[tuple[str, int], ...]:
    """Return what stays the same for as long as searches in the scope find the same."""
    collections = select(_collections.c.id, _collections.c.version).where(_collections.c.id.in_(scope.collections))
    alone = select(_files.c.id, _files.c.version).where(_files.c.id.in_(scope.files), _files.c.status == "completed")
    found = connection.execute(union_all(collections, alone))
    return tuple(sorted((row.id, row.version) for row in found))


def files(connection: Connection, scope: Scope) -> list[SearchableFile]:
    """Return the completed files of a scope, by id in the order of their characters."""
    query = select(_files.c.id, _files.c.version, _files.c.passages, _files.c.dimensions).where(_within(scope))
    return sorted(SearchableFile(*row) for row in connection.execute(query))


def embedders(connection: Connection, scope: Scope) -> list[str | None]:
    """Return who made the vectors of the scope's completed files, each once."""
    query = select(_files.c.embedder).where(_within(scope)).distinct()
    return sorted(connection.scalars(query), key=lambda name: name or "")


def matching(
    connection: Connection, scope: Scope, *, name: str | None = None, content_type: str | None = None
) -> set[str]:
    """Return the completed files of a scope whose name and content type match (`*` any text, `?` a character)."""
    query = select(_files.c.id).where(_within(scope))
    if name is not None:
        query = query.where(matches(_files.c.search_key, name))
    if content_type is not None:
        query = query.where(matches(_files.c.content_type, content_type))
    return set(connection.scalars(query))


def rows(connection: Connection, file_ids: Sequence[str]) -> Iterator[list[IndexRow]]:
    """Read all passages of files, some at a time."""
    columns = [_passages.c[name] for name in ("file_id", "number", "text_hash", "terms", "embedding")]
    for first in range(0, len(file_ids), FILES_A_QUERY):
        some = _passages.c.file_id.in_(file_ids[first : first + FILES_A_QUERY])
        result = connection.execute(select(*columns).where(some), execution_options={"yield_per": ROWS_AT_ONCE})
        for part in result.partitions():
            yield [IndexRow(*row) for row in part]


def _within(scope: Scope) -> ColumnElement[bool]:
    linked = select(_links.c.file_id).where(_links.c.collection_id.in_(scope.collections))
    return (_files.c.status == "completed") & or_(_files.c.id.in_(linked), _files.c.id.in_(scope.files))
