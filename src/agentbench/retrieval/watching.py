"""How far files are: who waits is woken by this process, and looks now and then at what others do."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from agentbench.retrieval.values import Progress
from agentbench.storage import files, passages
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.files import FileStatus

__all__ = ["ANYONE", "LOOK_S", "UNFINISHED", "Changes", "progress_of", "woken"]

LOOK_S = 0.5
"""How often a file is looked at that another process may be working on."""

UNFINISHED: frozenset[FileStatus] = frozenset({"pending", "processing"})

ANYONE = Reader("", sees_all=True)
"""Reads for whoever was found to be allowed to."""


class Changes:
    """Wakes whoever waits for files to change. All calls belong on one event loop."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    @property
    def next(self) -> asyncio.Event:
        """The event of the next change; take it before looking, so that no change falls between."""
        return self._next

    def tell(self) -> None:
        """Wake all who wait."""
        told, self._next = self._next, asyncio.Event()
        told.set()


async def woken(event: asyncio.Event, *, within: float) -> None:
    """Wait for an event, `within` seconds at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()


def progress_of(connection: Connection, file_id: str) -> Progress:
    """Return how far a file is by what is stored; of one that nobody asked to process, that it waits."""
    file = files.get(connection, file_id, ANYONE)
    if file is None:
        return Progress(file=file_id, step="deleted")
    if file.status in ("completed", "failed"):
        total = file.passages if file.status == "completed" else 0
        return Progress(file=file_id, step=file.status, done=total, total=total, error=file.error)
    if file.status != "processing":
        return Progress(file=file_id, step="waiting")
    if file.text_digest is None:
        return Progress(file=file_id, step="extracting")
    total, done = passages.count(connection, file_id)
    return Progress(file=file_id, step="embedding" if total else "splitting", done=done, total=total)
