"""The thread that the workbench's event loop runs on: when it starts, when it ends."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from agentbench.gateway.crossing import LoopThread


def thread_of(loop: LoopThread) -> threading.Thread:
    """Return the thread that the loop runs on."""
    return loop.portal.call(threading.current_thread)


def test_it_starts_when_it_is_used() -> None:
    """Making one starts no thread, and stopping one that was never used does nothing."""
    before = threading.active_count()
    loop = LoopThread()
    assert threading.active_count() == before
    loop.stop()


def test_it_is_a_daemon(loop: LoopThread) -> None:
    """An interpreter that exits doesn't wait for it."""
    assert thread_of(loop).daemon


def test_one_thread_for_all(loop: LoopThread) -> None:
    """Whoever asks first, all get the same."""
    with ThreadPoolExecutor(8) as pool:
        threads = set(pool.map(lambda _: thread_of(loop), range(32)))
    assert len(threads) == 1


def test_stop(loop: LoopThread) -> None:
    """The thread is gone when it returns; a second call does nothing."""
    thread = thread_of(loop)
    loop.stop()
    assert not thread.is_alive()
    loop.stop()


def test_stop_cancels(loop: LoopThread) -> None:
    """What runs there is cancelled and cleans up; then comes what is to come last."""
    order: list[str] = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.02)
            order.append("cleaned up")

    async def last() -> None:
        order.append("last")

    loop = LoopThread(at_end=last)
    loop.portal.start_task_soon(work)
    loop.stop()
    assert order == ["cleaned up", "last"]


def test_garbage() -> None:
    """A loop that nobody holds ends its thread."""
    loop = LoopThread()
    thread = thread_of(loop)
    del loop
    gc.collect()
    assert not thread.is_alive()


def test_garbage_on_its_own_thread() -> None:
    """The same if the last to let go was a task over there, which can't wait for its own thread."""
    loop = LoopThread()
    thread = thread_of(loop)
    loop.portal.call(loop.stop)
    thread.join(5)
    assert not thread.is_alive()


def test_a_stopped_loop(loop: LoopThread) -> None:
    """It stays stopped."""
    thread_of(loop)
    loop.stop()
    with pytest.raises(RuntimeError):
        loop.portal.call(anyio.sleep, 0)
