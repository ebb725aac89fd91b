"""Stored runs and their steps."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.storage.asked import begun, some_run, some_step, some_thread

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.assistants.objects import ACTIVE, TERMINAL, LastError, Reason, RunUsage
from agentbench.storage import runs, threads
from agentbench.storage.database import Database
from agentbench.storage.paging import Page

if TYPE_CHECKING:
    from agentbench.storage.runs import StoredRun

pytestmark = pytest.mark.anyio


async def start(database: Database, run: StoredRun) -> None:
    """Store a new run."""
    await database.write(partial(runs.add, stored=run))


async def ended(database: Database, run: StoredRun, status: Any = "completed") -> StoredRun:
    """Give a run another status."""
    made = replace(run, run=replace(run.run, status=status))
    await database.write(partial(runs.save, stored=made))
    return made


async def test_a_run_comes_back(database: Database) -> None:
    """All that is known of it is as it was stored or saved, in its thread and to its user."""
    usage = RunUsage(prompt_tokens=1, completion_tokens=2, total_tokens=3)
    more: dict[str, Any] = {"usage": usage, "last_error": LastError(code="server_error", message="안녕\0")}
    await begun(database, run=some_run())
    saved = some_run(status="failed", incomplete_details=Reason(reason="r"), **more)
    saved = replace(saved, responses=("resp_1", "resp_2"), worked=1.5, include=("a",))
    await database.write(partial(runs.save, stored=saved))
    assert await database.read(partial(runs.get, thread_id="thread_1", run_id="run_1", user="ann")) == saved
    assert await database.read(partial(runs.get, thread_id="thread_2", run_id="run_1", user="ann")) is None
    assert await database.read(partial(runs.get, thread_id="thread_1", run_id="run_1", user="bob")) is None


@pytest.mark.parametrize("status", sorted(ACTIVE))
async def test_one_active_run_a_thread(sqlite: Database, status: Any) -> None:
    """While a run may go on, its thread takes no other; another thread does."""
    await begun(sqlite, run=some_run("a", status=status))
    with pytest.raises(InvalidRequest, match=r"^Thread thread_1 already has an active run a\.$"):
        await start(sqlite, some_run("b"))
    await sqlite.write(partial(threads.add, stored=some_thread("thread_2")))
    await start(sqlite, some_run("c", thread="thread_2"))
    found = await sqlite.read(partial(runs.active, thread_id="thread_1"))
    assert found == some_run("a", status=status)
    assert [each.run.id for each in await sqlite.read(runs.unfinished)] == ["a", "c"]


async def test_runs_one_after_the_other(database: Database) -> None:
    """After the end of a run, whichever it was, the next one may begin."""
    await begun(database)
    for status in sorted(TERMINAL):
        await start(database, made := some_run(status))
        await ended(database, made, status)
        assert await database.read(partial(runs.active, thread_id="thread_1")) is None
    found = await database.read(partial(runs.page, thread_id="thread_1", page=Page(order="asc")))
    assert [each.run.id for each in found] == [each.run.status for each in found] == sorted(TERMINAL)
    assert await database.read(runs.unfinished) == []


async def test_a_run_of_no_thread(database: Database) -> None:
    """A thread that was deleted in the meantime takes no run."""
    with pytest.raises(UnknownName, match="no thread 'thread_1'"):
        await start(database, some_run())


async def test_two_that_begin_a_run(database_url: str, database: Database) -> None:
    """Of runs that several processes begin on one thread at the same time, one begins; the others are told which."""
    await begun(database)
    with closing(Database(database_url)) as other:
        jobs = [start(each, some_run(f"{n}{name}")) for n in range(5) for name, each in (("a", database), ("b", other))]
        outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    refused = [each.message for each in outcomes if isinstance(each, InvalidRequest)]
    winner = await database.read(partial(runs.active, thread_id="thread_1"))
    assert winner is not None
    assert refused == [f"Thread thread_1 already has an active run {winner.run.id}."] * 9


async def test_steps_of_a_run(database: Database) -> None:
    """A step keeps its place when it is saved again; steps of another run aren't there."""
    await begun(database, run=some_run())
    for each in (some_step("a"), some_step("b"), some_step("c", run="run_2"), some_step("a", status="completed")):
        await database.write(partial(runs.save_step, step=each))
    everything = await database.read(partial(runs.all_steps, run_id="run_1"))
    assert [(each.id, each.status) for each in everything] == [("a", "completed"), ("b", "in_progress")]
    page = await database.read(partial(runs.steps, run_id="run_1", page=Page(limit=1, after="b")))
    assert page == [everything[0]]
    assert await database.read(partial(runs.step, run_id="run_1", step_id="b")) == everything[1]
    assert await database.read(partial(runs.step, run_id="run_1", step_id="c")) is None
