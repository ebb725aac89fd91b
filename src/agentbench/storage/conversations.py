"""Conversations: who talks to which agent, and the newest response of each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import asdict
from sqlalchemy import insert, select, update

from agentbench.protocol.values import Value, new_id
from agentbench.storage import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["Conversation", "create", "get", "move_head", "recent", "rename"]


class Conversation(Value, frozen=True, kw_only=True):
    """A thread of turns; `head` is the id of its newest response, None before the first."""

    id: str
    user: str
    title: str | None = None
    agent: str | None = None
    head: str | None = None
    created_at: datetime
    updated_at: datetime


def create(connection: Connection, *, user: str, title: str | None = None, agent: str | None = None) -> Conversation:
    """Start a conversation."""
    now = datetime.now(UTC)
    made = Conversation(id=new_id("conv"), user=user, title=title, agent=agent, created_at=now, updated_at=now)
    connection.execute(insert(tables.conversations), asdict(made))
    return made


def get(connection: Connection, conversation_id: str, user: str) -> Conversation | None:
    """Return the user's conversation; None if there is none, or it is another user's."""
    table = tables.conversations
    query = select(table).where(table.c.id == conversation_id, table.c.user == user)
    row = connection.execute(query).mappings().one_or_none()
    return Conversation(**row) if row else None


def recent(connection: Connection, user: str, limit: int) -> list[Conversation]:
    """Return the user's conversations, last used first."""
    table = tables.conversations
    query = select(table).where(table.c.user == user).order_by(table.c.updated_at.desc()).limit(limit)
    return [Conversation(**row) for row in connection.execute(query).mappings()]


def move_head(connection: Connection, conversation_id: str, head: str | None) -> None:
    """Make a response the newest one, or an older one to branch off from it."""
    _change(connection, conversation_id, head=head)


def rename(connection: Connection, conversation_id: str, title: str) -> None:
    """Give a conversation a title."""
    _change(connection, conversation_id, title=title)


def _change(connection: Connection, conversation_id: str, **values: str | None) -> None:
    table = tables.conversations
    connection.execute(
        update(table).where(table.c.id == conversation_id).values(updated_at=datetime.now(UTC), **values)
    )
