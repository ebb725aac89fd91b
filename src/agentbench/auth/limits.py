"""How often somebody does something: windows that slide over the last minute."""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from agentbench.errors import StorageError
from agentbench.storage import rate_limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from agentbench.storage.database import Database

__all__ = ["SharedWindow", "SlidingWindow"]

MOST_NAMES = 10_000


class SharedWindow:
    """Counts by name for all processes on one database; while that can't be written, each counts for itself.

    Who was refused is refused from memory until it is their time again, so that a flood costs the database nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._here = SlidingWindow()
        self._refused: dict[str, float] = {}

    async def take(self, name: str, limit: int) -> float:
        """Count one more and return 0; or count nothing and return the seconds to wait, if there were `limit`."""
        if (wait := self._refused.get(name, 0.0) - time.monotonic()) > 0:
            return wait
        try:
            wait = await self._database.write(partial(_take, name=name, limit=limit), within=self._database.patience)
        except StorageError:
            return self._here.take(name, limit)
        self._refused.pop(name, None)
        if wait:
            self._refused[name] = time.monotonic() + wait  # the newest name comes last
            if len(self._refused) > MOST_NAMES:
                del self._refused[next(iter(self._refused))]
        return wait

    async def forget(self, name: str) -> None:
        """Count from nothing again."""
        self._refused.pop(name, None)
        self._here.forget(name)
        try:
            await self._database.write(partial(rate_limits.forget, name=name), within=self._database.patience)
        except StorageError:
            return  # it is over in a minute


def _take(connection: Connection, name: str, limit: int) -> float:
    return rate_limits.take(connection, name, limit, now=time.time())


class SlidingWindow:
    """Counts by name, in this process's memory.

    Of more than 10,000 names, those longest unheard of are forgotten: anyone can make names up.
    """

    def __init__(self, *, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._moments: dict[str, deque[float]] = {}

    def take(self, name: str, limit: int) -> float:
        """Count one more and return 0; or count nothing and return the seconds to wait, if there were `limit`."""
        now = self._clock()
        moments = self._moments.pop(name, None) or deque()
        self._moments[name] = moments  # the newest name comes last
        if len(self._moments) > MOST_NAMES:
            del self._moments[next(iter(self._moments))]
        while moments and moments[0] <= now - self._seconds:
            moments.popleft()
        if len(moments) >= limit:
            return moments[0] + self._seconds - now
        moments.append(now)
        return 0.0

    def forget(self, name: str) -> None:
        """Count from nothing again."""
        self._moments.pop(name, None)
