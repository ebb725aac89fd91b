"""Runs that are paced: which are, and that they end as others do, whatever happens to their reader."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from tests.grammar import check_grammar
from tests.runner.fakes import HANG, FakeProvider, SteppedProvider, catalog, drain, question, runner_of, wants

from agentbench.config import Endpoint
from agentbench.errors import UpstreamUnavailable
from agentbench.gateway.crossing import LoopThread
from agentbench.gateway.stream import Stream
from agentbench.protocol import events as ev
from agentbench.runner import Turn
from agentbench.runner.tools import as_tool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentbench.protocol import Event
    from agentbench.protocol.items import FunctionCall
    from agentbench.runner import Run
    from agentbench.runner.tools import Tool
    from agentbench.storage.database import Database

FOR_EVER = 60_000.0
"""A rate, in milliseconds, at which a test would time out if anything but text waited."""


def paced_run(database: Database, provider: FakeProvider, *tools: Tool, rate: float = FOR_EVER, **options: Any) -> Run:
    """Return a run at a rate, asked for as a stream."""
    known = catalog(Endpoint(name="fake", provider="scripted", models=("m",), stream_rate=rate))
    return runner_of(provider, database, known).start(Turn(request=question(stream=True)), tools=tools, **options)


def deltas(events: list[Event]) -> list[str]:
    """Return the text, piece by piece."""
    return [event.delta for event in events if isinstance(event, ev.TextDelta)]


@pytest.mark.anyio
async def test_a_run_that_is_asked_for_as_a_stream(database: Database) -> None:
    """Its text is paced, its end is not, and its record knows nothing of that."""
    run = paced_run(database, FakeProvider())
    with anyio.fail_after(5):
        events = await drain(run)
    assert deltas(events) == ["one ", "two three"]
    assert run.response.output_text == "one two three"
    assert run.row is not None
    assert run.row.duration < 5


@pytest.mark.anyio
@pytest.mark.parametrize("fields", [{"stream": False}, {"stream": True, "background": True}])
async def test_a_run_that_nobody_watches(database: Database, fields: dict[str, bool]) -> None:
    """It goes as fast as it can: a plain request, and one in the background."""
    run = paced_run(database, FakeProvider())
    run.turn = Turn(request=question(**fields))
    events = [event async for batch in run.events() for event in batch]
    assert deltas(events) == ["one ", "two ", "three"]


@pytest.mark.parametrize(("watching", "expected"), [(True, ["one ", "two three"]), (False, ["one ", "two ", "three"])])
def test_a_notebook(database: Database, watching: bool, expected: list[str]) -> None:  # noqa: FBT001 - a parameter
    """What a person watches is paced, what only the answer's end is waited for is not."""
    run = paced_run(database, FakeProvider())
    run.turn = Turn(request=question())
    loop = LoopThread()
    assert deltas(list(Stream(run, loop, watching=watching))) == expected
    loop.stop()


@pytest.mark.anyio
async def test_a_tool_call(database: Database) -> None:
    """It runs without waiting for the text before it; but the reader has the call before anyone is asked about it."""
    seen: list[Event] = []

    async def approve(call: FunctionCall) -> bool:
        return any(isinstance(event, ev.ItemDone) and event.item == call for event in seen)

    def look() -> str:
        """Look."""
        return "sky"

    tool = as_tool(look)
    tool.approval = "ask"
    provider = SteppedProvider(["I ", "will ", "look.", wants("look")], ["It ", "is ", "blue."])
    run = paced_run(database, provider, tool, approve=approve)
    with anyio.fail_after(5):
        async for batch in run.events():
            seen += batch
    check_grammar(seen)
    assert run.response.output_text == "I will look.It is blue."
    assert [item.output for item in run.response.output if item.id.startswith("fco_")] == ["sky"]


@pytest.mark.anyio
async def test_stop(database: Database) -> None:
    """Text that waits is shown, and the stream ends whole."""
    upstream = FakeProvider("one ", "two ", HANG)
    run = paced_run(database, upstream)
    events: list[Event] = []
    with anyio.fail_after(5):
        async for batch in run.events():
            events += batch
            if deltas(batch) == ["one "]:
                await upstream.hung.acquire()
                run.stop()
    check_grammar(events)
    assert (deltas(events), run.response.status) == (["one ", "two "], "incomplete")
    assert upstream.closed == 1


async def read_one(run: Run) -> AsyncGenerator[list[Event]]:
    """Read a run up to its first text; return the rest."""
    batches = run.events()
    async for batch in batches:
        if deltas(batch):
            break
    return batches


@pytest.mark.anyio
async def test_a_reader_that_closes(database: Database) -> None:
    """The upstream is closed and the answer so far stored before `aclose` returns, also in another task."""
    upstream = FakeProvider("one ", "two ", HANG)
    run = paced_run(database, upstream)
    batches = await read_one(run)
    await upstream.hung.acquire()
    await asyncio.create_task(batches.aclose())
    assert upstream.closed == 1
    assert run.row is not None
    assert (run.row.status, run.response.output_text) == ("incomplete", "one two ")


@pytest.mark.anyio
async def test_a_reader_that_is_cancelled(database: Database) -> None:
    """The same for one that waits for the next piece."""
    upstream = FakeProvider("one ", "two ", HANG)
    run = paced_run(database, upstream)
    reader = asyncio.create_task(drain(run))
    await upstream.hung.acquire()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert (upstream.closed, run.row is not None) == (1, True)


@pytest.mark.anyio
async def test_a_reader_cancelled_by_a_scope(database: Database) -> None:
    """The same for a cancellation that is repeated until it is obeyed."""
    upstream = FakeProvider("one ", HANG)
    run = paced_run(database, upstream)
    with anyio.move_on_after(0.2) as scope:
        await drain(run)
    assert scope.cancelled_caught
    assert (upstream.closed, run.row is not None) == (1, True)


@pytest.mark.anyio
async def test_errors(database: Database) -> None:
    """One before the first event is raised as it is, a later one ends the stream, after the text that waited."""
    error = UpstreamUnavailable("The line is dead.")
    with pytest.raises(UpstreamUnavailable) as caught:
        await drain(paced_run(database, FakeProvider(refusals=(error,))))
    assert caught.value is error
    run = paced_run(database, FakeProvider("one ", "two ", error))
    assert deltas(await drain(run)) == ["one ", "two "]
    assert run.response.error is not None
