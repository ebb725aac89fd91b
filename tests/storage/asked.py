"""Assistants, threads, messages, runs and steps to store."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agentbench.protocol.assistants.content import TextPart, TextValue
from agentbench.protocol.assistants.objects import Assistant, Run, RunStep, Thread, ThreadMessage
from agentbench.protocol.values import new_id
from agentbench.storage import runs, threads
from agentbench.storage.assistants import StoredAssistant
from agentbench.storage.runs import StoredRun
from agentbench.storage.threads import StoredThread

if TYPE_CHECKING:
    from agentbench.storage.database import Database

NOW = 1_790_000_000


def some_assistant(assistant_id: str | None = None, *, user: str = "ann", **values: Any) -> StoredAssistant:
    """Return an assistant of Ann's."""
    made = Assistant(id=assistant_id or new_id("asst"), created_at=NOW, model="bot", **values)
    return StoredAssistant(assistant=made, user=user)


def some_thread(thread_id: str = "thread_1", *, user: str = "ann") -> StoredThread:
    """Return a thread of Ann's."""
    return StoredThread(thread=Thread(id=thread_id, created_at=NOW), user=user)


def some_message(message_id: str | None = None, *, thread: str = "thread_1", **values: Any) -> ThreadMessage:
    """Return a question."""
    content = (TextPart(text=TextValue(value="안녕\0")),)
    given = {"role": "user", "content": content, "thread_id": thread, "created_at": NOW}
    return ThreadMessage(id=message_id or new_id("msg"), **given | values)


def some_run(run_id: str = "run_1", *, thread: str = "thread_1", user: str = "ann", **values: Any) -> StoredRun:
    """Return a queued run of Ann's."""
    return StoredRun(run=Run(id=run_id, thread_id=thread, assistant_id="asst_1", created_at=NOW, **values), user=user)


def some_step(step_id: str | None = None, *, run: str = "run_1", thread: str = "thread_1", **values: Any) -> RunStep:
    """Return a step that makes a message."""
    given = {"type": "message_creation", "step_details": {"type": "message_creation"}, "created_at": NOW}
    whose = {"run_id": run, "thread_id": thread, "assistant_id": "asst_1"}
    return RunStep(id=step_id or new_id("step"), **given | whose | values)


async def begun(database: Database, *messages: ThreadMessage, run: StoredRun | None = None) -> StoredThread:
    """Store the thread `thread_1` with messages, and a run of it."""
    made = some_thread()
    await database.write(partial(threads.add, stored=made, messages=messages))
    if run is not None:
        await database.write(partial(runs.add, stored=run))
    return made
