"""Conversations that come from files, put beside those that are here. Owns what happens where ids are taken.

A conversation that came before is added to, never doubled; an id that belongs to something else gives way to another.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import asdict, replace
from sqlalchemy import insert, select, update

from agentbench.protocol.values import Value
from agentbench.storage import conversations, tables
from agentbench.storage.conversations import Conversation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from agentbench.storage.responses import StoredResponse

__all__ = ["TakenIn", "take_in"]

_SEVERAL = 500
"""Ids that one statement asks for."""


class TakenIn(Value, frozen=True, kw_only=True):
    """A conversation as it is here now, how many turns were new, and how many had been here before."""

    conversation: Conversation
    added: int
    present: int


def take_in(connection: Connection, conversation: Conversation, turns: Sequence[StoredResponse]) -> TakenIn:
    """Store a conversation with its turns, each after the one that it follows; what is here already stays as it is.

    The conversation goes on from where the file says, unless it has gone on elsewhere since it came.
    """
    conversation = _own(connection, conversation)
    known = conversations.get(connection, conversation.id, conversation.user)
    ids = _ids(connection, conversation, [turn.response.id for turn in turns])
    there = _there(connection, conversation, ids.values())
    fresh = [_renamed(turn, conversation.id, ids) for turn in turns if ids[turn.response.id] not in there]
    if known is None:
        known = replace(conversation, head=ids.get(conversation.head or ""))
        conversations.add(connection, known)
    elif fresh:
        known = _moved(connection, known, ids.get(conversation.head or ""), fresh)
    if fresh:
        connection.execute(insert(tables.responses), [_row(turn) for turn in fresh])
    return TakenIn(conversation=known, added=len(fresh), present=len(turns) - len(fresh))


def _own(connection: Connection, conversation: Conversation) -> Conversation:
    """Return the conversation under an id that no other user has."""
    table = tables.conversations
    user = connection.scalar(select(table.c.user).where(table.c.id == conversation.id))
    if user in (None, conversation.user):
        return conversation
    return replace(conversation, id=_other("conv", conversation.user, conversation.id))


def _ids(connection: Connection, conversation: Conversation, wanted: Sequence[str]) -> dict[str, str]:
    """Return the id of each turn here: its own, unless that is another conversation's."""
    table = tables.responses
    ids = {each: each for each in wanted}
    for several in _parts(list(ids)):
        query = select(table.c.id, table.c.user, table.c.conversation_id).where(table.c.id.in_(several))
        for row in connection.execute(query):
            if (row.user, row.conversation_id) != (conversation.user, conversation.id):
                ids[row.id] = _other("resp", conversation.user, conversation.id, row.id)
    return ids


def _there(connection: Connection, conversation: Conversation, ids: Iterable[str]) -> set[str]:
    table, found = tables.responses, set[str]()
    for several in _parts(list(ids)):
        query = select(table.c.id).where(table.c.id.in_(several), table.c.conversation_id == conversation.id)
        found.update(connection.scalars(query))
    return found


def _moved(
    connection: Connection, known: Conversation, head: str | None, fresh: Sequence[StoredResponse]
) -> Conversation:
    """Let a conversation go on from a new turn, if that comes after the one that it goes on from now."""
    parents = {turn.response.id: turn.parent for turn in fresh}
    at = head
    while at in parents:
        at = parents[at]
    if head not in parents or at != known.head:
        return known
    newest = max(known.updated_at, *(turn.created_at for turn in fresh))
    table = tables.conversations
    connection.execute(update(table).where(table.c.id == known.id).values(head=head, updated_at=newest))
    return replace(known, head=head, updated_at=newest)


def _renamed(turn: StoredResponse, conversation_id: str, ids: dict[str, str]) -> StoredResponse:
    parent = None if turn.parent is None else ids.get(turn.parent)
    before = turn.response.previous_response_id
    response = replace(turn.response, id=ids[turn.response.id], previous_response_id=ids.get(before or "", before))
    return replace(turn, response=response, parent=parent, conversation_id=conversation_id)


def _row(turn: StoredResponse) -> dict[str, object]:
    return asdict(turn) | {
        "id": turn.response.id,
        "input": msgspec.json.encode(turn.input).decode(),
        "response": msgspec.json.encode(turn.response).decode(),
    }


def _other(prefix: str, *parts: str) -> str:
    """Return an id in place of one that is taken, always the same."""
    return f"{prefix}_{sha256(chr(0).join(parts).encode()).hexdigest()[:32]}"


def _parts(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _SEVERAL] for start in range(0, len(ids), _SEVERAL))
