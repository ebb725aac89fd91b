"""How often names did something in the last minute, counted for all processes. What is counted is the caller's."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import delete, insert, select, update

from agentbench.storage.tables import rate_limits
from agentbench.storage.turns import wait_for_turn

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["SECONDS", "forget", "take"]

SECONDS = 60.0

MOST_GROUPS = 60
"""A row grows no longer: with a limit beyond this, the moments of one second are a group that leaves with its last."""


class _Group(msgspec.Struct, array_like=True):
    first: float
    last: float
    count: int = 1


def take(connection: Connection, name: str, limit: int, *, now: float) -> float:
    """Count one more at `now`, in seconds since 1970, and return 0; or count nothing and return the seconds to wait.

    No more than `limit` are counted in any minute. The clocks of the machines are taken to agree.
    """
    wait_for_turn(connection)
    found = connection.scalar(select(rate_limits.c.moments).where(rate_limits.c.name == name))
    groups = [] if found is None else msgspec.json.decode(found, type=list[_Group])
    groups = [each for each in groups if abs(now - each.last) < SECONDS]
    if (over := sum(each.count for each in groups) + 1 - limit) > 0:
        gone = accumulate(each.count for each in groups)
        return next(each.last for each, count in zip(groups, gone, strict=True) if count >= over) + SECONDS - now
    if groups and limit > MOST_GROUPS and now - groups[-1].first < SECONDS / MOST_GROUPS:
        groups[-1] = _Group(groups[-1].first, max(now, groups[-1].last), groups[-1].count + 1)
    else:
        groups.append(_Group(now, now))
    _store(connection, name, groups, now, known=found is not None)
    return 0.0


def forget(connection: Connection, name: str) -> None:
    """Count from nothing again."""
    wait_for_turn(connection)
    connection.execute(delete(rate_limits).where(rate_limits.c.name == name))


def _store(connection: Connection, name: str, groups: list[_Group], now: float, *, known: bool) -> None:
    values = {"moments": msgspec.json.encode(groups).decode(), "until": _moment(now + SECONDS)}
    if known:
        connection.execute(update(rate_limits).where(rate_limits.c.name == name).values(values))
        return
    # A name that is new makes room: anyone can make names up.
    connection.execute(delete(rate_limits).where(rate_limits.c.until <= _moment(now)))
    connection.execute(insert(rate_limits).values(name=name, **values))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
