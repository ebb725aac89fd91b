"""Pieces made on the loop's thread, read on this one."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from agentbench.gateway.crossing import Crossing, LoopThread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Put = Callable[[int], None]
    Work = Callable[[Put], Awaitable[None]]

MANY = list(range(200))


def count_to(end: int, pause: float = 0) -> Work:
    """Return a work that puts the numbers below `end`."""

    async def work(put: Put) -> None:
        for number in range(end):
            await anyio.sleep(pause)
            put(number)

    return work


class Endless:
    """A work that puts one number and then hangs; it takes a while to clean up."""

    def __init__(self) -> None:
        self.cleaned_up = False

    async def __call__(self, put: Put) -> None:
        """Put and hang."""
        try:
            put(0)
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.03)
            self.cleaned_up = True


async def fail(put: Put) -> None:
    """Put one number, then fail."""
    put(0)
    raise ZeroDivisionError("over there")


def rest(crossing: Crossing[int]) -> list[int]:
    """Return what is still to come."""
    numbers = []
    while (number := crossing.get(timeout=5)) is not None:
        numbers.append(number)
    return numbers


async def arest(crossing: Crossing[int]) -> list[int]:
    """Return what is still to come."""
    numbers = []
    while (number := await crossing.aget()) is not None:
        numbers.append(number)
    return numbers


def test_get(loop: LoopThread) -> None:
    """Every piece arrives, in order; then there is None for ever."""
    crossing = Crossing(loop, count_to(200))
    assert rest(crossing) == MANY
    assert crossing.get() is None


@pytest.mark.anyio
async def test_aget(loop: LoopThread) -> None:
    """The same from a running event loop."""
    crossing = Crossing(loop, count_to(200))
    assert await arest(crossing) == MANY
    assert await crossing.aget() is None


@pytest.mark.anyio
async def test_aget_does_not_hold_up_the_loop(loop: LoopThread) -> None:
    """Others go on while one waits."""
    crossing: Crossing[int] = Crossing(loop, Endless())
    assert await crossing.aget() == 0
    waiting = asyncio.create_task(crossing.aget())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await crossing.aclose()
    assert await waiting is None


def test_an_error(loop: LoopThread) -> None:
    """What the work raises is raised here, after the pieces that came before it, and once."""
    crossing = Crossing(loop, fail)
    assert crossing.get() == 0
    with pytest.raises(ZeroDivisionError, match="over there"):
        crossing.get()
    assert crossing.get() is None


@pytest.mark.anyio
async def test_an_error_from_aget(loop: LoopThread) -> None:
    """The same from a running event loop."""
    crossing = Crossing(loop, fail)
    assert await crossing.aget() == 0
    with pytest.raises(ZeroDivisionError, match="over there"):
        await crossing.aget()
    assert await crossing.aget() is None


def test_a_timeout(loop: LoopThread) -> None:
    """Waiting too long raises, and loses nothing."""
    crossing = Crossing(loop, count_to(2, pause=0.05))
    with pytest.raises(TimeoutError):
        crossing.get(timeout=0.001)
    assert rest(crossing) == [0, 1]


@pytest.mark.anyio
async def test_a_cancelled_aget(loop: LoopThread) -> None:
    """Whenever it is cancelled, no piece is lost."""
    crossing = Crossing(loop, count_to(50, pause=0.001))
    numbers: list[int] = []
    ends: list[object] = []
    while len(numbers) < 50:
        waiting = asyncio.create_task(crossing.aget())
        await asyncio.sleep(0)
        waiting.cancel()
        ends += await asyncio.gather(waiting, return_exceptions=True)
        numbers += [end for end in ends[-1:] if isinstance(end, int)]
        await asyncio.sleep(0.0005)
    assert numbers == MANY[:50]
    assert any(isinstance(end, asyncio.CancelledError) for end in ends)


class LateQueue(SimpleQueue[int]):
    """A queue into which a piece falls just after it was found empty."""

    def empty(self) -> bool:
        """Tell how it was before."""
        was = super().empty()
        if was:
            self.put(7)
        return was


@pytest.mark.anyio
async def test_a_piece_at_the_last_moment(loop: LoopThread) -> None:
    """One that comes while the reader is about to wait is not waited for."""
    crossing: Crossing[int] = Crossing(loop, Endless())
    assert await crossing.aget() == 0
    queue: Any = LateQueue()
    crossing._queue = queue
    assert await asyncio.wait_for(crossing.aget(), 5) == 7


def test_two_event_loops_in_turn(loop: LoopThread) -> None:
    """A crossing is bound to none: one loop may begin to read, another go on, a plain call end it."""
    crossing = Crossing(loop, count_to(4, pause=0.01))
    assert asyncio.run(crossing.aget()) == 0
    assert asyncio.run(crossing.aget()) == 1
    assert rest(crossing) == [2, 3]


def test_an_event_loop_that_is_gone(loop: LoopThread) -> None:
    """A piece for a reader whose event loop was closed meanwhile waits for the next reader."""
    crossing = Crossing(loop, count_to(2, pause=0.05))

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(crossing.aget(), 0.001)

    asyncio.run(give_up())
    assert rest(crossing) == [0, 1]


def test_many_at_once(loop: LoopThread) -> None:
    """Plain threads and event loops side by side each get their own."""

    def read(number: int) -> list[int]:
        crossing = Crossing(loop, count_to(50, pause=0.0001))
        return asyncio.run(arest(crossing)) if number % 2 else rest(crossing)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [MANY[:50]] * 8


@pytest.mark.anyio
async def test_get_within_an_event_loop(loop: LoopThread) -> None:
    """A plain `get` works there too: the other loop is on its own thread."""
    assert rest(Crossing(loop, count_to(3))) == [0, 1, 2]


def test_close(loop: LoopThread) -> None:
    """It cancels the work and waits until that has cleaned up; then nothing more comes."""
    work = Endless()
    crossing: Crossing[int] = Crossing(loop, work)
    crossing.close()
    assert work.cleaned_up
    assert crossing.get() is None
    crossing.close()


@pytest.mark.anyio
async def test_aclose(loop: LoopThread) -> None:
    """The same from a running event loop."""
    work = Endless()
    crossing: Crossing[int] = Crossing(loop, work)
    await crossing.aclose()
    assert work.cleaned_up
    assert await crossing.aget() is None
    await crossing.aclose()


def test_close_after_the_end(loop: LoopThread) -> None:
    """It does nothing, also when what is left was not read."""
    crossing = Crossing(loop, count_to(3))
    assert crossing.get() == 0
    while not crossing._task.done():
        time.sleep(0.001)
    crossing.close()
    assert crossing.get() is None


@pytest.mark.parametrize("ends", ["close", "aclose", "stop"])
def test_a_waiting_reader_is_woken(loop: LoopThread, ends: str) -> None:
    """Whoever ends the crossing, or the whole loop: a reader on another thread sees the end."""
    crossing: Crossing[int] = Crossing(loop, Endless())
    assert crossing.get() == 0
    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(crossing.get)
        time.sleep(0.01)
        end = {"close": crossing.close, "aclose": lambda: asyncio.run(crossing.aclose()), "stop": loop.stop}
        end[ends]()
        assert reader.result(5) is None


def test_close_when_the_loop_has_stopped(loop: LoopThread) -> None:
    """There is nothing left to cancel."""
    crossing: Crossing[int] = Crossing(loop, Endless())
    loop.stop()
    crossing.call(pytest.fail)
    crossing.close()
    assert crossing.get() is None


def test_call(loop: LoopThread) -> None:
    """A plain function runs on the loop's thread, while the work does."""
    crossing: Crossing[int] = Crossing(loop, Endless())
    names: list[str] = []
    crossing.call(lambda: names.append(threading.current_thread().name))
    crossing.close()
    assert names == ["agentbench"]
    crossing.call(pytest.fail)


def test_it_holds_its_loop() -> None:
    """A loop that nobody else holds goes on for its crossings, and ends with the last."""
    loop = LoopThread()
    crossing = Crossing(loop, count_to(3, pause=0.01))
    thread = loop.portal.call(threading.current_thread)
    del loop
    gc.collect()
    assert rest(crossing) == [0, 1, 2]
    del crossing
    thread.join(5)
    assert not thread.is_alive()
