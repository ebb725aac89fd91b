"""The end of the ledger: the calls that were stored last, those that came since, and the sums of all.

A call is stored when it has ended, so its `time`, at which it began, doesn't tell what is new; its place in the table
does. Owns the dialects' differences in that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Text, case, cast, func, literal_column, select

from agentbench.storage import tables
from agentbench.storage.usage import conditions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Select

    from agentbench.storage.usage import UsageFilter

__all__ = ["Call", "Sums", "newest", "since", "sums"]

LOOK_BACK = 4
"""Pages of PostgreSQL that are read again: a transaction that began early may end late."""

_table = tables.usage


class Call(NamedTuple):
    """What a row of the ledger tells of a call, and its place; the fields are those of `UsageRow`."""

    place: int
    id: str
    time: datetime
    context: str
    agent: str | None
    endpoint: str
    model: str
    notebook: str | None
    cell_id: str | None
    execution_count: int | None
    input_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost: float | None
    time_to_first_token: float | None
    duration: float
    status: str
    error_type: str | None


class Sums(NamedTuple):
    """Sums over calls; `unknown` counts those whose cost nobody knows."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    unknown: int = 0
    failed: int = 0


def newest(connection: Connection, chosen: UsageFilter, limit: int) -> list[Call]:
    """Return the chosen calls that were stored last, in the order in which they were."""
    query = _calls(connection).where(*conditions(chosen)).order_by(_order(connection).desc()).limit(limit)
    return [Call(*row) for row in connection.execute(query)][::-1]


def since(connection: Connection, chosen: UsageFilter, place: int) -> list[Call]:
    """Return the chosen calls at that place and behind it; some before it, too, where the order isn't strict.

    If the call whose place it is isn't among them, the table is another one than before.
    """
    order = _order(connection)
    if _is_postgresql(connection):
        behind = order >= literal_column(f"CAST('({max(0, place - LOOK_BACK)},0)' AS tid)")
    else:
        behind = order >= place
    return [
        Call(*row) for row in connection.execute(_calls(connection).where(behind, *conditions(chosen)).order_by(order))
    ]


def sums(connection: Connection, chosen: UsageFilter) -> Sums:
    """Return the sums over all calls that are chosen."""
    columns = _table.c
    added = [func.coalesce(func.sum(columns[name]), 0) for name in ("input_tokens", "output_tokens", "cost")]
    counted = [func.count(case((each, 1))) for each in (columns.cost.is_(None), columns.status == "failed")]
    row = connection.execute(select(func.count(), *added, *counted).select_from(_table).where(*conditions(chosen)))
    calls, given, answered, cost, unknown, failed = row.one()
    return Sums(calls, int(given), int(answered), float(cost), unknown, failed)


def _calls(connection: Connection) -> Select[Any]:
    place: ColumnElement[Any] = _order(connection)
    if _is_postgresql(connection):
        place = cast(func.split_part(func.ltrim(cast(place, Text), "("), ",", 1), BigInteger)
    return select(place, *[_table.c[name] for name in Call._fields[1:]])


def _order(connection: Connection) -> ColumnElement[Any]:
    return literal_column("ctid" if _is_postgresql(connection) else "rowid")


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
