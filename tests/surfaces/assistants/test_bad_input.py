"""What goes wrong for real programs: each time a documented error, and a thread that can be used again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from tests.surfaces.assistants.forecaster import ANSWER, forecaster, outputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai.types.beta import Assistant, Thread
    from openai.types.beta.threads import Run

pytestmark = [
    pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning"),
    pytest.mark.parametrize("client", ["served"], indirect=True, scope="module"),
]


def refused(call: Callable[[], object], status: int = 400) -> tuple[str | None, str]:
    """Return the parameter and the message of what a call is refused with."""
    with pytest.raises(openai.APIStatusError) as raised:
        call()
    assert raised.value.status_code == status
    body: Any = raised.value.body
    assert set(body) == {"message", "type", "param", "code"}
    return body["param"], body["message"]


def waiting(client: openai.OpenAI, thread: Thread) -> Run:
    """Return a run that waits for its client."""
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=forecaster(client).id, poll_interval_ms=10
    )
    assert run.status == "requires_action"
    return run


def test_unknown_ids(client: openai.OpenAI, thread: Thread) -> None:
    """Nothing has an id that nobody gave."""
    runs = client.beta.threads.runs
    for call in (
        lambda: client.beta.assistants.retrieve("asst_nobody"),
        lambda: client.beta.threads.retrieve("thread_nobody"),
        lambda: client.beta.threads.messages.list("thread_nobody"),
        lambda: client.beta.threads.messages.retrieve("msg_nobody", thread_id=thread.id),
        lambda: runs.retrieve("run_nobody", thread_id=thread.id),
        lambda: runs.create(thread_id=thread.id, assistant_id="asst_nobody"),
        lambda: runs.create(thread_id="thread_nobody", assistant_id="asst_nobody", stream=True),
    ):
        assert "nobody" in refused(call, 404)[1]


def test_an_active_run(client: openai.OpenAI, bot: Assistant, thread: Thread) -> None:
    """While a run is active its thread takes neither a message nor another run."""
    run = waiting(client, thread)
    message = refused(lambda: client.beta.threads.messages.create(thread.id, role="user", content="And?"))
    second = refused(lambda: client.beta.threads.runs.create(thread_id=thread.id, assistant_id=bot.id))
    assert message[1] == f"Can't add messages to {thread.id} while a run {run.id} is active."
    assert second[1] == f"Thread {thread.id} already has an active run {run.id}."
    done = client.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs(run), poll_interval_ms=10
    )
    assert done.status == "completed"
    assert client.beta.threads.messages.create(thread.id, role="user", content="And?").role == "user"


def test_wrong_outputs(client: openai.OpenAI, thread: Thread) -> None:
    """Outputs of no call, of too few, or twice are refused, and the run still waits."""
    run = waiting(client, thread)
    (given,) = outputs(run)

    def submit(*wrong: Any) -> object:
        return client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=wrong)

    param, message = refused(lambda: submit({"tool_call_id": "call_nobody", "output": "x"}))
    assert param == "tool_outputs[0].tool_call_id"
    assert "call_nobody" in message
    assert refused(lambda: submit(given, given))[0] == "tool_outputs[1].tool_call_id"
    assert refused(submit)[0] == "tool_outputs"
    assert submit(given)
    ended = client.beta.threads.runs.poll(run.id, thread.id, poll_interval_ms=10)
    assert (ended.status, refused(lambda: submit(given))[0]) == ("completed", "run_id")


def test_cancelling_what_has_ended(client: openai.OpenAI, bot: Assistant, thread: Thread) -> None:
    """A run that has ended stays as it is."""
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=bot.id, poll_interval_ms=10)
    assert "completed" in refused(lambda: client.beta.threads.runs.cancel(run.id, thread_id=thread.id))[1]


def test_unknown_tools(client: openai.OpenAI, bot: Assistant, thread: Thread) -> None:
    """A type of tool that there isn't is refused with those that there are, for an assistant and for a run."""
    unknown: Any = [{"type": "browser"}]
    for call in (
        lambda: client.beta.assistants.create(model="bot", tools=unknown),
        lambda: client.beta.assistants.update(bot.id, tools=unknown),
        lambda: client.beta.threads.runs.create(thread_id=thread.id, assistant_id=bot.id, tools=unknown),
    ):
        param, message = refused(call)
        assert (param, "code_interpreter, file_search and function" in message) == ("tools[0].type", True)


def test_code_that_is_not_run_here(client: openai.OpenAI) -> None:
    """While the operator hasn't allowed it, an assistant with it is refused, with the key to set."""
    param, message = refused(lambda: client.beta.assistants.create(model="bot", tools=[{"type": "code_interpreter"}]))
    assert (param, "`codeInterpreter: true`" in message) == ("tools[0]", True)


def test_an_assistant_deleted_midway(client: openai.OpenAI, thread: Thread) -> None:
    """Its run goes on to its end; after that nobody answers by that id."""
    run = waiting(client, thread)
    assert run.assistant_id is not None
    client.beta.assistants.delete(run.assistant_id)
    client.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs(run), poll_interval_ms=10
    )
    (told,) = client.beta.threads.messages.list(thread.id, limit=1).data[0].content
    assert told.type == "text"
    assert told.text.value == ANSWER
    gone = run.assistant_id
    assert gone in refused(lambda: client.beta.threads.runs.create(thread_id=thread.id, assistant_id=gone), 404)[1]


def test_a_broken_cursor(client: openai.OpenAI, thread: Thread) -> None:
    """A page can't begin at what isn't in the list."""
    assert refused(lambda: client.beta.assistants.list(after="asst_nobody"))[0] == "after"
    assert refused(lambda: client.beta.threads.messages.list(thread.id, before="msg_nobody"))[0] == "before"
