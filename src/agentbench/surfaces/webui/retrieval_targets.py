"""What clients of `/retrieval` call collections: an id, a name, `file-{id}`, or a name that they make up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.surfaces.webui.file_bodies import SCOPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.retrieval.library import Library
    from agentbench.storage.collections import Collection
    from agentbench.storage.grants import Reader

__all__ = ["Scope", "scope_of", "target_of"]

_HANDLE = re.compile(r"[A-Za-z0-9_-]{1,200}")
_ID = re.compile(r"[a-z]+_[0-9a-f]{32}")


class Scope(NamedTuple):
    """Where to search."""

    files: list[str]
    collections: list[str]


def scope_of(names: Iterable[str]) -> Scope:
    """Return which files and collections are meant; `file-{id}` is what one file holds."""
    scope = Scope([], [])
    for name in names:
        if name.startswith(SCOPE):
            scope.files.append(name.removeprefix(SCOPE))
        else:
            scope.collections.append(name)
    return scope


async def target_of(library: Library, reader: Reader, name: str) -> Collection:
    """Return the collection to write in; a name that nobody uses yet makes one, which only the reader has.

    Raises `UnknownName` for what looks like the id of a collection, as that is never made up.
    """
    if name.startswith(SCOPE):
        raise InvalidRequest(f"{name!r} holds one file and nothing else.", param="collection_name")
    try:
        return await library.collection(reader, name, write=True)
    except UnknownName:
        if _ID.fullmatch(name):
            raise
    if not _HANDLE.fullmatch(name):
        raise InvalidRequest("Name the collection with letters, digits, - and _.", param="collection_name")
    return await library.create(reader, name, handle=name, kind="scratch")
