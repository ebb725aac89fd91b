"""A turn of several upstream calls: its events, what it costs, what ends it midway, what it leaves behind."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from tests.runner.fakes import HANG, FakeProvider, SteppedProvider, answer, drain, kinds, question, runner_of, wants

from agentbench.errors import ContextTooLong, UpstreamUnavailable
from agentbench.protocol import Usage
from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Reasoning
from agentbench.runner import Turn
from agentbench.runner.tools import as_tool
from agentbench.storage import conversations, responses, usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol import CreateResponse, Event, EventBuilder
    from agentbench.runner import Run
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio

TEXT = ("Done.",)


@pytest.fixture
async def conversation(database: Database) -> Conversation:
    """Give a new conversation of the person at the kernel."""
    return await database.write(partial(conversations.create, user="kernel"))


class Gate:
    """A tool that waits to be let go on."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def wait(self) -> str:
        """Wait until the gate is open."""
        self.entered.set()
        self.opened.wait(10)
        return "through"

    async def reached(self) -> None:
        """Return once the tool runs."""
        assert await anyio.to_thread.run_sync(self.entered.wait, 5)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Give a closed gate; open it at the end."""
    gate = Gate()
    yield gate
    gate.opened.set()


def double(x: int) -> int:
    """Double a number."""
    return 2 * x


def begin(
    provider: FakeProvider,
    database: Database,
    *functions: Any,
    request: CreateResponse | None = None,
    conversation: Conversation | None = None,
) -> Run:
    """Start a turn with these functions, by default one."""
    turn = Turn(request=request or question(), conversation=conversation and conversation.id)
    return runner_of(provider, database).start(turn, tools=[as_tool(each) for each in functions or (double,)])


async def ledger(database: Database) -> list[UsageRow]:
    """Return every row."""
    return await database.read(usage.rows)


def thinks(text: str, *, sealed: str | None = None) -> Any:
    """Return a chunk in which the model thinks; the provider gives the same id each time."""

    def chunk(builder: EventBuilder) -> list[Event]:
        events = builder.reasoning_begins("rs_1") + builder.reasoning(text)
        return events + ([] if sealed is None else builder.reasoning_sealed(sealed))

    return chunk


def spends(tokens_in: int, tokens_out: int) -> Any:
    """Return a chunk that tells the tokens of an upstream call."""
    return lambda builder: builder.usage(Usage.of(tokens_in, tokens_out, cached=1, reasoning=2))


# -- the events -----------------------------------------------------------------------------------------------------


async def test_one_stream_of_several_calls(database: Database) -> None:
    """It begins and ends once; items are numbered through, and have ids of their own whatever the provider gives."""
    first = [thinks("Hm. "), "Let me see. ", wants("double", x=1), wants("double", x=2)]
    provider = SteppedProvider(first, [thinks("Ah. "), wants("double", x=4)], TEXT)
    run = begin(provider, database)
    events = await drain(run)
    assert kinds(events).count("created") == kinds(events).count("completed") == 1
    added = [event for event in events if isinstance(event, ev.ItemAdded)]
    assert [event.output_index for event in added] == list(range(10))
    assert [type(event.item).__name__ for event in added][6:] == [
        "Reasoning",
        "FunctionCall",
        "FunctionCallOutput",
        "Message",
    ]
    assert run.response.output_text == "Let me see. Done."


async def test_a_call_is_told_before_its_tool_ends(database: Database, gate: Gate) -> None:
    """The reader sees the call while the tool runs."""
    batches = begin(SteppedProvider([wants("wait")], TEXT), database, gate.wait).events()
    seen: list[Event] = []
    while not any(isinstance(event, ev.ItemDone) for event in seen):
        seen += await anext(batches)
    assert not gate.entered.is_set()
    gate.opened.set()
    rest = [event async for batch in batches for event in batch]
    assert isinstance(rest[0], ev.ItemAdded)
    assert isinstance(rest[0].item, FunctionCallOutput)


async def test_usage_adds_up(database: Database) -> None:
    """The tokens of all upstream calls are the answer's, and each call has a row of its own."""
    provider = SteppedProvider([spends(10, 5), wants("double", x=1)], [spends(20, 7), *TEXT])
    response = await answer(begin(provider, database))
    assert response.usage == Usage.of(30, 12, cached=2, reasoning=4)
    rows = await ledger(database)
    assert [(row.step, row.context) for row in rows] == [(0, "tool_step"), (1, "message")]
    assert (sum(row.input_tokens or 0 for row in rows), sum(row.output_tokens or 0 for row in rows)) == (30, 12)


async def test_reasoning_is_kept_between_steps(database: Database) -> None:
    """The model gets its reasoning back with its calls, sealed as it came."""
    provider = SteppedProvider([thinks("Hm.", sealed="opaque"), wants("double", x=1)], TEXT)
    await answer(begin(provider, database))
    thought = next(item for item in provider.requests[1].input if isinstance(item, Reasoning))
    assert (thought.id, thought.text, thought.encrypted_content) == ("rs_1", "Hm.", "opaque")


async def test_what_is_stored(database: Database, conversation: Conversation) -> None:
    """The record has the calls and results, and the next turn begins with them."""
    provider = SteppedProvider([wants("double", x=1)], TEXT)
    first = await answer(begin(provider, database, conversation=conversation))
    stored = await database.read(partial(responses.get, response_id=first.id, user="kernel"))
    assert stored is not None
    assert stored.response.output == first.output
    await answer(begin(provider, database, conversation=conversation))
    assert provider.requests[-1].input[1:4] == first.output


# -- what ends it midway --------------------------------------------------------------------------------------------


