"""Calling a tool: what the function is given, how it runs, and what the model reads."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Literal

import anyio
import msgspec
import pytest
from tests.runner.shapes import Place, Trip, Unit

from agentbench import tool
from agentbench.runner.tools import as_tool

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


def weather(city: str, days: int = 1) -> str:
    """Look up the weather."""
    return f"{city} {days}"


async def call(function: Callable[..., Any], **arguments: Any) -> str:
    """Call a function as the model does."""
    return await as_tool(function).call(msgspec.json.encode(arguments).decode())


# -- what it is given -----------------------------------------------------------------------------------------------


async def test_values_are_what_the_hints_say() -> None:
    """JSON becomes enums, dataclasses and pydantic models, nested ones too; defaults are Python's own."""
    seen: dict[str, Any] = {}

    def f(unit: Unit, trip: Trip, place: Place, kind: Literal["a", "b"] = "b", maybe: int | None = None) -> None:
        """Take much."""
        seen.update(unit=unit, trip=trip, place=place, kind=kind, maybe=maybe)

    assert await call(f, unit="celsius", trip={"stops": [{"lat": 1}]}, place={"lat": 2, "lon": 3}) == "null"
    assert seen == {
        "unit": Unit.C,
        "trip": Trip(stops=[Place(1.0)]),
        "place": Place(2.0, 3.0),
        "kind": "b",
        "maybe": None,
    }


async def test_no_arguments_at_all() -> None:
    """Some models send nothing where an empty object is meant."""

    def now() -> str:
        """Tell the time."""
        return "noon"

    assert await as_tool(now).call("") == "noon"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ('{"city": 5}', "city: Input should be a valid string"),
        ("{}", "city: Field required"),
        ('{"city": "Oslo", "week": 1}', "week: Extra inputs are not permitted"),
        ('{"city": "Oslo", "days": "soon"}', "days: Input should be a valid integer"),
        ('{"city": ', "arguments: Invalid JSON"),
        ("[]", "arguments: Input should be an object"),
    ],
)
async def test_wrong_arguments(arguments: str, named: str) -> None:
    """They are not passed on: the model reads which one is wrong, and how."""
    assert (await as_tool(weather).call(arguments)).startswith(f"Error: ValueError: {named}")


async def test_several_wrong_arguments() -> None:
    """All are named."""
    text = await call(weather, city=1, week=2)
    assert "city: " in text
    assert "week: " in text


# -- how it runs ----------------------------------------------------------------------------------------------------


def slow_function(started: list[int]) -> Callable[[], str]:
    """Return a function that holds up its thread."""

    def slow() -> str:
        """Sleep."""
        started.append(threading.get_ident())
        time.sleep(0.2)
        return "done"

    return slow


def slow_coroutine(started: list[int]) -> Callable[[], Any]:
    """Return a coroutine function that holds up its event loop."""

    async def slow() -> str:
        """Sleep rudely."""
        started.append(threading.get_ident())
        time.sleep(0.1)  # noqa: ASYNC251 - it is what must not hold up our loop
        await asyncio.sleep(0.1)
        return "done"

    return slow


@pytest.mark.parametrize("make", [slow_function, slow_coroutine])
async def test_off_the_event_loop(make: Callable[[list[int]], Callable[[], Any]]) -> None:
    """Either kind runs on a thread of its own, while the loop goes on."""
    started: list[int] = []
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await anyio.sleep(0.01)
            ticks += 1

    async with anyio.create_task_group() as group:
        group.start_soon(tick)
        assert await call(make(started)) == "done"
        group.cancel_scope.cancel()
    assert ticks >= 5
    assert started[0] != threading.get_ident()


async def test_a_wrapped_coroutine() -> None:
    """A function that returns a coroutine has it run, as a decorated one may."""

    async def inner() -> str:
        return "inner"

    def outer() -> Any:
        """Hand over."""
        return inner()

    assert await call(outer) == "inner"


@pytest.mark.parametrize("make", [slow_function, slow_coroutine])
async def test_a_time_limit(make: Callable[[list[int]], Callable[[], Any]]) -> None:
    """After it the model is told so, and nobody waits for the function."""
    begun = time.monotonic()
    made = tool(timeout=0.05)(make([]))
    assert await made.call("{}") == "Error: slow took longer than 0.05 s."
    assert time.monotonic() - begun < 0.15


async def test_calls_that_hang_keep_nobody_waiting() -> None:
    """Many calls that hang leave threads for the next one."""
    release = threading.Event()

    def hang() -> None:
        """Wait."""
        release.wait(10)

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(as_tool(hang).call, "{}")
        await anyio.sleep(0.1)
        with anyio.move_on_after(2):
            assert await call(weather, city="Oslo") == "Oslo 1"
            release.set()
    assert release.is_set()


# -- what the model reads -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (KeyError("Oslo"), "KeyError: 'Oslo'"),
        (RuntimeError(), "RuntimeError: "),
        (TimeoutError("The host is slow."), "TimeoutError: The host is slow."),
        (SystemExit(2), "RuntimeError: SystemExit(2)"),
        (KeyboardInterrupt(), "RuntimeError: KeyboardInterrupt()"),
        (asyncio.CancelledError(), "RuntimeError: CancelledError()"),
        (StopIteration(), "RuntimeError: "),
    ],
)
async def test_an_exception(error: BaseException, text: str) -> None:
    """Whatever a function raises is text, also what would end a process."""

    def f() -> None:
        """Raise."""
        raise error

    assert (await call(f)).startswith(f"Error: {text}")


async def test_an_exit() -> None:
    """A coroutine that exits ends nothing but itself."""

    async def f() -> None:
        """Leave."""
        sys.exit("Bye.")

    assert await call(f) == "Error: RuntimeError: SystemExit('Bye.')"


class Frame:
    """Shows itself as a table, as a DataFrame does."""

    def __str__(self) -> str:
        return "  a\n0 1"


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (None, "null"),
        ({"a": [1, 2.5, True]}, '{"a":[1,2.5,true]}'),
        ((1, 2), "[1,2]"),
        (Place(1.5), '{"lat":1.5,"lon":0.0}'),
        (Unit.C, '"celsius"'),
        ([Trip(stops=[Place(1)])], '[{"stops":[{"lat":1.0,"lon":0.0}]}]'),
        (Frame(), "  a\n0 1"),
        ([1, {"x": complex(1, 2)}], "[1, {'x': (1+2j)}]"),
        ("half \ud83d", "half ?"),
    ],
)
async def test_results(result: object, text: str) -> None:
    """Text is given as it is, what JSON can hold as JSON, anything else as Python shows it."""

    def f() -> object:
        """Return it."""
        return result

    assert await call(f) == text


async def test_a_result_that_cant_be_shown() -> None:
    """It is an error like any other."""

    class Broken:
        def __str__(self) -> str:
            raise ZeroDivisionError("no words")

    def f() -> object:
        """Return something broken."""
        return Broken()

    assert await call(f) == "Error: ZeroDivisionError: no words"
