"""Stored responses: each with the input of its own turn and a link to the one before. Owns the walk along the links."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete as delete_from
from sqlalchemy import insert, literal, select

from agentbench.protocol import InputItem, Response
from agentbench.protocol.values import Value
from agentbench.storage import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping

__all__ = ["StoredResponse", "chain", "delete", "find_item", "get", "save", "several"]

_responses = msgspec.json.Decoder(Response)
_inputs = msgspec.json.Decoder(tuple[InputItem, ...])

_SEVERAL = 1_000
"""Responses that one statement asks for; databases take so many thousand parameters at most."""


class StoredResponse(Value, frozen=True, kw_only=True):
    """A response and where it belongs; `input` is what this turn added, `parent` the id of the response before."""

    response: Response
    input: tuple[InputItem, ...]
    user: str
    conversation_id: str | None = None
    parent: str | None = None
    agent: str | None = None
    endpoint: str
    cell_id: str | None = None
    cell_run: str | None = None
    created_at: datetime


def save(connection: Connection, stored: StoredResponse) -> None:
    """Store a response in place of the one of the same id, if there is one."""
    table = tables.responses
    row = asdict(stored) | {
        "id": stored.response.id,
        "input": msgspec.json.encode(stored.input).decode(),
        "response": msgspec.json.encode(stored.response).decode(),
    }
    connection.execute(delete_from(table).where(table.c.id == stored.response.id))
    connection.execute(insert(table), row)


def get(connection: Connection, response_id: str, user: str) -> StoredResponse | None:
    """Return the user's response; None if there is none, or it is another user's."""
    table = tables.responses
    query = select(table).where(table.c.id == response_id, table.c.user == user)
    row = connection.execute(query).mappings().one_or_none()
    return _stored(row) if row else None


def several(connection: Connection, response_ids: Sequence[str], user: str) -> list[StoredResponse]:
    """Return those of the user's responses, in no order."""
    table, found = tables.responses, list[StoredResponse]()
    for start in range(0, len(response_ids), _SEVERAL):
        ids = response_ids[start : start + _SEVERAL]
        query = select(table).where(table.c.id.in_(ids), table.c.user == user)
        found += map(_stored, connection.execute(query).mappings())
    return found


def chain(connection: Connection, head: str, user: str) -> tuple[StoredResponse, ...]:
    """Return the response and all before it, oldest first; it ends where a parent is missing or another user's."""
    table = tables.responses
    newest = select(table.c.id, table.c.parent, literal(0).label("age"))
    links = newest.where(table.c.id == head, table.c.user == user).cte("links", recursive=True)
    older = select(table.c.id, table.c.parent, links.c.age + 1)
    links = links.union_all(older.where(table.c.id == links.c.parent, table.c.user == user))
    query = select(table).join(links, table.c.id == links.c.id).order_by(links.c.age.desc())
    return tuple(_stored(row) for row in connection.execute(query).mappings())


def find_item(connection: Connection, item_id: str, user: str) -> InputItem | None:
    """Return the user's newest stored item of that id, be it of an input or an output."""
    table = tables.responses
    mark = msgspec.json.encode({"id": item_id}).decode()[1:-1]
    holds = table.c.response.contains(mark, autoescape=True) | table.c.input.contains(mark, autoescape=True)
    query = select(table).where(table.c.user == user, holds).order_by(table.c.created_at.desc())
    for row in connection.execute(query).mappings():
        stored = _stored(row)
        for item in (*stored.input, *stored.response.output):
            if item.id == item_id:
                return item
    return None


def delete(connection: Connection, response_id: str, user: str) -> bool:
    """Delete the user's response; False if there was none."""
    table = tables.responses
    gone = connection.execute(delete_from(table).where(table.c.id == response_id, table.c.user == user))
    return gone.rowcount > 0


def _stored(row: RowMapping) -> StoredResponse:
    values = dict(row)
    del values["id"]  # the response has it
    values["input"] = _inputs.decode(values["input"])
    values["response"] = _responses.decode(values["response"])
    return StoredResponse(**values)
