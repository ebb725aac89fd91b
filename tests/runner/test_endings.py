"""Turns that end early: stopped by their reader, or left by him."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from tests.runner.fakes import HANG, FakeProvider, drain, kinds, play, runner_of

from agentbench.protocol.events import TextDelta
from agentbench.storage import conversations, responses, usage

if TYPE_CHECKING:
    from agentbench.protocol import EventBuilder
    from agentbench.protocol.response import ResponseStatus
    from agentbench.runner import Run
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def check_kept(database: Database, run: Run, status: ResponseStatus, text: str) -> None:
    """Assert that the answer so far is stored, and that one row tells of it."""
    stored = await database.read(partial(responses.get, response_id=run.response.id, user="kernel"))
    assert stored is not None
    assert (stored.response.status, stored.response.output_text) == (status, text)
    rows = await database.read(usage.rows)
    assert [(row.status, row.response_id) for row in rows] == [(status, run.response.id)]
    assert rows == [run.row]


async def read_until_text(run: Run) -> Any:
    """Read a run up to its first piece of text; return the rest of it."""
    batches = run.events()
    async for batch in batches:
        if any(isinstance(event, TextDelta) for event in batch):
            return batches
    return batches


def stopper(run: Run) -> Any:
    """Return a chunk that stops the run while the upstream is being read, and says a word."""

    def stop(builder: EventBuilder) -> Any:
        run.stop()
        return builder.text("word")

    return stop


async def test_stop_before_the_first_event(database: Database) -> None:
    """The stream is whole, though empty, and no upstream was opened."""
    upstream = FakeProvider()
    run = play(runner_of(upstream, database))
    run.stop()
    assert kinds(await drain(run)) == ["created", "in_progress", "incomplete"]
    assert run.response.incomplete_details is not None
    assert run.response.incomplete_details.reason == "interrupted"
    assert upstream.opened == 0
    await check_kept(database, run, "incomplete", "")


async def test_stop_while_the_upstream_hangs(database: Database) -> None:
    """The upstream is closed at once, and the stream ends whole with what came."""
    upstream = FakeProvider("one ", HANG)
    run = play(runner_of(upstream, database))
    async with anyio.create_task_group() as group:
        group.start_soon(stop_when_it_hangs, run, upstream)
        events = await drain(run)
    assert kinds(events)[-4:] == ["output_text.done", "content_part.done", "output_item.done", "incomplete"]
    assert (upstream.opened, upstream.closed) == (1, 1)
    await check_kept(database, run, "incomplete", "one ")


async def stop_when_it_hangs(run: Run, upstream: FakeProvider) -> None:
    """Stop the run while its upstream sends nothing."""
    await upstream.hung.acquire()
    run.stop()


async def test_stop_between_two_events(database: Database) -> None:
    """A reader may stop what it reads; the next batch is the last."""
    upstream = FakeProvider()
    run = play(runner_of(upstream, database))
    batches = await read_until_text(run)
    run.stop()
    (last,) = [batch async for batch in batches]
    assert kinds(last)[-1] == "incomplete"
    assert upstream.closed == 1
    await check_kept(database, run, "incomplete", "one ")


async def test_stop_at_the_end(database: Database) -> None:
    """Once the last event is there, stopping changes nothing."""
    run = play(runner_of(FakeProvider(), database))
    await drain(run)
    run.stop()
    await check_kept(database, run, "completed", "one two three")


async def test_stop_when_all_was_said(database: Database) -> None:
    """An upstream that had ended well has answered in full."""
    upstream = FakeProvider()
    run = play(runner_of(upstream, database))
    upstream.chunks = ("one ", lambda builder: builder.stop(), stopper(run))
    assert kinds(await drain(run))[-1] == "completed"
    await check_kept(database, run, "completed", "one word")


async def test_a_stopped_conversation_goes_on(database: Database) -> None:
    """What was said up to there is part of the conversation."""
    conversation = await database.write(partial(conversations.create, user="kernel"))
    run = play(runner_of(FakeProvider(), database), conversation=conversation.id)
    batches = await read_until_text(run)
    run.stop()
    [batch async for batch in batches]
    found = await database.read(partial(conversations.get, conversation_id=conversation.id, user="kernel"))
    assert found is not None
    assert found.head == run.response.id


async def test_a_reader_that_closes(database: Database) -> None:
    """Closing the events closes the upstream, before `aclose` returns; the answer so far is kept."""
    upstream = FakeProvider()
    run = play(runner_of(upstream, database))
    batches = await read_until_text(run)
    await batches.aclose()
    assert (upstream.opened, upstream.closed) == (1, 1)
    await check_kept(database, run, "incomplete", "one ")


@pytest.mark.parametrize("chunks", [(HANG,), ("one ", HANG)])
async def test_a_reader_that_is_cancelled(database: Database, chunks: tuple[Any, ...]) -> None:
    """The same, whether the answer had begun or not."""
    upstream = FakeProvider(*chunks)
    run = play(runner_of(upstream, database))
    reader = asyncio.create_task(drain(run))
    await upstream.hung.acquire()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert upstream.closed == 1
    await check_kept(database, run, "incomplete", "one " if len(chunks) > 1 else "")


async def test_a_reader_cancelled_by_a_scope(database: Database) -> None:
    """A cancellation that is repeated until it is obeyed keeps nothing from being stored."""
    upstream = FakeProvider("one ", HANG)
    run = play(runner_of(upstream, database))
    with anyio.move_on_after(0.2):
        await drain(run)
    assert upstream.closed == 1
    await check_kept(database, run, "incomplete", "one ")


async def test_a_reader_that_never_reads(database: Database) -> None:
    """Nothing happens before the events are read."""
    upstream = FakeProvider()
    await play(runner_of(upstream, database)).events().aclose()
    assert upstream.requests == []
    assert await database.read(usage.rows) == []
