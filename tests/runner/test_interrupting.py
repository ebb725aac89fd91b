"""Waiting that somebody else ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
import pytest

from agentbench.runner.interrupting import Wait

if TYPE_CHECKING:
    from collections.abc import Awaitable

pytestmark = pytest.mark.anyio


async def outcome(wait: Wait, work: Awaitable[str]) -> str:
    """Return what comes of waiting for work."""
    try:
        return await wait.on(work)
    except asyncio.CancelledError:
        return "interrupted"


async def soon(wait: Wait) -> None:
    """Let the others get to where they wait, then interrupt."""
    await asyncio.sleep(0.001)
    wait.interrupt()


async def test_result() -> None:
    """What is awaited is returned, however many steps it takes."""

    async def work() -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        return "done"

    assert await outcome(Wait(), work()) == "done"


async def test_error() -> None:
    """What it raises is raised, and can be caught within."""

    async def work() -> str:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await anyio.sleep_forever()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Wait().on(work())


async def test_interrupted() -> None:
    """It ends early, after its own cleaning up; the task goes on."""
    cleaned: list[str] = []

    async def work() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            await asyncio.sleep(0.001)
            cleaned.append("up")
        return ""

    wait = Wait()
    results = await asyncio.gather(outcome(wait, work()), soon(wait))
    await asyncio.sleep(0)
    assert (results[0], cleaned) == ("interrupted", ["up"])


async def test_interrupted_while_it_goes_on() -> None:
    """It ends at its next step if it only lets others have their turn, or if what it waits for is there already."""

    async def spin() -> str:
        try:
            for _ in range(10**6):
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0)
            cleaned.append("up")
        return "not interrupted"

    wait, there = Wait(), asyncio.get_running_loop().create_future()
    cleaned: list[str] = []

    async def work() -> str:
        await there
        return await anyio.sleep_forever() or ""

    async def settle_and_interrupt() -> None:
        await asyncio.sleep(0.001)
        there.set_result(None)
        wait.interrupt()

    assert (await asyncio.gather(outcome(wait, spin()), soon(wait)))[0] == "interrupted"
    assert (await asyncio.gather(outcome(wait, work()), settle_and_interrupt()))[0] == "interrupted"
    assert cleaned == ["up"]


async def test_nothing_awaited() -> None:
    """An interruption counts for what is awaited at that moment, and for nothing later."""
    wait = Wait()
    wait.interrupt()

    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    assert await outcome(wait, work()) == "done"


async def test_cancelled_from_outside() -> None:
    """A cancel scope around it works as ever."""
    with anyio.move_on_after(0.001) as scope:
        await Wait().on(anyio.sleep_forever())
    assert scope.cancelled_caught
