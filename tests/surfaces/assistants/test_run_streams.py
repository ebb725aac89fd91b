"""Runs followed through the openai SDK's own helpers, with an event handler of the caller's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from tests.surfaces.assistants.forecaster import ANSWER, forecaster, outputs

if TYPE_CHECKING:
    from openai.types.beta import Assistant, AssistantStreamEvent, Thread
    from openai.types.beta.threads import Message, Text, TextDelta
    from openai.types.beta.threads.runs import RunStep, ToolCall

    from agentbench import Workbench

pytestmark = pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning")
HELLO = "Hello, 세계! 🙂"
ASKED: Any = {"messages": [{"role": "user", "content": "Hi"}]}


class Listener(openai.AssistantEventHandler):
    """Notes what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.deltas: list[str] = []
        self.heard: list[str] = []

    def on_event(self, event: AssistantStreamEvent) -> None:
        """Note an event's name."""
        self.names.append(event.event)

    def on_text_created(self, text: Text) -> None:
        """Note that a text begins, and with what."""
        self.heard.append(f"text created: {text.value}")

    def on_text_delta(self, delta: TextDelta, snapshot: Text) -> None:
        """Note a piece, and that the text so far ends with it."""
        assert snapshot.value.endswith(delta.value or "")
        self.deltas.append(delta.value or "")

    def on_text_done(self, text: Text) -> None:
        """Note a whole text."""
        self.heard.append(text.value)

    def on_tool_call_created(self, tool_call: ToolCall) -> None:
        """Note a call."""
        self.heard.append(f"{tool_call.type} created")

    def on_message_done(self, message: Message) -> None:
        """Note the end of a message."""
        self.heard.append(f"message {message.status}")

    def on_run_step_done(self, run_step: RunStep) -> None:
        """Note the end of a step."""
        self.heard.append(f"{run_step.type} {run_step.status}")

    def on_end(self) -> None:
        """Note the end."""
        self.heard.append("end")


def test_an_event_handler(client: openai.OpenAI, bot: Assistant, thread: Thread) -> None:
    """It hears every event in its order, and the text piece by piece."""
    listener = Listener()
    with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=bot.id, event_handler=listener) as stream:
        stream.until_done()
    news = [name.removeprefix("thread.") for name in listener.names if name != "thread.message.delta"]
    assert news == [
        *("run.created", "run.queued", "run.in_progress", "run.step.created", "run.step.in_progress"),
        *("message.created", "message.in_progress", "message.completed", "run.step.completed", "run.completed"),
    ]
    assert (len(listener.deltas), "".join(listener.deltas)) == (3, HELLO)
    assert listener.heard == [
        "text created: Hello,",
        HELLO,
        "message completed",
        "message_creation completed",
        "end",
    ]
    run = stream.get_final_run()
    assert (run.status, client.beta.threads.runs.retrieve(run.id, thread_id=thread.id)) == ("completed", run)


def test_text_deltas(client: openai.OpenAI, bot: Assistant, thread: Thread) -> None:
    """The text alone can be read, and the messages at the end are those of the thread."""
    with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=bot.id) as stream:
        assert "".join(stream.text_deltas) == HELLO
        (message,) = stream.get_final_messages()
    kept = client.beta.threads.messages.retrieve(message.id, thread_id=thread.id)
    assert kept == message


def test_a_function(client: openai.OpenAI, thread: Thread) -> None:
    """The first stream ends where the client has to act; the second begins where the first ended."""
    asking, told = Listener(), Listener()
    runs = client.beta.threads.runs
    with runs.stream(thread_id=thread.id, assistant_id=forecaster(client).id, event_handler=asking) as stream:
        waiting = stream.get_final_run()
    assert (asking.names[-1], waiting.status) == ("thread.run.requires_action", "requires_action")
    assert "function created" in asking.heard
    with runs.submit_tool_outputs_stream(
        run_id=waiting.id, thread_id=thread.id, tool_outputs=outputs(waiting), event_handler=told
    ) as stream:
        done = stream.get_final_run()
    assert (told.names[0], told.names[-1]) == ("thread.run.step.completed", "thread.run.completed")
    assert ("thread.run.created" in told.names, "".join(told.deltas), done.id) == (False, ANSWER, waiting.id)


def test_create_and_run_stream(client: openai.OpenAI, bot: Assistant) -> None:
    """The stream begins with the thread that was made."""
    listener = Listener()
    with client.beta.threads.create_and_run_stream(assistant_id=bot.id, thread=ASKED, event_handler=listener) as stream:
        run = stream.get_final_run()
    assert listener.names[:2] == ["thread.created", "thread.run.created"]
    assert [each.role for each in client.beta.threads.messages.list(run.thread_id)] == ["assistant", "user"]


@pytest.mark.parametrize(("model", "last"), [("failed", "failed"), ("cut", "incomplete"), ("refusal", "completed")])
def test_endings(client: openai.OpenAI, model: str, last: str) -> None:
    """The last event is the run as it ended."""
    assistant = client.beta.assistants.create(model=f"scripted/{model}")
    events = list(client.beta.threads.create_and_run(assistant_id=assistant.id, thread=ASKED, stream=True))
    assert events[-1].event == f"thread.run.{last}"
    run: Any = events[-1].data
    assert client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id) == run


def test_going_away(client: openai.OpenAI, thread: Thread) -> None:
    """A run whose reader goes away goes on, until it is cancelled."""
    slow = client.beta.assistants.create(model="scripted/slow")
    runs = client.beta.threads.runs
    with runs.create(thread_id=thread.id, assistant_id=slow.id, stream=True) as events:
        run: Any = next(event.data for event in events if event.event == "thread.run.in_progress")
    assert runs.retrieve(run.id, thread_id=thread.id).status == "in_progress"
    runs.cancel(run.id, thread_id=thread.id)
    assert runs.poll(run.id, thread.id, poll_interval_ms=10).status == "cancelled"


@pytest.mark.anyio
async def test_async(bench: Workbench) -> None:
    """The asynchronous helper hears the same."""
    async with bench.async_openai() as client:
        bot = await client.beta.assistants.create(model="bot")
        async with client.beta.threads.create_and_run_stream(assistant_id=bot.id, thread=ASKED) as stream:
            pieces = [piece async for piece in stream.text_deltas]
            run = await stream.get_final_run()
    assert ("".join(pieces), run.status) == (HELLO, "completed")
