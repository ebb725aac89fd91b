"""Responses that are being made in the background: when their process last gave a sign, and whether to stop.

A row is there while a process works on the response. A process that was killed gives no more signs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from agentbench.storage import tables

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

__all__ = ["begin", "end", "is_alive", "is_busy", "request_stop", "sign"]

_table = tables.background_runs


def begin(connection: Connection, response_id: str, now: datetime) -> None:
    """Note that this process works on a response."""
    connection.execute(insert(_table), {"response_id": response_id, "seen_at": now, "stop": False})


def sign(connection: Connection, response_id: str, now: datetime) -> bool:
    """Give a sign of life; tell whether another process asked for a stop."""
    connection.execute(update(_table).where(_table.c.response_id == response_id).values(seen_at=now))
    return bool(connection.scalar(select(_table.c.stop).where(_table.c.response_id == response_id)))


def end(connection: Connection, response_id: str) -> None:
    """Note that nobody works on the response any more."""
    connection.execute(delete(_table).where(_table.c.response_id == response_id))


def is_alive(connection: Connection, response_id: str, since: datetime) -> bool:
    """Tell whether some process has given a sign since then."""
    seen = connection.scalar(select(_table.c.seen_at).where(_table.c.response_id == response_id))
    return seen is not None and seen >= since


def is_busy(connection: Connection, conversation_id: str, since: datetime) -> bool:
    """Tell whether some process that has given a sign since then works on a response of a conversation."""
    responses = tables.responses.c
    query = select(_table.c.response_id).join(tables.responses, responses.id == _table.c.response_id)
    query = query.where(responses.conversation_id == conversation_id, _table.c.seen_at >= since)
    return connection.scalar(query.limit(1)) is not None


def request_stop(connection: Connection, response_id: str) -> None:
    """Ask the process that works on the response to stop."""
    connection.execute(update(_table).where(_table.c.response_id == response_id).values(stop=True))