async def test_stop_within_a_tool(database: Database, gate: Gate) -> None:
    """The answer ends at once and well, without the tool's result; its call has a row and it is stored."""
    run = begin(SteppedProvider(["Let me see. ", spends(3, 2), wants("wait")], TEXT), database, gate.wait)
    reading = asyncio.create_task(drain(run))
    await gate.reached()
    run.stop()
    events = await asyncio.wait_for(reading, 2)
    assert kinds(events)[-1] == "incomplete"
    assert run.response.incomplete_details is not None
    assert run.response.incomplete_details.reason == "interrupted"
    assert [type(item).__name__ for item in run.response.output] == ["Message", "FunctionCall"]
    (row,) = await ledger(database)
    assert (row.status, row.input_tokens, row.response_id) == ("completed", 3, run.response.id)
    assert run.row is not None
    assert run.row.status == "incomplete"


async def test_a_reader_that_goes_away_within_a_tool(database: Database, gate: Gate) -> None:
    """The same, but for the events that nobody sees."""
    run = begin(SteppedProvider([wants("wait")], TEXT), database, gate.wait)
    reading = asyncio.create_task(drain(run))
    await gate.reached()
    reading.cancel()
    await asyncio.wait([reading], timeout=2)
    assert reading.cancelled()
    assert [(row.context, row.status) for row in await ledger(database)] == [("tool_step", "completed")]
    assert await database.read(partial(responses.get, response_id=run.response.id, user="kernel")) is not None


async def test_stop_within_a_later_step(database: Database) -> None:
    """The upstream is closed; what the tools gave is kept."""
    provider = SteppedProvider([wants("double", x=1)], ["Well, ", HANG])
    run = begin(provider, database)
    reading = asyncio.create_task(drain(run))
    await asyncio.wait_for(provider.hung.acquire(), 2)
    run.stop()
    await asyncio.wait_for(reading, 2)
    assert (provider.opened, provider.closed) == (2, 2)
    assert (run.response.status, run.response.output_text) == ("incomplete", "Well, ")


async def test_the_turn_after_a_tool_was_interrupted(
    database: Database, conversation: Conversation, gate: Gate
) -> None:
    """It gets neither the call that has no result nor the reasoning that led to it: providers refuse both."""
    chunks = ["Let me see. ", thinks("Hm.", sealed="opaque"), wants("wait")]
    run = begin(SteppedProvider(chunks), database, gate.wait, conversation=conversation)
    reading = asyncio.create_task(drain(run))
    await gate.reached()
    run.stop()
    await asyncio.wait_for(reading, 2)
    after = SteppedProvider(TEXT)
    await answer(begin(after, database, conversation=conversation))
    assert [getattr(item, "text", None) for item in after.requests[0].input] == ["What?", "Let me see. ", "What?"]


async def test_the_turn_after_a_later_step_was_interrupted(database: Database, conversation: Conversation) -> None:
    """It gets the calls that have their results."""
    provider = SteppedProvider([thinks("Hm."), wants("double", x=1)], ["Well, ", wants("double", x=2), HANG])
    run = begin(provider, database, conversation=conversation)
    reading = asyncio.create_task(drain(run))
    await asyncio.wait_for(provider.hung.acquire(), 2)
    run.stop()
    await asyncio.wait_for(reading, 2)
    after = SteppedProvider(TEXT)
    await answer(begin(after, database, conversation=conversation))
    assert after.requests[0].input[1:5] == run.response.output[:4]
    assert len(after.requests[0].input) == 6


async def test_an_answer_that_is_cut_runs_nothing(database: Database) -> None:
    """A call of an answer that ended early may lack half its arguments."""
    provider = SteppedProvider([wants("double", x=1), lambda builder: builder.cut("max_output_tokens")])
    run = begin(provider, database)
    assert kinds(await drain(run))[-1] == "incomplete"
    assert [type(item) for item in run.response.output] == [FunctionCall]


async def test_an_error_at_a_later_step(database: Database, conversation: Conversation) -> None:
    """It is an event, even before the upstream has begun to answer: the answer itself has begun."""
    provider = SteppedProvider([spends(3, 2), wants("double", x=1)], UpstreamUnavailable("The line is dead."))
    run = begin(provider, database, conversation=conversation)
    assert kinds(await drain(run))[-2:] == ["error", "failed"]
    assert run.response.error is not None
    assert run.response.error.message == "The line is dead."
    assert [(row.status, row.input_tokens) for row in await ledger(database)] == [("completed", 3), ("failed", 0)]


# -- too long -------------------------------------------------------------------------------------------------------


async def test_too_long_at_a_later_step(database: Database) -> None:
    """A result that the model has no room for fails the answer, by a code that clients know."""
    run = begin(SteppedProvider([wants("double", x=1)], ContextTooLong("Too long.")), database)
    assert kinds(await drain(run))[-2:] == ["error", "failed"]
    assert run.response.error is not None
    assert (run.response.error.code, run.response.error.message) == (ContextTooLong.code, "Too long.")


async def test_the_past_makes_room_at_a_later_step(database: Database, conversation: Conversation) -> None:
    """With `truncation` auto older turns are left out; what this turn has made stays, and the answer goes on."""
    for number in range(1, 3):
        await drain(begin(FakeProvider(), database, request=question(f"q{number}"), conversation=conversation))
    provider = SteppedProvider([wants("double", x=1)], ContextTooLong("Too long."), TEXT)
    run = begin(provider, database, request=question("q3", truncation="auto"), conversation=conversation)
    assert kinds(await drain(run))[-1] == "completed"
    asked = [
        [item.text for item in request.input if getattr(item, "role", "") == "user"] for request in provider.requests
    ]
    assert asked == [["q1", "q2", "q3"], ["q1", "q2", "q3"], ["q2", "q3"]]
    assert provider.requests[2].input[-2:] == run.response.output[:2]
