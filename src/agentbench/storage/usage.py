"""The usage ledger: one row a call to a provider, never changed. Prices and limits are the runner's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from msgspec.structs import asdict
from sqlalchemy import insert, select

from agentbench.protocol.values import Value
from agentbench.storage import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

__all__ = ["UsageRow", "UsageStatus", "append", "columns", "rows"]

UsageStatus = Literal["completed", "incomplete", "failed"]

ROWS_AT_ONCE = 5_000


class UsageRow(Value, frozen=True, kw_only=True):
    """One call to a provider: who asked, from where, what it took.

    `time` is its start; `step` counts the calls of one turn from 0. `cached_tokens` and `cache_write_tokens` are among
    `input_tokens`, `reasoning_tokens` among `output_tokens`. What nobody knows is None. `cost` is in US dollars,
    `credits` are millionths of one; the rates that it was charged at are US dollars a million tokens, by `rate_source`.
    Counts that the provider didn't give are `estimated`. `flags` names what was odd about them, with commas.
    `time_to_first_token` and `duration` are in seconds.
    """

    id: str
    time: datetime
    user: str
    context: str
    conversation_id: str | None = None
    response_id: str | None = None
    cell_id: str | None = None
    execution_count: int | None = None
    agent: str | None = None
    endpoint: str
    model: str
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    time_to_first_token: float | None = None
    duration: float
    status: UsageStatus
    error_type: str | None = None
    key_id: str | None = None
    notebook: str | None = None
    step: int = 0
    input_rate: float | None = None
    cached_rate: float | None = None
    cache_write_rate: float | None = None
    output_rate: float | None = None
    rate_source: str | None = None
    credits: float | None = None
    estimated: bool | None = None
    flags: str | None = None


def append(connection: Connection, row: UsageRow) -> None:
    """Add a row."""
    connection.execute(insert(tables.usage), asdict(row))


def rows(connection: Connection, *, user: str | None = None, since: datetime | None = None) -> list[UsageRow]:
    """Return the rows, oldest first: of one user or of all, from a moment on or all."""
    return [UsageRow(**row) for row in connection.execute(_query(user, since)).mappings()]


def columns(connection: Connection, *, user: str | None = None, since: datetime | None = None) -> dict[str, list[Any]]:
    """Return what `rows` does as one list a column, for a DataFrame."""
    found = connection.execute(_query(user, since)).yield_per(ROWS_AT_ONCE)
    by_name: dict[str, list[Any]] = {name: [] for name in found.keys()}  # noqa: SIM118 - a result, not a dict
    for part in found.partitions():
        for column, values in zip(by_name.values(), zip(*part, strict=True), strict=True):
            column.extend(values)
    return by_name


def _query(user: str | None, since: datetime | None) -> Select[Any]:
    usage = tables.usage
    query = select(usage).order_by(usage.c.time, usage.c.id)
    if user is not None:
        query = query.where(usage.c.user == user)
    if since is not None:
        query = query.where(usage.c.time >= since)
    return query
