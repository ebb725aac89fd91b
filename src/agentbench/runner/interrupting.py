"""Waiting that can be ended early from elsewhere on the event loop.

A cancel scope does the same, at ten times the cost for each wait, and a streamed answer waits for each piece.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator

__all__ = ["Wait"]

T = TypeVar("T")


class Wait:
    """Awaits one thing after the other; `interrupt` ends the one that is awaited with `CancelledError`.

    Nothing but that one is cancelled: not the task, nor what it awaits to clean up.
    """

    def __init__(self) -> None:
        self._future: Any = None
        self._is_awaiting = self._must_throw = False

    def interrupt(self) -> None:
        """End what is awaited now, if anything is."""
        if self._is_awaiting and (self._future is None or not self._future.cancel()):
            self._must_throw = True  # it goes on already: then at its next step

    def on(self, work: Awaitable[T]) -> Awaitable[T]:
        """Return what awaits `work`."""
        return _Waiting(self, work)

    def steps(self, inner: Any) -> Generator[Any, Any, Any]:
        """Pass on the steps of an awaitable, and note what it waits for meanwhile."""
        self._is_awaiting, self._must_throw = True, False
        try:
            self._future = inner.send(None)
            while True:
                try:
                    yield self._future
                except BaseException as error:  # noqa: BLE001 - it is the awaited one's
                    self._must_throw = False
                    self._future = inner.throw(error)
                else:
                    self._future = self._next(inner)
        except StopIteration as end:
            return end.value
        finally:
            self._is_awaiting, self._future = False, None

    def _next(self, inner: Any) -> Any:
        if self._must_throw:
            self._must_throw = False
            return inner.throw(asyncio.CancelledError())
        return inner.send(None)


class _Waiting:
    def __init__(self, wait: Wait, work: Any) -> None:
        self._wait, self._work = wait, work

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._wait.steps(self._work.__await__())
