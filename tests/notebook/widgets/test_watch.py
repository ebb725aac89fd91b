from __future__ import annotations

import asyncio
import gc
import time
from typing import TYPE_CHECKING
from weakref import WeakMethod

import pytest

from agentbench.notebook.dashboard.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Looker:
    """Counts how often it looked, and whether it was told that this was the last time."""

    def __init__(self) -> None:
        self.looks: list[bool] = []

    def look(self, *, last: bool) -> None:
        """Note it."""
        self.looks.append(last)


@pytest.fixture
def looker() -> Looker:
    """Give somebody who looks."""
    return Looker()


@pytest.fixture
def watch(looker: Looker) -> Iterator[Watch]:
    """Let it look every 10 ms, and for 0.1 s after it was asked to."""
    watch = Watch(WeakMethod(looker.look), seconds=0.01, patience=0.1)
    yield watch
    watch.stop()


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_nobody_asked(watch: Watch, looker: Looker) -> None:
    """Until somebody asks there is no thread."""
    time.sleep(0.03)
    assert not watch.is_running
    assert looker.looks == []


def test_it_ends_by_itself(watch: Watch, looker: Looker) -> None:
    """When nobody asks again, it looks a last time, says so, and ends; whoever asks then starts it again."""
    watch.asked()
    until(lambda: not watch.is_running and looker.looks)
    until(lambda: looker.looks[-1])
    assert looker.looks.count(True) == 1
    assert looker.looks.count(False) >= 3
    watch.asked()
    assert watch.is_running


def test_it_keeps_nothing_alive(watch: Watch, looker: Looker) -> None:
    """When the one who looks is gone, the thread ends."""
    watch.asked()
    gone = Looker()
    other = Watch(WeakMethod(gone.look), seconds=0.01, patience=60)
    other.asked()
    del gone
    gc.collect()
    until(lambda: not other.is_running)


def test_it_is_stopped(watch: Watch) -> None:
    """Stopped, it ends soon and starts no more."""
    watch.asked()
    watch.stop()
    until(lambda: not watch.is_running)
    watch.asked()
    assert not watch.is_running


def test_a_busy_kernel_hears_nobody_ask(watch: Watch, looker: Looker) -> None:
    """While the event loop is kept from hearing, as by a cell that computes, the looking goes on."""

    async def work() -> int:
        watch.asked()
        time.sleep(0.4)  # noqa: ASYNC251 - that's the point
        return looker.looks.count(True)

    assert asyncio.run(work()) == 0
    until(lambda: not watch.is_running)
