"""Conversations: who talks to which agent, and the newest response of each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec.structs import asdict
from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select, update

from agentbench.protocol.values import Value, new_id
from agentbench.storage import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

__all__ = [
    "Conversation",
    "TitledBy",
    "add",
    "create",
    "delete",
    "get",
    "move_head",
    "new",
    "recent",
    "rename",
    "suggest_title",
    "titles",
]

TitledBy: TypeAlias = Literal["words", "model", "person"]
"""Who made a title: the question's first words, a model, or a person."""


class Conversation(Value, frozen=True, kw_only=True):
    """A thread of turns; `head` is the id of its newest response, None before the first.

    `titled_by` is None where there is no title yet.
    """

    id: str
    user: str
    title: str | None = None
    agent: str | None = None
    head: str | None = None
    created_at: datetime
    updated_at: datetime
    titled_by: TitledBy | None = None


def new(*, user: str, title: str | None = None, agent: str | None = None) -> Conversation:
    """Return a conversation that isn't stored yet; a title that is given here is a person's."""
    now = datetime.now(UTC)
    return Conversation(
        id=new_id("conv"),
        user=user,
        title=title,
        agent=agent,
        created_at=now,
        updated_at=now,
        titled_by=None if title is None else "person",
    )


def add(connection: Connection, conversation: Conversation) -> None:
    """Store a new conversation."""
    connection.execute(insert(tables.conversations), asdict(conversation))


def create(connection: Connection, *, user: str, title: str | None = None, agent: str | None = None) -> Conversation:
    """Start a conversation; a title that is given here is a person's."""
    made = new(user=user, title=title, agent=agent)
    add(connection, made)
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


def titles(connection: Connection, user: str) -> dict[str, str]:
    """Return the titles of all the user's conversations that have one, by their ids, last used first."""
    table = tables.conversations
    query = select(table.c.id, table.c.title).where(table.c.user == user, table.c.title.is_not(None))
    return {row.id: row.title for row in connection.execute(query.order_by(table.c.updated_at.desc()))}


def delete(connection: Connection, conversation_id: str, user: str) -> bool:
    """Delete the user's conversation with its responses; False if there was none. The ledger's rows stay."""
    table = tables.conversations
    gone = connection.execute(delete_from(table).where(table.c.id == conversation_id, table.c.user == user))
    return gone.rowcount > 0


def move_head(connection: Connection, conversation_id: str, head: str | None) -> None:
    """Make a response the newest one, or an older one to branch off from it."""
    _change(connection, conversation_id, head=head)


def rename(connection: Connection, conversation_id: str, title: str) -> None:
    """Give a conversation a person's title, which nothing but another one replaces."""
    _change(connection, conversation_id, title=title, titled_by="person")


def suggest_title(
    connection: Connection,
    conversation_id: str,
    title: str | None,
    by: Literal["words", "model"],
    *,
    keep: Sequence[TitledBy] = ("person",),
) -> bool:
    """Give a conversation a title unless one of those to `keep` has; return whether it has this one now.

    It counts as no use of the conversation, and None takes away the one before.
    """
    table = tables.conversations
    is_kept = table.c.titled_by.is_not(None) & table.c.titled_by.in_(keep)
    changed = connection.execute(
        update(table)
        .where(table.c.id == conversation_id, ~is_kept)
        .values(title=title, titled_by=None if title is None else by)
    )
    return changed.rowcount > 0


def _change(connection: Connection, conversation_id: str, **values: str | None) -> None:
    table = tables.conversations
    connection.execute(
        update(table).where(table.c.id == conversation_id).values(updated_at=datetime.now(UTC), **values)
    )
