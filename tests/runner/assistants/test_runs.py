"""Runs: what they tell while they answer, what stays of them, and what the model is asked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.runner.assistants.threads import names, said, talking
from tests.runner.fakes import HANG, SteppedProvider, runner_of

from agentbench.auth.principal import KERNEL, Principal
from agentbench.errors import (
    ContextTooLong,
    InsufficientBalance,
    InvalidRequest,
    StorageError,
    UnknownName,
    UpstreamRateLimited,
    UpstreamUnavailable,
)
from agentbench.protocol import Usage
from agentbench.protocol.assistants.objects import LastError, Reason, RunUsage, Truncation
from agentbench.protocol.assistants.requests import (
    ChangeMetadata,
    CreateAssistant,
    CreateMessage,
    CreateThread,
    CreateThreadAndRun,
)
from agentbench.protocol.items import Message
from agentbench.runner.assistants.endings import error_of
from agentbench.runner.assistants.working import Work
from agentbench.storage import conversations
from agentbench.storage.paging import Page

if TYPE_CHECKING:
    from agentbench.errors import AgentbenchError
    from agentbench.protocol import CreateResponse
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

WHOLE = [
    *("run.created", "run.queued", "run.in_progress", "run.step.created", "run.step.in_progress"),
    *("message.created", "message.in_progress", "message.delta", "message.completed"),
    *("run.step.completed", "run.completed"),
]


def asked(request: CreateResponse) -> list[str]:
    """Return the texts of a request's messages."""
    return [item.text for item in request.input if isinstance(item, Message)]


async def test_events(database: Database) -> None:
    """A run tells of itself, its step and its message in the API's order; who follows late sees all of it too."""
    async with talking(database, ["one ", "two"]) as thread:
        run = await thread.start()
        events = await thread.told(run)
        assert names(events) == WHOLE
        deltas = [event.data.delta["content"][0] for event in events if event.name == "thread.message.delta"]
        assert [each["text"]["value"] for each in deltas] == ["one ", "two"]
        assert await thread.told(run) == events
        late = thread.desk.follow(run.id, begun=len(events) - 1)
        assert [event.name async for batch in late for event in batch] == ["thread.run.completed"]


async def test_what_stays(database: Database) -> None:
    """The run is completed with its tokens, its message is in the thread, and its step says which."""
    usage = Usage.of(7, 3)
    async with talking(database, ["ok", lambda builder: builder.usage(usage)]) as thread:
        run = await thread.ended(metadata={"a": "b"})
        assert (run.status, run.model) == ("completed", "fake/m")
        assert run.usage == RunUsage(prompt_tokens=7, completion_tokens=3, total_tokens=10)
        assert (run.expires_at, run.metadata) == (None, {"a": "b"})
        assert run.started_at is not None
        assert run.completed_at is not None
        question, answer = await thread.messages()
        assert (said(question), said(answer)) == ("What?", "ok")
        assert (answer.role, answer.run_id, answer.assistant_id) == ("assistant", run.id, thread.assistant)
        (step,) = await thread.steps(run)
        assert step.step_details["message_creation"]["message_id"] == answer.id


async def test_what_is_asked(database: Database) -> None:
    """The model gets the assistant's instructions or the run's, those that are added, and what the run sets."""
    provider = SteppedProvider(["ok"])
    async with talking(database, provider=provider, instructions="Be kind.", temperature=0.5) as thread:
        await thread.ended(additional_instructions="Be brief.", max_completion_tokens=300)
        await thread.ended(instructions="Rhyme.", temperature=0.1, response_format={"type": "json_object"})
    first, second = provider.requests
    assert first.instructions == "Be kind.\n\nBe brief."
    assert (first.temperature, first.top_p, first.max_output_tokens) == (0.5, None, 300)
    assert (second.instructions, second.temperature) == ("Rhyme.", 0.1)
    assert second.text.format.__struct_config__.tag == "json_object"


async def test_the_thread_so_far(database: Database) -> None:
    """A later run's model gets the whole thread as it is then, and its answer follows the one before."""
    provider = SteppedProvider(["first"], ["second"])
    async with talking(database, provider=provider) as thread:
        await thread.ended()
        question = (await thread.messages())[0]
        await thread.desk.delete_message(KERNEL, thread.thread, question.id)
        await thread.ended(additional_messages=(CreateMessage(role="user", content="And?"),))
        assert [said(each) for each in await thread.messages()] == ["first", "And?", "second"]
    assert asked(provider.requests[0]) == ["What?"]
    assert asked(provider.requests[1]) == ["first", "And?"]


async def test_its_conversation(database: Database) -> None:
    """A thread is a conversation with a title, whose newest response is the newest run's."""
    async with talking(database, ["first"], ["second"]) as thread:
        await thread.ended()
        await thread.runner.titles.settled()
        get = partial(conversations.get, conversation_id=thread.thread, user="kernel")
        first = await database.read(get)
        await thread.ended()
        second = await database.read(get)
    assert first is not None
    assert second is not None
    assert (first.title, second.title) == ("What?", "What?")
    assert None not in (first.head, second.head)
    assert first.head != second.head


async def test_the_last_messages(database: Database) -> None:
    """A run may get only the last messages of the thread."""
    provider = SteppedProvider(["first"], ["second"])
    async with talking(database, provider=provider) as thread:
        await thread.ended()
        await thread.say("And?")
        await thread.ended(truncation_strategy=Truncation(type="last_messages", last_messages=2))
        with pytest.raises(InvalidRequest, match="at least 1"):
            await thread.start(truncation_strategy=Truncation(type="last_messages"))
    assert asked(provider.requests[1]) == ["first", "And?"]
    assert provider.requests[1].truncation == "disabled"


