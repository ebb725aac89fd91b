"""From the caller's thread to the event loop of the workbench, and back.

Everything of agentbench's runs on one event loop on one thread (`LoopThread`). A caller may be a plain cell, a
running event loop, a widget's callback or a thread; a `Crossing` gives it what is made over there, piece by piece,
through one queue.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
import weakref
from contextlib import suppress
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
    """An event loop on a daemon thread, started on first use; `stop` ends it, and so does nobody holding it.

    `at_end` runs there when all else has ended.
    """

    def __init__(self, at_end: Callable[[], Awaitable[object]] | None = None) -> None:
        self._at_end = at_end
        self._lock = threading.Lock()
        self._portal: BlockingPortal | None = None
        self._stop: weakref.finalize[[BlockingPortal, threading.Thread], LoopThread] | None = None

    @property
    def portal(self) -> BlockingPortal:
        """The way in: `call` waits for a result, `start_task_soon` doesn't."""
        with self._lock:
            if self._portal is None:
                self._portal, thread = _start(self._at_end)
                self._stop = weakref.finalize(self, _end, self._portal, thread)
            return self._portal

    def stop(self) -> None:
        """Cancel what runs there and end the thread. A second call does nothing."""
        if self._stop is not None:
            self._stop()


def _start(at_end: Callable[[], Awaitable[object]] | None) -> tuple[BlockingPortal, threading.Thread]:
    ready: SimpleQueue[BlockingPortal] = SimpleQueue()

    async def serve() -> None:
        async with BlockingPortal() as portal:
            ready.put(portal)
            await portal.sleep_until_stopped()
        if at_end is not None:
            await at_end()

    thread = threading.Thread(target=anyio.run, args=(serve,), name="agentbench", daemon=True)
    thread.start()
    return ready.get(), thread


def _end(portal: BlockingPortal, thread: threading.Thread) -> None:
    if thread is threading.current_thread():  # the last to let go was a task over there, which can't wait for itself
        threading.Thread(target=_end, args=(portal, thread), daemon=True).start()
    elif thread.is_alive():
        portal.start_task_soon(portal.stop, True)  # noqa: FBT003 - anyio's name for it is `cancel_remaining`
        thread.join(_CLOSING_SECONDS)


class _End:
    """Marks the end of what a crossing carries, and the error that it ended in."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


class Crossing(Generic[T]):
    """Reads here what a function puts over there. One reader at a time; anyone may close it.

    `work` is given a function to put things with; it runs as a task on the loop's thread and starts at once. What it
    raises is raised here. Closing cancels the task and waits until it has cleaned up.
    """

    def __init__(self, loop: LoopThread, work: Callable[[Callable[[T], None]], Awaitable[object]]) -> None:
        self._queue: SimpleQueue[T | _End] = SimpleQueue()
        self._loop = loop  # held, as a loop that nobody holds ends
        self._scope: anyio.CancelScope
        self._ended = False
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[None]] | None = None
        self._task = loop.portal.start_task_soon(self._run, work)

    def call(self, function: Callable[[], object]) -> None:
        """Run a plain function on the loop's thread, before this returns; nothing happens if the task has ended."""
        if not self._task.done():
            with suppress(RuntimeError):  # the loop is ending, and the task with it
                self._loop.portal.start_task_soon(function)

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
        if self._ended:
            return None
        while self._queue.empty():
            loop = asyncio.get_running_loop()
            arrived = loop.create_future()
            self._waiter = (loop, arrived)
            if self._queue.empty():  # asked again, as a piece that came before the waiter wakes nobody
                await arrived
        return self._take(self._queue.get_nowait())

    def close(self) -> None:
        """Cancel the task over there and wait for its end, ten seconds at most."""
        self._cancel()
        concurrent.futures.wait([self._task], _CLOSING_SECONDS)

    async def aclose(self) -> None:
        """Do what `close` does, without holding up this side's event loop."""
        self._cancel()
        await asyncio.wait([asyncio.wrap_future(self._task)], timeout=_CLOSING_SECONDS)

    # -- this side ----------------------------------------------------------------------------------------------

    def _take(self, item: T | _End) -> T | None:
        if not isinstance(item, _End):
            return item
        self._ended = True
        if item.error is not None:
            raise item.error
        return None

    def _cancel(self) -> None:
        if not self._ended:
            self._ended = True
            self.call(self._cancel_scope)

    # -- the loop's side ----------------------------------------------------------------------------------------

    def _cancel_scope(self) -> None:
        self._scope.cancel()  # it is there: tasks begin in order, and `_run` was the first

    async def _run(self, work: Callable[[Callable[[T], None]], Awaitable[object]]) -> None:
        error: Exception | None = None
        try:
            with anyio.CancelScope() as self._scope:
                await work(self._put)
        except Exception as raised:  # noqa: BLE001 - it is raised on the other side
            error = raised
        finally:  # also when the loop itself ends, or the reader would wait for ever
            self._put(_End(error))

    def _put(self, item: Any) -> None:
        self._queue.put(item)
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            loop, arrived = waiter
            with suppress(RuntimeError):  # that event loop is closed, so nobody waits there
                loop.call_soon_threadsafe(_wake, arrived)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():  # it is where the reader was cancelled
        waiter.set_result(None)
