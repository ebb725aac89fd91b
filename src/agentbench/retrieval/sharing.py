"""What a reader may use: files and collections by their names, and why they can't be used as they are.

What a reader may not read is told apart from what isn't there by nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest, PermissionDenied, UnknownName
from agentbench.storage import collections, files
from agentbench.storage.file_texts import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from agentbench.storage.collections import Collection
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Reader

__all__ = ["find_collection", "find_file", "find_files", "owned_collection", "why_not_ready"]


def find_file(
    connection: Connection, file_id: str, reader: Reader, *, write: bool = False, lock: bool = False
) -> StoredFile:
    """Return a file; raises `UnknownName` if there is none that the reader may read, or write.

    With `lock`, nobody else changes it until the transaction ends.
    """
    found = files.get(connection, file_id, reader, write=write, lock=lock) if _can_be(file_id) else None
    if found is None:
        raise UnknownName("file", file_id)
    return found


def find_files(connection: Connection, file_ids: Sequence[str], reader: Reader) -> list[StoredFile]:
    """Return files, each once; raises `UnknownName` for the first that the reader may not read."""
    found = files.known(connection, [each for each in file_ids if _can_be(each)], reader)
    known = {each.id for each in found}
    for missing in (each for each in file_ids if each not in known):
        raise UnknownName("file", missing)
    return found


def find_collection(connection: Connection, name: str, reader: Reader, *, write: bool = False) -> Collection:
    """Return the collection of an id, or the reader's own of a handle or name.

    Raises `UnknownName` if there is none that the reader may read, `PermissionDenied` if it may be read but is to be
    written, `InvalidRequest` if several of the reader's have that name.
    """
    if not _can_be(name):
        raise UnknownName("collection", name)
    found = collections.get(connection, name, reader) or _named(connection, name, reader)
    if write and collections.get(connection, found.id, reader, write=True) is None:
        raise PermissionDenied(f"The collection {found.name!r} may be read, not changed. Ask its owner.")
    return found


def owned_collection(connection: Connection, name: str, reader: Reader) -> Collection:
    """Return a collection for what only its owner may do, and who sees all; raises `PermissionDenied` for others."""
    found = find_collection(connection, name, reader)
    if not reader.sees_all and found.user != reader.user:
        raise PermissionDenied(f"The collection {found.name!r} is another user's, who alone may do this.")
    return found


def why_not_ready(file: StoredFile) -> str | None:
    """Return why a file can't be searched or joined to a collection, and what to do; None if it can."""
    match file.status:
        case "completed":
            return None
        case "failed":
            return f"{file.name!r} could not be processed: {file.error} Process it again, or leave it out."
        case "stored":
            return f"{file.name!r} was not processed yet. Process it first."
        case _:
            return f"{file.name!r} is still {file.status}. Wait until it is completed."


def _can_be(name: str) -> bool:
    """Tell whether a database takes a name at all."""
    return storable(name) == name


def _named(connection: Connection, name: str, reader: Reader) -> Collection:
    of_handle = collections.by_handle(connection, name, reader.user)
    found = [of_handle] if of_handle else collections.by_name(connection, name, reader.user)
    if not found:
        own, _ = collections.page(connection, reader, shared=False)
        raise UnknownName("collection", name, [each.name for each in own])
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise InvalidRequest(f"{len(found)} collections are called {name!r}. Name one by its id: {ids}.")
    return found[0]
