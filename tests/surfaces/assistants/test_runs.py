"""Runs through the openai SDK: polled, given what functions gave back, cancelled, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.surfaces.assistants.forecaster import ANSWER, forecaster, outputs

from agentbench import Workbench

if TYPE_CHECKING:
    import openai
    from openai.types.beta import Assistant, Thread

pytestmark = pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning")
FAST = {"poll_interval_ms": 10}
HELLO = "Hello, 세계! 🙂"


def last_text(client: openai.OpenAI, thread_id: str) -> str:
    """Return what was said last in a thread."""
    (part,) = client.beta.threads.messages.list(thread_id, limit=1).data[0].content
    assert part.type == "text"
    return part.text.value


def test_create_and_poll(client: openai.OpenAI, bot: Assistant, thread: Thread) -> None:
    """The run ends, says who answered and what it took, and its answer is in the thread."""
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=bot.id)
    assert (run.status, run.model, run.assistant_id, run.instructions) == (
        "completed",
        "scripted/text",
        bot.id,
        "Be kind.",
    )
    assert run.usage is not None
    assert (run.usage.prompt_tokens, run.usage.completion_tokens, run.usage.total_tokens) == (11, 7, 18)
    assert run.started_at is not None
    assert run.completed_at is not None
    assert last_text(client, thread.id) == HELLO
    assert [each.run_id for each in client.beta.threads.messages.list(thread.id, run_id=run.id)] == [run.id]


def test_create_and_run_poll(client: openai.OpenAI, bot: Assistant) -> None:
    """A thread and its run begin at once."""
    run = client.beta.threads.create_and_run_poll(
        assistant_id=bot.id, thread={"messages": [{"role": "user", "content": "Hi"}]}, **FAST
    )
    assert (run.status, last_text(client, run.thread_id)) == ("completed", HELLO)


def test_a_function(client: openai.OpenAI, thread: Thread) -> None:
    """The run waits for the client, and goes on with what the function gave back; its steps tell both."""
    runs = client.beta.threads.runs
    run = runs.create_and_poll(thread_id=thread.id, assistant_id=forecaster(client).id, **FAST)
    assert (run.status, run.usage) == ("requires_action", None)
    given = outputs(run)
    done = runs.submit_tool_outputs_and_poll(run_id=run.id, thread_id=thread.id, tool_outputs=given, **FAST)
    assert (done.status, done.required_action, last_text(client, thread.id)) == ("completed", None, ANSWER)
    calls, message = runs.steps.list(run.id, thread_id=thread.id, order="asc").data
    assert (calls.type, calls.status, message.type, message.status) == (
        "tool_calls",
        "completed",
        "message_creation",
        "completed",
    )
    details: Any = calls.step_details
    (call,) = details.tool_calls
    assert (call.id, call.function.output) == (given[0]["tool_call_id"], "rain")
    assert runs.steps.retrieve(calls.id, thread_id=thread.id, run_id=run.id) == calls


def test_lists(client: openai.OpenAI, bot: Assistant, thread: Thread) -> None:
    """Runs are listed, newest first, and their metadata can be changed."""
    runs = client.beta.threads.runs
    made = [runs.create_and_poll(thread_id=thread.id, assistant_id=bot.id, **FAST).id for _ in range(3)]
    assert [each.id for each in runs.list(thread.id, limit=2)] == made[::-1]
    changed = runs.update(made[0], thread_id=thread.id, metadata={"a": "b"})
    assert (changed.status, changed.metadata) == ("completed", {"a": "b"})
    assert runs.retrieve(made[0], thread_id=thread.id) == changed
    assert runs.steps.list(made[0], thread_id=thread.id, limit=1).data[0].run_id == made[0]


def test_what_a_run_says_itself(client: openai.OpenAI, bot: Assistant, thread: Thread) -> None:
    """It may name another model and other instructions, and bring messages."""
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id,
        assistant_id=bot.id,
        model="scripted/json",
        instructions="Be short.",
        additional_instructions="In Korean.",
        additional_messages=[{"role": "user", "content": "Where?"}],
        temperature=0.1,
        max_completion_tokens=500,
        metadata={"a": "b"},
        tool_choice="none",
        **FAST,  # type: ignore[arg-type]
    )
    assert (run.status, run.model, run.temperature, run.metadata) == (
        "completed",
        "scripted/json",
        0.1,
        {"a": "b"},
    )
    assert ("Be short." in run.instructions, "In Korean." in run.instructions) == (True, True)
    assert len(client.beta.threads.messages.list(thread.id).data) == 3


def test_cancel(client: openai.OpenAI, thread: Thread) -> None:
    """A run that works is cancelled, and the thread can be used again."""
    slow = client.beta.assistants.create(model="scripted/slow")
    runs = client.beta.threads.runs
    with runs.create(thread_id=thread.id, assistant_id=slow.id, stream=True) as events:
        run: Any = next(event.data for event in events if event.event == "thread.run.in_progress")
        cancelling = runs.cancel(run.id, thread_id=thread.id)
        *_, last = events
    assert cancelling.status in ("cancelling", "cancelled")
    assert last.event == "thread.run.cancelled"
    assert runs.retrieve(run.id, thread_id=thread.id).cancelled_at is not None
    assert client.beta.threads.messages.create(thread.id, role="user", content="Go on.").role == "user"


def test_cancel_while_it_waits(client: openai.OpenAI, thread: Thread) -> None:
    """A run that waits for the client is cancelled at once."""
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=forecaster(client).id, poll_interval_ms=10
    )
    assert client.beta.threads.runs.cancel(run.id, thread_id=thread.id).status == "cancelled"


@pytest.mark.parametrize(
    ("model", "status"),
    [("failed", "failed"), ("failed-at-once", "failed"), ("cut", "incomplete"), ("empty", "completed")],
)
def test_endings(client: openai.OpenAI, thread: Thread, model: str, status: str) -> None:
    """However an answer ends, the run does too, says why, and the thread can be used."""
    assistant = client.beta.assistants.create(model=f"scripted/{model}")
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10)
    assert run.status == status
    assert (run.last_error is not None) == (status == "failed")
    assert (run.incomplete_details is not None) == (status == "incomplete")
    assert client.beta.threads.messages.create(thread.id, role="user", content="Go on.").role == "user"


@pytest.mark.anyio
async def test_async(bench: Workbench) -> None:
    """The asynchronous client polls too."""
    async with bench.async_openai() as client:
        bot = await client.beta.assistants.create(model="bot")
        run = await client.beta.threads.create_and_run_poll(
            assistant_id=bot.id, thread={"messages": [{"role": "user", "content": "Hi"}]}, poll_interval_ms=10
        )
        messages = await client.beta.threads.messages.list(run.thread_id)
    assert (run.status, [each.role for each in messages.data]) == ("completed", ["assistant", "user"])


@pytest.mark.local_model
def test_the_local_model(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A real model answers what an old program asks of another, with its usage."""
    with Workbench(home=tmp_path_factory.mktemp("local")) as bench, bench.openai() as client:
        tutor = client.beta.assistants.create(model="gpt-4o", temperature=0, instructions="Answer in one word.")
        run = client.beta.threads.create_and_run_poll(
            assistant_id=tutor.id,
            thread={"messages": [{"role": "user", "content": "Say hello."}]},
            max_completion_tokens=256,
            poll_interval_ms=50,
        )
        assert run.status in ("completed", "incomplete")
        assert run.model.startswith("local/")
        assert run.usage is not None
        assert run.usage.completion_tokens > 0
        assert last_text(client, run.thread_id)
