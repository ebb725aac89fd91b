"""Many turns at once: each keeps its own, and none leaves anything open."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.runner.fakes import HANG, FakeProvider, answer, drain, play, question, runner_of

from agentbench.storage import usage

if TYPE_CHECKING:
    from agentbench.runner import Run
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def test_fifty_at_once(database: Database) -> None:
    """Each has its answer and its row."""
    runner = runner_of(FakeProvider(), database)
    responses = await asyncio.gather(*(answer(play(runner, question(f"q{number}"))) for number in range(50)))
    rows = await database.read(usage.rows)
    assert {row.response_id for row in rows} == {response.id for response in responses}
    assert [response.output_text for response in responses] == ["one two three"] * 50
    assert len(rows) == 50


async def test_two_hundred_cancelled(database: Database) -> None:
    """No upstream stays open, and no row is missing."""
    upstream = FakeProvider("one ", HANG)
    runner = runner_of(upstream, database)
    runs = [play(runner) for _ in range(200)]
    readers = [asyncio.create_task(drain(run)) for run in runs]
    for _ in runs:
        await upstream.hung.acquire()
    for reader in readers:
        reader.cancel()
    ends = await asyncio.gather(*readers, return_exceptions=True)
    rows = await database.read(usage.rows)
    assert {type(end) for end in ends} == {asyncio.CancelledError}
    assert (upstream.opened, upstream.closed) == (200, 200)
    assert {(row.response_id, row.status) for row in rows} == {(run.response.id, "incomplete") for run in runs}


async def test_a_hundred_stopped(database: Database) -> None:
    """The same when each is stopped at another point of its way."""
    upstream = FakeProvider(*["word "] * 20)
    runner = runner_of(upstream, database)
    runs = [play(runner) for _ in range(100)]

    async def stop_after(run: Run, batches: int) -> None:
        read = 0
        async for _ in run.events():
            read += 1
            if read == batches:
                run.stop()

    async with anyio.create_task_group() as group:
        for number, run in enumerate(runs):
            group.start_soon(stop_after, run, number % 25)
    rows = await database.read(usage.rows)
    assert upstream.opened == upstream.closed
    assert sorted(row.response_id or "" for row in rows) == sorted(run.response.id for run in runs)
    assert [row.status for row in rows].count("incomplete") == 4 * 21  # the opening and each word
