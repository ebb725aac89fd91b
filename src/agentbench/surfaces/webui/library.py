"""How these routes reach the library: for whom, what only administrators may, and which page of a list is meant."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta

from agentbench.errors import PermissionDenied, UnknownName
from agentbench.protocol.values import Value
from agentbench.surfaces.webui.base import reader_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentbench.auth.principal import Principal
    from agentbench.retrieval.library import Library
    from agentbench.runner import Runner
    from agentbench.storage.collections import Collection
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Reader

__all__ = [
    "EMPTY",
    "EVERY_KIND",
    "Paged",
    "delete_every_file",
    "every_collection",
    "every_file",
    "library_of",
    "require_administrator",
]

EMPTY = "The content provided is empty. Please ensure that there is text or data present before proceeding."
"""What clients look for where a file holds nothing."""

EVERY_KIND: Final = ("upload", "text", "web")
_AT_A_TIME = 1000


class Paged(Value, frozen=True, kw_only=True):
    """Which page of a list is meant, from 1 on."""

    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


def library_of(runner: Runner, principal: Principal) -> tuple[Library, Reader]:
    """Return the library, and whose files and collections the caller means."""
    return runner.library, reader_of(principal, runner.catalog.retrieval)


def require_administrator(principal: Principal) -> None:
    """Raise `PermissionDenied` unless an administrator asks."""
    if not principal.is_administrator:
        raise PermissionDenied("Only an administrator may do this.")


async def every_file(library: Library, reader: Reader, **which: Any) -> AsyncGenerator[StoredFile]:
    """Yield all files that `Library.files` would list, however many; they must not be changed meanwhile."""
    offset, total = 0, 1
    while offset < total:
        page, total = await library.files(reader, **which, offset=offset, limit=_AT_A_TIME)
        for each in page:
            yield each
        offset += _AT_A_TIME


async def delete_every_file(library: Library, reader: Reader) -> None:
    """Delete the reader's files of every kind, and everybody's if the reader sees all."""
    found = [each.id async for each in every_file(library, reader, own=not reader.sees_all, kinds=EVERY_KIND)]
    for file_id in found:
        with suppress(UnknownName):  # somebody else deleted it
            await library.delete(reader, file_id)


async def every_collection(library: Library, reader: Reader) -> list[Collection]:
    """Return all collections that the reader may read."""
    found, total = await library.collections(reader, limit=_AT_A_TIME)
    while len(found) < total:
        page, total = await library.collections(reader, offset=len(found), limit=_AT_A_TIME)
        if not page:
            break
        found += page
    return found
