"""Which files and collections a reader may read or write, as conditions of queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import exists, or_, select, true

from agentbench.storage import tables
from agentbench.storage.grants import EVERYONE

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from agentbench.storage.grants import Reader

__all__ = ["collection_access", "file_access", "granted"]

_files, _collections, _links, _grants = tables.files, tables.collections, tables.collection_files, tables.grants


def file_access(reader: Reader, *, write: bool = False) -> ColumnElement[bool]:
    """Own files, and to read also those of collections that the reader may read."""
    if reader.sees_all:
        return true()
    own = _files.c.user == reader.user
    if write:
        return own
    holding = select(_links.c.file_id).join(_collections, _collections.c.id == _links.c.collection_id)
    return or_(own, _files.c.id.in_(holding.where(collection_access(reader))))


def collection_access(reader: Reader, *, write: bool = False) -> ColumnElement[bool]:
    """Own collections, and those that are granted to the reader or to everyone."""
    if reader.sees_all:
        return true()
    return or_(_collections.c.user == reader.user, granted(reader, write=write))


def granted(reader: Reader, *, write: bool = False) -> ColumnElement[bool]:
    """Collections that a grant opens to the reader."""
    grant = (_grants.c.collection_id == _collections.c.id) & _grants.c.user.in_((reader.user, EVERYONE))
    if write:
        grant &= _grants.c.permission == "write"
    return exists().where(grant)
