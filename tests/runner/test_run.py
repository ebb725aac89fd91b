"""One turn that nobody interrupts: its events, its record, and what goes wrong upstream."""

from __future__ import annotations

import logging
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import FakeProvider, answer, drain, kinds, play, question, runner_of, text_of

from agentbench.errors import (
    AgentbenchError,
    ContextTooLong,
    InvalidRequest,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from agentbench.protocol.events import TERMINAL
from agentbench.storage import conversations, responses, usage

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench.protocol import Event, EventBuilder
    from agentbench.runner import Run
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.database import Database
    from agentbench.storage.responses import StoredResponse
    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio


@pytest.fixture
async def conversation(database: Database) -> Conversation:
    """Give a new conversation of the person at the kernel."""
    return await database.write(partial(conversations.create, user="kernel"))


async def head(database: Database, conversation: Conversation) -> str | None:
    """Return the conversation's newest response."""
    found = await database.read(partial(conversations.get, conversation_id=conversation.id, user="kernel"))
    assert found is not None
    return found.head


async def record(database: Database, run: Run) -> StoredResponse | None:
    """Return what is stored of a run."""
    return await database.read(partial(responses.get, response_id=run.response.id, user="kernel"))


async def ledger(database: Database) -> list[UsageRow]:
    """Return every row."""
    return await database.read(usage.rows)


def broken(builder: EventBuilder) -> list[Event]:
    """Fail as a decoder with a bug does."""
    raise KeyError("secret-of-the-inside")


async def test_a_turn(database: Database) -> None:
    """It tells the answer in events, and ends with the response whole."""
    run = play(runner_of(FakeProvider(), database))
    events = await drain(run)
    assert text_of(events) == run.response.output_text == "one two three"
    assert kinds(events)[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert kinds(events)[-1] == "completed"
    assert run.response.model == "fake/m"


async def test_what_is_stored(database: Database, conversation: Conversation) -> None:
    """The final response, this turn's own input, and where both belong."""
    request = question("Why?")
    run = play(runner_of(FakeProvider(), database), request, agent="bot", conversation=conversation.id)
    await drain(run)
    stored = await record(database, run)
    assert stored is not None
    assert (stored.response, stored.input, stored.parent) == (run.response, request.input, None)
    assert (stored.agent, stored.endpoint, stored.conversation_id) == ("bot", "fake", conversation.id)


async def test_it_is_stored_before_its_last_event_is_seen(
    database: Database, conversation: Conversation, tmp_path: Path
) -> None:
    """Whoever sees the last event finds the answer, its row and the conversation moved, also from elsewhere."""
    run = play(runner_of(FakeProvider(), database), conversation=conversation.id)
    seen: dict[bool, Any] = {}
    async for batch in run.events():
        with sqlite3.connect(tmp_path / "runner.db") as other:
            counts = "select (select count(*) from responses), (select count(*) from usage), head from conversations"
            seen[isinstance(batch[-1], TERMINAL)] = other.execute(counts).fetchone()
        other.close()
    assert seen == {False: (0, 0, None), True: (1, 1, run.response.id)}


async def test_nothing_is_stored(database: Database) -> None:
    """With `store` off only the ledger knows of it."""
    run = play(runner_of(FakeProvider(), database), question(store=False))
    await drain(run)
    assert await record(database, run) is None
    assert [row.response_id for row in await ledger(database)] == [run.response.id]


@pytest.mark.parametrize(
    "error",
    [UpstreamRateLimited("Slow down.", retry_after=3), InvalidRequest("No such thing."), KeyError("a bug")],
)
async def test_an_error_before_the_first_event(
    database: Database, conversation: Conversation, error: Exception
) -> None:
    """It is raised as it is; it has a row, but nothing is stored and the conversation is as it was."""
    run = play(runner_of(FakeProvider(refusals=(error,)), database), conversation=conversation.id)
    with pytest.raises(type(error)) as caught:
        await drain(run)
    assert caught.value is error
    code = error.code if isinstance(error, AgentbenchError) else "server_error"
    assert [(row.status, row.error_type, row.response_id) for row in await ledger(database)] == [("failed", code, None)]
    assert await record(database, run) is None
    assert await head(database, conversation) is None


async def test_an_error_after_the_first_event(database: Database, conversation: Conversation) -> None:
    """It ends the stream in `response.failed`; what came is kept, but the conversation doesn't move."""
    upstream = FakeProvider("Well, ", UpstreamUnavailable("The line is dead."))
    run = play(runner_of(upstream, database), conversation=conversation.id)
    assert kinds(await drain(run))[-2:] == ["error", "failed"]
    assert run.response.error is not None
    assert (run.response.error.message, run.response.output_text) == ("The line is dead.", "Well, ")
    stored = await record(database, run)
    assert stored is not None
    assert stored.response == run.response
    assert await head(database, conversation) is None
    assert upstream.closed == upstream.opened == 1


async def test_a_conversation_after_an_error(database: Database, conversation: Conversation) -> None:
    """It goes on from the last answer that was whole."""
    good = await answer(play(runner_of(FakeProvider(), database), question("q1"), conversation=conversation.id))
    bad = FakeProvider("Well, ", UpstreamUnavailable("The line is dead."))
    await drain(play(runner_of(bad, database), question("q2"), conversation=conversation.id))
    assert await head(database, conversation) == good.id


async def test_a_bug_in_a_decoder(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """The stream ends in `response.failed` without a word from the inside, which the log has."""
    run = play(runner_of(FakeProvider("Well, ", broken), database))
    with caplog.at_level(logging.ERROR, "agentbench"):
        events = await drain(run)
    assert kinds(events)[-2:] == ["error", "failed"]
    assert run.response.error is not None
    assert run.response.error.message == "agentbench itself failed (KeyError). Its log says more."
    assert "secret-of-the-inside" not in repr(events)
    assert "secret-of-the-inside" in caplog.text


async def test_a_conversation_too_long(database: Database, conversation: Conversation) -> None:
    """With `truncation` auto the oldest turns are left out until it fits; the link to the past stays whole."""
    for number in range(1, 6):
        run = play(runner_of(FakeProvider(), database), question(f"q{number}"), conversation=conversation.id)
        await drain(run)
    too_long = ContextTooLong("Too long.")
    upstream = FakeProvider(refusals=(too_long, too_long))
    last = play(runner_of(upstream, database), question("q6", truncation="auto"), conversation=conversation.id)
    assert kinds(await drain(last))[-1] == "completed"
    asked = [[item.text for item in request.input if item.role == "user"] for request in upstream.requests]
    assert asked == [[f"q{number}" for number in range(first, 7)] for first in (1, 4, 5)]
    stored = await record(database, last)
    assert stored is not None
    assert stored.parent == run.response.id


@pytest.mark.parametrize(("truncation", "asked"), [("disabled", 1), ("auto", 2)])
async def test_a_question_too_long(database: Database, conversation: Conversation, truncation: str, asked: int) -> None:
    """With `truncation` disabled, or when no turn is left to leave out, the error is raised."""
    await drain(play(runner_of(FakeProvider(), database), conversation=conversation.id))
    upstream = FakeProvider(refusals=(ContextTooLong("Too long."),) * 5)
    run = play(runner_of(upstream, database), question(truncation=truncation), conversation=conversation.id)
    with pytest.raises(ContextTooLong):
        await drain(run)
    assert len(upstream.requests) == asked


async def test_a_database_that_fails(database: Database) -> None:
    """The answer is whole, last event and all; the run says that it isn't stored yet."""
    run = play(runner_of(FakeProvider("one ", lambda _: database.close(), "two"), database))
    seen = await drain(run)
    assert text_of(seen) == "one two"
    assert kinds(seen)[-1] == "completed"
    assert "The database was closed." in str(run.warning)
