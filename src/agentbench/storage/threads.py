"""Threads and their messages. A thread has a conversation of the same id, which the runner's turns belong to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import and_, insert, select, true, update
from sqlalchemy import delete as delete_from

from agentbench.protocol.assistants.objects import Thread, ThreadMessage
from agentbench.protocol.values import Value
from agentbench.storage import conversations, tables
from agentbench.storage.conversations import Conversation
from agentbench.storage.file_texts import storable
from agentbench.storage.paging import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from agentbench.storage.paging import Page

__all__ = [
    "StoredThread",
    "add",
    "add_message",
    "all_messages",
    "conversation",
    "delete",
    "delete_message",
    "get",
    "lock",
    "message",
    "messages",
    "save",
    "save_message",
]

_table, _messages = tables.threads, tables.thread_messages
_thread = msgspec.json.Decoder(Thread)
_message = msgspec.json.Decoder(ThreadMessage)


class StoredThread(Value, frozen=True, kw_only=True):
    """A thread and its owner."""

    thread: Thread
    user: str


def add(connection: Connection, stored: StoredThread, messages: Sequence[ThreadMessage] = ()) -> None:
    """Store a new thread with its first messages, and its conversation."""
    thread = stored.thread
    connection.execute(insert(_table), {"id": thread.id, "user": stored.user, "body": _json(thread)})
    conversation(connection, thread.id, stored.user)
    for each in messages:
        add_message(connection, each)


def get(connection: Connection, thread_id: str, user: str) -> StoredThread | None:
    """Return the user's thread; None if there is none, or it is another user's."""
    body = connection.scalar(select(_table.c.body).where(_table.c.id == storable(thread_id), _table.c.user == user))
    return None if body is None else StoredThread(thread=_thread.decode(body), user=user)


def lock(connection: Connection, thread_id: str) -> bool:
    """Keep others from locking or deleting a thread until the transaction ends; False if it isn't there."""
    query = select(_table.c.id).where(_table.c.id == thread_id)
    return connection.scalar(query.with_for_update(key_share=True)) is not None


def save(connection: Connection, stored: StoredThread) -> None:
    """Store other values of a thread; one that is gone stays so."""
    connection.execute(update(_table).where(_table.c.id == stored.thread.id).values(body=_json(stored.thread)))


def delete(connection: Connection, thread_id: str, user: str) -> bool:
    """Delete the user's thread with messages, runs, steps, conversation and responses; False if there was none."""
    gone = connection.execute(delete_from(_table).where(_table.c.id == thread_id, _table.c.user == user))
    if gone.rowcount == 0:
        return False
    talks = tables.conversations
    connection.execute(delete_from(talks).where(talks.c.id == thread_id, talks.c.user == user))
    return True


def conversation(connection: Connection, thread_id: str, user: str) -> str | None:
    """Return the newest response in a thread's conversation, which is made where it isn't there (any more)."""
    found = conversations.get(connection, thread_id, user)
    if found is not None:
        return found.head
    now = datetime.now(UTC)
    conversations.add(connection, Conversation(id=thread_id, user=user, created_at=now, updated_at=now))
    return None


def add_message(connection: Connection, message: ThreadMessage) -> None:
    """Store a new message after all others."""
    row = {"id": message.id, "thread_id": message.thread_id, "run_id": message.run_id, "body": _json(message)}
    connection.execute(insert(_messages), row)


def message(connection: Connection, thread_id: str, message_id: str) -> ThreadMessage | None:
    """Return a message of a thread."""
    body = connection.scalar(select(_messages.c.body).where(_is(thread_id, message_id)))
    return None if body is None else _message.decode(body)


def save_message(connection: Connection, message: ThreadMessage) -> None:
    """Store a message in its place, or after all others if it is new."""
    here = _is(message.thread_id, message.id)
    if connection.execute(update(_messages).where(here).values(body=_json(message))).rowcount == 0:
        add_message(connection, message)


def delete_message(connection: Connection, thread_id: str, message_id: str) -> bool:
    """Delete a message of a thread; False if there was none."""
    return connection.execute(delete_from(_messages).where(_is(thread_id, message_id))).rowcount > 0


def messages(connection: Connection, thread_id: str, page: Page, *, run_id: str | None = None) -> list[ThreadMessage]:
    """Return a page of a thread's messages, or of those that a run made, and one more if there are more."""
    of_run = true() if run_id is None else _messages.c.run_id == storable(run_id)
    found = rows_of(connection, _messages, and_(_messages.c.thread_id == thread_id, of_run), page)
    return [_message.decode(row["body"]) for row in found]


def all_messages(connection: Connection, thread_id: str) -> tuple[ThreadMessage, ...]:
    """Return a thread's messages, oldest first."""
    query = select(_messages.c.body).where(_messages.c.thread_id == thread_id).order_by(_messages.c.position)
    return tuple(_message.decode(body) for body in connection.scalars(query))


def _is(thread_id: str, message_id: str) -> ColumnElement[bool]:
    return and_(_messages.c.thread_id == thread_id, _messages.c.id == storable(message_id))


def _json(value: Thread | ThreadMessage) -> str:
    return msgspec.json.encode(value).decode()
