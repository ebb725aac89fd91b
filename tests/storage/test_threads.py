"""Stored threads and their messages."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, func, select
from tests.storage.asked import begun, some_message, some_run, some_step, some_thread

from agentbench.protocol import Response
from agentbench.protocol.assistants.content import FileCitation, FileId, TextPart, TextValue
from agentbench.protocol.assistants.objects import Attachment
from agentbench.protocol.assistants.tools import FileSearch
from agentbench.storage import conversations, responses, runs, tables, threads
from agentbench.storage.database import Database
from agentbench.storage.paging import Page
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.protocol.assistants.objects import ThreadMessage

pytestmark = pytest.mark.anyio
OF_THREADS = ("threads", "thread_messages", "thread_runs", "run_steps", "conversations", "responses")


async def said(database: Database) -> list[str]:
    """Return the ids of the thread's messages, oldest first."""
    return [each.id for each in await database.read(partial(threads.all_messages, thread_id="thread_1"))]


def answer(connection: Connection) -> None:
    """Store an answer in the thread's conversation."""
    now = datetime.now(UTC)
    made = Response(id="resp_1", status="completed", model="m", created_at=1, output=())
    stored = StoredResponse(
        response=made, input=(), user="ann", endpoint="e", conversation_id="thread_1", created_at=now
    )
    responses.save(connection, stored)
    conversations.move_head(connection, "thread_1", "resp_1")


def counted(connection: Connection) -> list[int | None]:
    """Return how many rows the tables have that hold something of threads."""
    return [connection.scalar(select(func.count()).select_from(tables.metadata.tables[each])) for each in OF_THREADS]


async def test_a_thread_is_its_owners(database: Database) -> None:
    """It comes back as it was stored or changed, to its owner alone, who alone may delete it."""
    made = await begun(database)
    assert await database.read(partial(threads.get, thread_id="thread_1", user="ann")) == made
    changed = replace(made, thread=replace(made.thread, metadata={"a": "b"}))
    await database.write(partial(threads.save, stored=changed))
    assert await database.read(partial(threads.get, thread_id="thread_1", user="ann")) == changed
    assert await database.read(partial(threads.get, thread_id="thread_1", user="bob")) is None
    assert not await database.write(partial(threads.delete, thread_id="thread_1", user="bob"))
    assert await database.write(partial(threads.delete, thread_id="thread_1", user="ann"))
    assert not await database.write(partial(threads.delete, thread_id="thread_1", user="ann"))


async def test_a_deleted_thread_leaves_nothing(database: Database) -> None:
    """Messages, runs, steps, the conversation and its responses go with it; another thread's stay."""
    await begun(database, some_message(), run=some_run())
    await database.write(partial(runs.save_step, step=some_step()))
    await database.write(answer)
    assert await database.read(counted) == [1, 1, 1, 1, 1, 1]
    await database.write(partial(threads.add, stored=some_thread("b"), messages=[some_message(thread="b")]))
    await database.write(partial(threads.delete, thread_id="thread_1", user="ann"))
    assert await database.read(counted) == [1, 1, 0, 0, 1, 0]


async def test_a_threads_conversation(database: Database) -> None:
    """It tells the newest response; one that was deleted by itself is made again, and the thread stays."""
    made = await begun(database)
    ask = partial(threads.conversation, thread_id="thread_1", user="ann")
    assert await database.write(ask) is None
    await database.write(answer)
    assert await database.write(ask) == "resp_1"
    await database.write(lambda connection: connection.execute(delete(tables.conversations)))
    assert await database.read(partial(threads.get, thread_id="thread_1", user="ann")) == made
    assert await database.write(ask) is None
    again = await database.read(lambda c: conversations.get(c, "thread_1", "ann"))
    assert again is not None
    assert (again.agent, again.title) == (None, None)


async def test_a_message_comes_back(database: Database) -> None:
    """All that is known of it is as it was stored, whatever it has; in another thread it isn't there."""
    cited = FileCitation(text="[1]", start_index=0, end_index=3, file_citation=FileId(file_id="file_1"))
    attachment = Attachment(file_id="file_1", tools=(FileSearch(),))
    part = TextPart(text=TextValue(value="[1] 🙂", annotations=(cited,)))
    made = some_message("m", content=(part,), attachments=(attachment,), metadata={"a": "b"}, run_id="run_1")
    await begun(database, made)
    assert await database.read(partial(threads.message, thread_id="thread_1", message_id="m")) == made
    assert await database.read(partial(threads.message, thread_id="thread_2", message_id="m")) is None
    assert not await database.write(partial(threads.delete_message, thread_id="thread_2", message_id="m"))
    assert await database.write(partial(threads.delete_message, thread_id="thread_1", message_id="m"))
    assert await said(database) == []


async def test_a_saved_message_keeps_its_place(database: Database) -> None:
    """A message that grows stands where it began; one that is new comes last."""
    await begun(database, *(some_message(each) for each in "ab"))
    for each in (some_message("c", run_id="run_1"), some_message("a", role="assistant")):
        await database.write(partial(threads.save_message, message=each))
    found = await database.read(partial(threads.all_messages, thread_id="thread_1"))
    assert [(each.id, each.role) for each in found] == [("a", "assistant"), ("b", "user"), ("c", "user")]
    of_run = await database.read(partial(threads.messages, thread_id="thread_1", page=Page(), run_id="run_1"))
    assert [each.id for each in of_run] == ["c"]


async def test_two_that_add_messages(database_url: str, database: Database) -> None:
    """Of two processes at once each adds its messages as a whole: nothing is lost, and nothing comes between two."""

    def pair(connection: Connection, first: ThreadMessage, second: ThreadMessage) -> None:
        threads.lock(connection, "thread_1")
        threads.add_message(connection, first)
        threads.add_message(connection, second)

    await begun(database)
    with closing(Database(database_url)) as other:
        jobs = [
            each.write(partial(pair, first=some_message(f"{name}{n}-"), second=some_message(f"{name}{n}+")))
            for n in range(10)
            for name, each in (("a", database), ("b", other))
        ]
        await asyncio.gather(*jobs)
    ids = await said(database)
    assert len(set(ids)) == 40
    assert [each[:-1] for each in ids[::2]] == [each[:-1] for each in ids[1::2]]


async def test_a_lock_on_nothing(database: Database) -> None:
    """Locking tells whether the thread is there."""
    await begun(database)
    assert await database.write(partial(threads.lock, thread_id="thread_1"))
    assert not await database.write(partial(threads.lock, thread_id="thread_2"))
