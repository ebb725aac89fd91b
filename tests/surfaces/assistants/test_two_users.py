"""Two users: what one has, the other can't find, by any id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import openai
import pytest
from tests.surfaces.assistants.forecaster import forecaster

from agentbench.auth.principal import Principal
from agentbench.gateway import clients
from agentbench.gateway.transports import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench import Workbench

    Call = Callable[[openai.OpenAI, "Ids"], object]

pytestmark = pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning")


class Ids(NamedTuple):
    """What somebody has."""

    assistant: str
    thread: str
    message: str
    run: str
    step: str


NOBODYS = Ids("asst_nobody", "thread_nobody", "msg_nobody", "run_nobody", "step_nobody")
CALLS: dict[str, Call] = {
    "thread": lambda c, i: c.beta.threads.retrieve(i.thread),
    "change thread": lambda c, i: c.beta.threads.update(i.thread, metadata={"a": "b"}),
    "delete thread": lambda c, i: c.beta.threads.delete(i.thread),
    "messages": lambda c, i: c.beta.threads.messages.list(i.thread),
    "add message": lambda c, i: c.beta.threads.messages.create(i.thread, role="user", content="x"),
    "message": lambda c, i: c.beta.threads.messages.retrieve(i.message, thread_id=i.thread),
    "change message": lambda c, i: c.beta.threads.messages.update(i.message, thread_id=i.thread, metadata={}),
    "delete message": lambda c, i: c.beta.threads.messages.delete(i.message, thread_id=i.thread),
    "runs": lambda c, i: c.beta.threads.runs.list(i.thread),
    "start": lambda c, i: c.beta.threads.runs.create(i.thread, assistant_id=i.assistant),
    "start a stream": lambda c, i: c.beta.threads.runs.create(i.thread, assistant_id=i.assistant, stream=True),
    "run": lambda c, i: c.beta.threads.runs.retrieve(i.run, thread_id=i.thread),
    "change run": lambda c, i: c.beta.threads.runs.update(i.run, thread_id=i.thread, metadata={}),
    "cancel": lambda c, i: c.beta.threads.runs.cancel(i.run, thread_id=i.thread),
    "submit": lambda c, i: c.beta.threads.runs.submit_tool_outputs(i.run, thread_id=i.thread, tool_outputs=[]),
    "steps": lambda c, i: c.beta.threads.runs.steps.list(i.run, thread_id=i.thread),
    "step": lambda c, i: c.beta.threads.runs.steps.retrieve(i.step, thread_id=i.thread, run_id=i.run),
}


def client_of(bench: Workbench, **fields: Any) -> openai.OpenAI:
    """Return a client of somebody's."""
    principal = Principal(remote=True, **fields)
    return clients.openai(InProcessTransport(bench._loop, lambda: bench.app, principal))


@pytest.fixture(scope="module")
def ann(bench: Workbench) -> Iterator[openai.OpenAI]:
    """Give one user."""
    with client_of(bench, user="ann") as client:
        yield client


@pytest.fixture(scope="module")
def ben(bench: Workbench) -> Iterator[openai.OpenAI]:
    """Give the other, who is an administrator."""
    with client_of(bench, user="ben", role="ADMIN") as client:
        yield client


@pytest.fixture(scope="module")
def anns(ann: openai.OpenAI) -> Ids:
    """Give what ann has: a run that waits for her."""
    assistant = forecaster(ann).id
    thread = ann.beta.threads.create(messages=[{"role": "user", "content": "Hi"}]).id
    run = ann.beta.threads.runs.create_and_poll(thread_id=thread, assistant_id=assistant, poll_interval_ms=10)
    (message,) = ann.beta.threads.messages.list(thread).data
    (step,) = ann.beta.threads.runs.steps.list(run.id, thread_id=thread).data
    return Ids(assistant, thread, message.id, run.id, step.id)


@pytest.mark.parametrize("name", CALLS)
def test_another_users(ben: openai.OpenAI, anns: Ids, name: str) -> None:
    """It is answered as if there were nothing, in the same words."""
    told = []
    for ids in (anns, NOBODYS):
        with pytest.raises(openai.NotFoundError) as raised:
            CALLS[name](ben, ids)
        text = str(raised.value.body)
        for real, dummy in zip(ids, NOBODYS, strict=True):
            text = text.replace(real, dummy)
        told.append(text)
    assert told[0] == told[1]


def test_other_ids_in_ones_own_thread(ben: openai.OpenAI, anns: Ids) -> None:
    """Nor is it found through a thread of one's own."""
    thread = ben.beta.threads.create().id
    for name in ("message", "change message", "delete message", "run", "change run", "cancel", "submit", "steps"):
        with pytest.raises(openai.NotFoundError):
            CALLS[name](ben, anns._replace(thread=thread))


def test_still_there(ann: openai.OpenAI, ben: openai.OpenAI, anns: Ids) -> None:
    """Nothing of it changed, and the other's lists hold none of it."""
    assert ann.beta.threads.runs.retrieve(anns.run, thread_id=anns.thread).status == "requires_action"
    assert [each.id for each in ann.beta.threads.messages.list(anns.thread)] == [anns.message]
    assert ben.beta.assistants.retrieve(anns.assistant).id == anns.assistant


def test_anothers_assistant(bench: Workbench, ann: openai.OpenAI, ben: openai.OpenAI) -> None:
    """Everybody uses it; only its author and administrators change it."""
    made = ann.beta.assistants.create(model="bot")
    asked: Any = {"messages": [{"role": "user", "content": "Hi"}]}
    with client_of(bench, user="cho") as cho:
        run = cho.beta.threads.create_and_run_poll(assistant_id=made.id, thread=asked, poll_interval_ms=10)
        assert run.status == "completed"
        with pytest.raises(openai.PermissionDeniedError):
            cho.beta.assistants.update(made.id, name="mine")
        with pytest.raises(openai.PermissionDeniedError):
            cho.beta.assistants.delete(made.id)
    assert ben.beta.assistants.update(made.id, name="ours").name == "ours"


def test_a_key_for_some_agents(bench: Workbench, ann: openai.OpenAI) -> None:
    """A key that may name one agent gets no other model through an assistant."""
    made = ann.beta.assistants.create(model="scripted/json")
    asked: Any = {"messages": [{"role": "user", "content": "Hi"}]}
    with client_of(bench, user="ann", agents=("bot",)) as few:
        run = few.beta.threads.create_and_run_poll(assistant_id=made.id, thread=asked, poll_interval_ms=10)
    assert (run.status, run.model) == ("completed", "scripted/text")
