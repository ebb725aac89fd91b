"""Turns while the database can't be written: the answer comes, the next one follows it, and all is stored later."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.runner.fakes import FakeProvider, SteppedProvider, answer, drain, kinds, play, question, runner_of, wants

from agentbench.errors import PreviousNotFound, StorageError, UnknownName
from agentbench.runner import Cell
from agentbench.runner.tools import as_tool
from agentbench.storage import conversations, responses, usage
from agentbench.storage.unsaved import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.runner import Runner
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
def file(database: Database) -> Path:
    """Name the database's file."""
    return Path(str(database._url.database))


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a database's lock as another process does that writes for long."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def broken(file: Path) -> Iterator[None]:
    """Put another kind of file in place of a database, and take it away again."""
    aside = file.with_suffix(".aside")
    if file.exists():
        file.rename(aside)
    file.write_text("Dear diary, " * 1000)
    yield
    file.unlink()
    if aside.exists():
        aside.rename(file)


def remove(file: Path) -> None:
    """Delete a database's file, and nothing else."""
    file.unlink()


def told(runner: Runner, number: int = -1) -> list[str]:
    """Return the texts that the provider was sent with one of its requests."""
    requests = runner.providers.of(runner.catalog.endpoint("fake")).requests
    return [item.text for item in requests[number].input]


async def test_a_locked_database(database: Database, file: Path) -> None:
    """The answer is whole within seconds, the run says what is wrong, and the row comes when the lock is gone."""
    runner = runner_of(FakeProvider(), database)
    await answer(play(runner))
    with locked(file):
        begin = time.monotonic()
        run = play(runner)
        events = await drain(run)
        waited = time.monotonic() - begin
    assert kinds(events)[-1] == "completed"
    assert waited < 3
    assert "is busy" in str(run.warning)
    await database.write(lambda _: None)
    assert run.row in await database.read(usage.rows)
    assert await database.read(partial(responses.chain, head=run.response.id, user="kernel")) == run.record


async def test_a_database_that_cannot_be_opened(database: Database, file: Path) -> None:
    """A question that stands alone is answered, each time; nothing is lost."""
    runner = runner_of(FakeProvider(), database)
    runs = [play(runner), play(runner)]
    with broken(file):
        statuses = [(await answer(run)).status for run in runs]
    assert statuses == ["completed"] * 2
    assert ["is not a SQLite database" in str(run.warning) for run in runs] == [True, True]
    last = play(runner)
    await answer(last)
    assert last.warning is None
    assert {row.response_id for row in await database.read(usage.rows)} == {run.response.id for run in (*runs, last)}


async def test_the_next_turn_follows_one_that_waits(database: Database, file: Path) -> None:
    """A conversation goes on from memory, even one that couldn't be begun; in the database it is whole."""
    runner = runner_of(FakeProvider("Blue."), database)
    begun = conversations.new(user="kernel")
    with broken(file):
        await database.record(Outcome(conversation=begun))
        first = await answer(play(runner, question("Why?"), conversation=begun.id))
        await answer(play(runner, question("How?"), conversation=begun.id))
        await answer(play(runner, question("Where?", previous_response_id=first.id)))
    assert told(runner, 1) == ["Why?", "Blue.", "How?"]
    assert told(runner, 2) == ["Why?", "Blue.", "Where?"]
    last = await answer(play(runner, question("And?"), conversation=begun.id))
    assert told(runner) == ["Why?", "Blue.", "How?", "Blue.", "And?"]
    (found,) = await database.read(partial(conversations.recent, user="kernel", limit=9))
    assert (found.id, found.head) == (begun.id, last.id)


async def test_a_stored_turn_is_followed_by_one_that_waits(database: Database, file: Path) -> None:
    """What can be read is read: other processes hold up writing alone."""
    runner = runner_of(FakeProvider("Blue."), database)
    talk = (await database.write(partial(conversations.create, user="kernel"))).id
    await answer(play(runner, question("One?"), conversation=talk))
    with locked(file):
        await answer(play(runner, question("Two?"), conversation=talk, cell=Cell(id="c2", run="1")))
        await answer(play(runner, question("Three?"), conversation=talk, cell=Cell(id="c3", run="2")))
        await answer(play(runner, question("Two, again?"), conversation=talk, cell=Cell(id="c2", run="3")))
    assert told(runner, 2) == ["One?", "Blue.", "Two?", "Blue.", "Three?"]
    assert told(runner, 3) == ["One?", "Blue.", "Two, again?"]


async def test_a_past_that_cannot_be_read(database: Database, file: Path) -> None:
    """A question that depends on it is refused before the call."""
    runner = runner_of(FakeProvider(), database)
    first = await answer(play(runner))
    with broken(file):
        with pytest.raises(StorageError, match="is not a SQLite database"):
            await answer(play(runner, question(previous_response_id=first.id)))
        with pytest.raises(StorageError, match="is not a SQLite database"):
            await answer(play(runner, conversation="conv_1"))
    assert len(runner.providers.of(runner.catalog.endpoint("fake")).requests) == 1


async def test_a_past_that_is_gone(database: Database, file: Path) -> None:
    """The database was deleted: what it held can't be followed, and questions that stand alone are answered."""
    runner = runner_of(FakeProvider(), database)
    first = await answer(play(runner))
    remove(file)
    alone = play(runner)
    assert (await answer(alone)).status == "completed"
    assert "was deleted or replaced while it was in use" in str(alone.warning)
    with pytest.raises(PreviousNotFound):
        await answer(play(runner, question(previous_response_id=first.id)))
    with pytest.raises(UnknownName):
        await answer(play(runner, conversation="conv_1"))


async def test_a_database_that_is_deleted_amid_an_answer(database: Database, file: Path) -> None:
    """The answer is stored in the new one, with the conversation that it belongs to."""
    talk = (await database.write(partial(conversations.create, user="kernel"))).id
    runner = runner_of(FakeProvider("one ", lambda _: file.unlink(), "two"), database)
    run = play(runner, conversation=talk)
    await answer(run)
    assert await database.read(usage.rows) == list(run.rows)
    (found,) = await database.read(partial(conversations.recent, user="kernel", limit=9))
    assert (found.id, found.head) == (talk, run.response.id)


async def test_each_call_of_a_turn_is_kept(database: Database, file: Path) -> None:
    """The rows of calls that ended in tools wait like the last one's."""
    provider = SteppedProvider((wants("look"),), ("Done.",))
    runner = runner_of(provider, database)
    run = runner.start(play(runner).turn, tools=[as_tool(look)])
    with broken(file):
        assert (await answer(run)).output_text == "Done."
    stored = await database.read(usage.rows)
    assert [row.context for row in stored] == ["tool_step", "message"]
    assert stored == list(run.rows)


def look() -> str:
    """Look."""
    return "Nothing."


async def test_an_answer_that_is_not_to_be_stored(database: Database, file: Path) -> None:
    """Only its row waits."""
    runner = runner_of(FakeProvider(), database)
    run = play(runner, question(store=False))
    with broken(file):
        await answer(run)
    assert await database.read(usage.rows) == list(run.rows)
    assert await database.read(partial(responses.get, response_id=run.response.id, user="kernel")) is None