async def test_few_tokens(database: Database) -> None:
    """Of a thread that is too long for its prompt the oldest is left out; a question that is too long ends the run."""
    provider = SteppedProvider(["long " * 400], ["short"])
    async with talking(database, provider=provider) as thread:
        await thread.ended()
        await thread.say("And?")
        assert (await thread.ended(max_prompt_tokens=256)).status == "completed"
        await thread.say("much " * 400)
        run = await thread.ended(max_prompt_tokens=256)
    assert asked(provider.requests[1]) == ["And?"]
    assert (run.status, run.incomplete_details) == ("incomplete", Reason(reason="max_prompt_tokens"))


async def test_an_answer_cut_short(database: Database) -> None:
    """A run whose answer is too long is incomplete, and so is its message."""
    async with talking(database, ["one ", lambda builder: builder.cut("max_output_tokens")]) as thread:
        run = await thread.start()
        assert names(await thread.told(run))[-3:] == ["message.incomplete", "run.step.completed", "run.incomplete"]
        assert (await thread.run(run)).incomplete_details == Reason(reason="max_completion_tokens")
        message = (await thread.messages())[-1]
    assert (said(message), message.status, message.incomplete_details) == (
        "one ",
        "incomplete",
        Reason(reason="max_tokens"),
    )


@pytest.mark.parametrize("answer", [UpstreamUnavailable("It is down."), ["one ", UpstreamUnavailable("It is down.")]])
async def test_a_failure(database: Database, answer: object) -> None:
    """A run whose model fails, before the first word or after it, says why; the thread stays usable."""
    async with talking(database, answer, ["fine"]) as thread:
        run = await thread.ended()
        assert (run.status, run.failed_at is None) == ("failed", False)
        assert run.last_error is not None
        assert (run.last_error.code, run.last_error.message) == ("server_error", "It is down.")
        assert (await thread.ended()).status == "completed"


async def test_a_defect(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw ends the run too; what it says stays in the log."""
    async with talking(database, [ValueError("the key is hunter2")]) as thread:
        run = await thread.ended()
    assert run.last_error is not None
    assert "hunter2" not in run.last_error.message
    assert "hunter2" in caplog.text


async def test_a_thread_with_its_run(database: Database) -> None:
    """Both can be made at once; the thread is the first that is told, and isn't made for a run that can't be."""
    runner = runner_of(SteppedProvider(["ok"]), database)
    desk = runner.assistants
    made = await desk.create(KERNEL, CreateAssistant(model="bot"))
    body = CreateThreadAndRun(
        assistant_id=made.id, thread=CreateThread(messages=(CreateMessage(role="user", content="What?"),))
    )
    run = await desk.start_with_thread(KERNEL, body)
    events = [event async for batch in desk.follow(run.id) for event in batch]
    assert names(events) == ["created", *WHOLE]
    assert (await desk.run(KERNEL, run.thread_id, run.id)).status == "completed"
    await runner.titles.settled()


async def test_one_at_a_time(database: Database) -> None:
    """While a run is active, its thread takes no other run and no message."""
    async with talking(database, [HANG]) as thread:
        run = await thread.start()
        with pytest.raises(InvalidRequest, match=f"already has an active run {run.id}"):
            await thread.start()
        with pytest.raises(InvalidRequest, match=f"while a run {run.id} is active"):
            await thread.say("And?")


async def test_what_is_refused(database: Database) -> None:
    """An unknown assistant or thread, a choice of no tool, and another user's run are refused before anything runs."""
    async with talking(database, ["ok"]) as thread:
        run = await thread.ended()
        with pytest.raises(UnknownName, match="asst_x"):
            await thread.desk.start(KERNEL, thread.thread, CreateThreadAndRun(assistant_id="asst_x"))
        with pytest.raises(UnknownName, match="thread_x"):
            await thread.desk.start(KERNEL, "thread_x", CreateThreadAndRun(assistant_id=thread.assistant))
        with pytest.raises(UnknownName):
            await thread.desk.run(Principal(user="eve"), thread.thread, run.id)
        assert len((await thread.desk.runs(KERNEL, thread.thread, Page())).data) == 1


async def test_other_metadata(database: Database) -> None:
    """A run takes other metadata."""
    async with talking(database, ["ok"]) as thread:
        run = await thread.ended()
        await thread.desk.change_run(KERNEL, thread.thread, run.id, ChangeMetadata(metadata={"k": "v"}))
        assert (await thread.run(run)).metadata == {"k": "v"}


async def test_a_database_in_trouble(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose end can't be stored tells its followers that it failed; stored, it is left to expire."""

    def broken(*_: object, **__: object) -> None:
        raise StorageError("The disk is full.")

    async with talking(database, ["ok"]) as thread:
        run = await thread.start()
        monkeypatch.setattr(Work, "_store_end", broken)
        last = (await thread.told(run))[-1]
        assert (last.name, last.data.last_error.message) == ("thread.run.failed", "The disk is full.")
        assert (await thread.run(run)).status == "in_progress"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InsufficientBalance(0, 10), "rate_limit_exceeded"),
        (UpstreamRateLimited("Slow down."), "rate_limit_exceeded"),
        (ContextTooLong("Too long."), "invalid_prompt"),
        (UpstreamUnavailable("It is down."), "server_error"),
    ],
)
async def test_codes(error: AgentbenchError, code: str) -> None:
    """Of our errors runs tell the message, and one of the API's three codes."""
    assert error_of(error) == LastError(code=code, message=error.message)
