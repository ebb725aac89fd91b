"""The ledger as text: a JSON array for each column of a block of rows.

Rows that become Python values one by one hold the interpreter's lock most of the time. Here the database does that
work, without the lock, so that blocks can be read side by side. Owns the dialects' differences in it; what the texts
become is up to the caller.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import BigInteger, Text, cast, func, literal, literal_column, select, text

from agentbench.storage import tables
from agentbench.storage.usage import conditions

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

    from agentbench.storage.usage import UsageFilter

__all__ = ["IN_BILLIONTHS", "OWN", "RATES", "SHARED", "Block", "Span", "block", "spans"]

ROWS = 20_000
"""Rows of a block, about."""

RATES = ("input_rate", "cached_rate", "cache_write_rate", "output_rate")
IN_BILLIONTHS = (*RATES, "time_to_first_token", "duration")
"""Columns that are given in whole billionths, dollars or seconds: SQLite writes whole numbers much faster."""

SHARED = (
    "user",
    "context",
    "agent",
    "endpoint",
    "model",
    "status",
    "error_type",
    "key_id",
    "notebook",
    "step",
    "rate_source",
    "estimated",
    "flags",
    *RATES,
)
"""Columns of few different values: together one JSON array a row, so that equal ones are decoded once."""

OWN = tuple(name for name in tables.usage.columns.keys() if name not in SHARED)  # noqa: SIM118 - a collection, not a dict

_table = tables.usage


class Span(NamedTuple):
    """Where a block's rows lie in the table: from one place on, before another. No places: anywhere."""

    low: int | None = None
    high: int | None = None


class Block(NamedTuple):
    """Some rows: `own` has a JSON array for each of `OWN`, `shared` a line with a JSON array for each row.

    Other fractions than those `IN_BILLIONTHS` have 15 digits in SQLite.
    """

    own: tuple[str, ...]
    shared: str


def spans(connection: Connection, chosen: UsageFilter) -> list[Span]:
    """Return where the chosen rows lie, in spans of about `ROWS` of them. Rows that are added later are in none."""
    if _is_postgresql(connection):
        pages = text("pg_relation_size('usage') / current_setting('block_size')::int")
        query = select(func.count(), literal(0), select(pages).scalar_subquery())
    else:
        query = select(func.count(), func.min(literal_column("rowid")), func.max(literal_column("rowid")) + 1)
    count, low, high = connection.execute(query.select_from(_table).where(*conditions(chosen))).one()
    if count <= ROWS:
        return [Span()] if count else []
    step = max(1, (high - low) * ROWS // count)
    return [Span(place, min(place + step, high)) for place in range(low, high, step)]


def block(connection: Connection, chosen: UsageFilter, span: Span) -> Block | None:
    """Return the chosen rows that lie there; None if there is none."""
    query = _postgresql(span) if _is_postgresql(connection) else _sqlite(span)
    count, shared, *own = tuple(connection.execute(query.where(*conditions(chosen))).one())
    return Block(tuple(own), shared) if count else None


def _sqlite(span: Span) -> Select[Any]:
    whole = {name: cast(_table.c[name] * 1e9 + 0.5, BigInteger) for name in IN_BILLIONTHS}  # a cast cuts off
    columns = {**_table.c, **whole}
    shared = func.json_array(*[columns[name] for name in SHARED])
    own = [func.json_group_array(columns[name], type_=Text) for name in OWN]
    query = select(func.count(), func.group_concat(shared, literal("\n")), *own).select_from(_table)
    return _within(query, literal_column("rowid"), span.low, span.high)


def _postgresql(span: Span) -> Select[Any]:
    whole = {name: func.round(_table.c[name] * 1e9) for name in IN_BILLIONTHS}
    columns = {**_table.c, **whole, "time": func.timezone("UTC", _table.c.time)}
    shared = func.json_build_array(*[columns[name] for name in SHARED])
    own = [cast(func.json_agg(columns[name]), Text) for name in OWN]
    query = select(func.count(), func.string_agg(cast(shared, Text), literal("\n")), *own).select_from(_table)
    places: list[Any] = [page if page is None else literal_column(f"CAST('({page},0)' AS tid)") for page in span]
    return _within(query, literal_column("ctid"), *places)


def _within(query: Select[Any], place: ColumnElement[Any], low: Any, high: Any) -> Select[Any]:
    return query if low is None else query.where(place >= low, place < high)


def _is_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
