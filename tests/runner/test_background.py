"""Runs that outlive their request, and those whose process died."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.runner.fakes import HANG, FakeProvider, kinds, play, question, runner_of

from agentbench.auth.principal import KERNEL
from agentbench.errors import RateLimited
from agentbench.runner import background as module
from agentbench.runner.background import is_pending
from agentbench.storage import background, responses

if TYPE_CHECKING:
    from agentbench.runner import Run, Runner
    from agentbench.storage.database import Database
    from agentbench.storage.responses import StoredResponse

pytestmark = pytest.mark.anyio


def run_of(runner: Runner) -> Run:
    """Return a background run."""
    return play(runner, question(background=True))


async def found(runner: Runner, run: Run) -> StoredResponse:
    """Return what is known of a run's response."""
    stored = await runner.background.find(run.response.id, KERNEL.user)
    assert stored is not None
    return stored


async def killed(runner: Runner, database: Database, *, ago: float) -> Run:
    """Return a run whose row is there, with a sign of life so many seconds ago, but nobody works on it."""
    run = run_of(runner)
    await database.write(partial(responses.save, stored=run.record[-1]))
    when = datetime.now(UTC) - timedelta(seconds=ago)
    await database.write(partial(background.begin, response_id=run.response.id, now=when))
    return run


async def test_a_run(database: Database) -> None:
    """Its response is stored before it starts; all who follow see all of it."""
    runner = runner_of(FakeProvider(), database)
    run = run_of(runner)
    started = await runner.background.start(run)
    assert (await found(runner, run)).response.id == run.response.id
    first = [event async for batch in started.events() for event in batch]
    assert [event async for batch in started.events() for event in batch] == first
    assert (await found(runner, run)).response.output_text == "one two three"


async def test_closing(database: Database) -> None:
    """All that run end as incomplete, and nobody works on them any more."""
    provider = FakeProvider("one ", HANG)
    runner = runner_of(provider, database)
    runs = [run_of(runner) for _ in range(3)]
    for run in runs:
        await runner.background.start(run)
        await provider.hung.acquire()
    await runner.background.aclose()
    assert provider.closed == 3
    for run in runs:
        response = (await found(runner, run)).response
        assert (response.status, response.output_text) == ("incomplete", "one ")
        assert not await database.read(partial(background.is_alive, response_id=response.id, since=run.row.time))


async def test_too_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than the limit is refused, until one has ended."""
    monkeypatch.setattr(module, "MOST_RUNS", 1)
    runner = runner_of(FakeProvider(HANG), database)
    run = run_of(runner)
    await runner.background.start(run)
    with pytest.raises(RateLimited):
        await runner.background.start(run_of(runner))
    await runner.background.cancel(run.response.id)
    await asyncio.sleep(0.1)
    await runner.background.start(run_of(runner))
    await runner.background.aclose()


async def test_a_process_that_died(database: Database) -> None:
    """Its response has failed, for whoever asks."""
    runner = runner_of(FakeProvider(HANG), database)
    run = await killed(runner, database, ago=60)
    response = (await found(runner, run)).response
    assert (response.status, response.error and response.error.code) == ("failed", "interrupted")
    assert (await found(runner, run)).response == response


async def test_another_process(database: Database) -> None:
    """Its response is in progress while it gives signs of life; it can be asked to stop."""
    runner = runner_of(FakeProvider(HANG), database)
    run = await killed(runner, database, ago=1)
    assert (await found(runner, run)).response.status == "in_progress"
    await runner.background.cancel(run.response.id)
    assert await database.write(partial(background.sign, response_id=run.response.id, now=datetime.now(UTC)))


async def test_being_asked_to_stop(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run hears from another process with its next sign of life."""
    monkeypatch.setattr(module, "_SIGN_SECONDS", 0.01)
    runner = runner_of(FakeProvider("one ", HANG), database)
    run = run_of(runner)
    started = await runner.background.start(run)
    await database.write(partial(background.request_stop, response_id=run.response.id))
    await asyncio.wait_for(started.ended.wait(), 5)
    assert (await found(runner, run)).response.status == "cancelled"


async def test_an_answer_that_cannot_be_stored_yet(database: Database) -> None:
    """Who follows gets it whole, and who asks for it later as well."""
    runner = runner_of(FakeProvider("one ", lambda _: database.close()), database)
    run = run_of(runner)
    started = await runner.background.start(run)
    events = [event async for batch in started.events() for event in batch]
    assert kinds(events)[-1] == "completed"
    assert (await found(runner, run)).response == run.response


async def test_no_end_before_it_is_stored(database: Database) -> None:
    """Who polls hears of the end only once the response can be followed."""
    runner = runner_of(FakeProvider(), database)
    for _ in range(20):
        run = run_of(runner)
        await runner.background.start(run)
        pending = True
        while pending:
            pending = is_pending((await found(runner, run)).response)
        stored = await database.read(partial(responses.get, response_id=run.response.id, user=KERNEL.user))
        assert stored is not None
        assert stored.response.status == "completed"
