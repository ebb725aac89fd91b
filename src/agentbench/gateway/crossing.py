"""From the caller's thread to the event loop of the workbench, and back.

Everything of agentbench's runs on one event loop on one thread (`LoopThread`). A caller may be a plain cell, a
running event loop, a widget's callback or a thread; a `Crossing` gives it what is made over there, piece by piece,
through one queue.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
from anyio.from_thread import BlockingPortal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Crossing", "LoopThread"]

T = TypeVar("T")
_CLOSING_SECONDS = 10.0


class LoopThread:
    """An event loop on a daemon thread, started on first use; `stop` ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._portal: BlockingPortal | None = None
        self._stop: weakref.finalize[[BlockingPortal, threading.Thread], LoopThread] | None = None

    @property
    def portal(self) -> BlockingPortal:
        """The way in: `call` waits for a result, `start_task_soon` doesn't."""
        with self._lock:
            if self._portal is None:
                self._portal, thread = _start()
                self._stop = weakref.finalize(self, _end, self._portal, thread)
            return self._portal

    def stop(self) -> None:
        """Cancel what runs there and end the thread. A second call does nothing."""
        if self._stop is not None:
            self._stop()


def _start() -> tuple[BlockingPortal, threading.Thread]:
    ready: SimpleQueue[BlockingPortal] = SimpleQueue()

    async def serve() -> None:
        async with BlockingPortal() as portal:
            ready.put(portal)
            await portal.sleep_until_stopped()

    thread = threading.Thread(target=anyio.run, args=(serve,), name="agentbench", daemon=True)
    thread.start()
    return ready.get(), thread


def _end(portal: BlockingPortal, thread: threading.Thread) -> None:
    if thread.is_alive():
        portal.start_task_soon(portal.stop, True)  # noqa: FBT003 - anyio's name for it is `cancel_remaining`
        thread.join(_CLOSING_SECONDS)


class _End:
    """Marks the end of what a crossing carries, and the error that it ended in."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Crossing(Generic[T]):
    """Reads here what a function puts over there.

    `work` is given a function to put things with; it runs as a task on the loop's thread and starts at once. What it
    raises is raised here. Closing cancels the task and waits until it has cleaned up.
    """

    def __init__(self, loop: LoopThread, work: Callable[[Callable[[T], None]], Awaitable[object]]) -> None:
        self._queue: SimpleQueue[T | _End] = SimpleQueue()
        self._portal = loop.portal
        self._scope: anyio.CancelScope | None = None
        self._cancelled = False
        self._ended = False
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._portal.start_task_soon(self._run, work)

    def call(self, function: Callable[[], object]) -> None:
        """Run a plain function on the loop's thread, some time soon."""
        self._portal.start_task_soon(_plain, function)

    def get(self, timeout: float | None = None) -> T | None:
        """Wait for the next piece; None at the end. Raises `TimeoutError` after `timeout` seconds."""
        if self._ended:
            return None
        try:
            return self._take(self._queue.get(timeout=timeout))
        except Empty:
            raise TimeoutError from None

    async def aget(self) -> T | None:
        """Do what `get` does, without holding up this side's event loop. Cancelling it loses nothing."""
        return None if self._ended else self._take(await self._wait())

    def close(self) -> None:
        """Cancel the task over there and wait for its end, ten seconds at most."""
        self._cancel()
        while not self._ended:
            try:
                self._ended = isinstance(self._queue.get(timeout=_CLOSING_SECONDS), _End)
            except Empty:
                return

    async def aclose(self) -> None:
        """Do what `close` does, without holding up this side's event loop."""
        self._cancel()
        while not self._ended:
            self._ended = isinstance(await self._wait(), _End)

    # -- this side ----------------------------------------------------------------------------------------------

    def _take(self, item: T | _End) -> T | None:
        if not isinstance(item, _End):
            return item
        self._ended = True
        if item.error is not None:
            raise item.error
        return None

    async def _wait(self) -> T | _End:
        arrived = asyncio.Event()
        self._waiter = (asyncio.get_running_loop(), arrived)
        while self._queue.empty():
            await arrived.wait()
            arrived.clear()
        return self._queue.get_nowait()

    def _cancel(self) -> None:
        if not self._ended:
            self._cancelled = True
            self.call(self._cancel_scope)

    # -- the loop's side ----------------------------------------------------------------------------------------

    def _cancel_scope(self) -> None:
        if self._scope is not None:
            self._scope.cancel()

    async def _run(self, work: Callable[[Callable[[T], None]], Awaitable[object]]) -> None:
        error: BaseException | None = None
        with anyio.CancelScope() as self._scope:
            if self._cancelled:
                self._scope.cancel()
            try:
                await work(self._put)
            except Exception as raised:  # noqa: BLE001 - it is raised on the other side
                error = raised
        self._put(_End(error))

    def _put(self, item: Any) -> None:
        self._queue.put(item)
        if self._waiter is not None:
            loop, arrived = self._waiter
            if not loop.is_closed():
                loop.call_soon_threadsafe(arrived.set)


async def _plain(function: Callable[[], object]) -> None:
    function()
