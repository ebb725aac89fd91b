"""How often somebody does something: a window that slides over the last minute, in this process's memory."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SlidingWindow"]

MOST_NAMES = 10_000


class SlidingWindow:
    """Counts by name. Of more than 10,000 names, those longest unheard of are forgotten: anyone can make names up."""

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
