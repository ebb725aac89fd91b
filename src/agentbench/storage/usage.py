"""The usage ledger: one row a call to a provider, never changed. Prices and limits are the runner's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec.structs import asdict
from sqlalchemy import insert, select

from agentbench.protocol.values import Value
from agentbench.storage import tables

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

__all__ = ["UsageFilter", "UsageRow", "UsageStatus", "append", "conditions", "rows"]

UsageStatus = Literal["completed", "incomplete", "failed"]

_table = tables.usage


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


class UsageFilter(Value, frozen=True, kw_only=True):
    """Which rows: from `since` on and before `until`, of these users, models and so on, or of all."""

    since: datetime | None = None
    until: datetime | None = None
    user: str | tuple[str, ...] | None = None
    agent: str | tuple[str, ...] | None = None
    endpoint: str | tuple[str, ...] | None = None
    model: str | tuple[str, ...] | None = None
    context: str | tuple[str, ...] | None = None
    conversation_id: str | tuple[str, ...] | None = None
    notebook: str | tuple[str, ...] | None = None
    status: str | tuple[str, ...] | None = None


def append(connection: Connection, row: UsageRow) -> None:
    """Add a row."""
    connection.execute(insert(_table), asdict(row))


def rows(connection: Connection, chosen: UsageFilter | None = None) -> list[UsageRow]:
    """Return the chosen rows, or all, oldest first."""
    query = select(_table).where(*conditions(chosen or UsageFilter())).order_by(_table.c.time, _table.c.id)
    return [UsageRow(**row) for row in connection.execute(query).mappings()]


def conditions(chosen: UsageFilter) -> list[ColumnElement[bool]]:
    """Return what must hold for a row of the table to be chosen."""
    found = []
    if chosen.since is not None:
        found.append(_table.c.time >= chosen.since)
    if chosen.until is not None:
        found.append(_table.c.time < chosen.until)
    for name in UsageFilter.__struct_fields__[2:]:
        wanted = getattr(chosen, name)
        if wanted is not None:
            found.append(_table.c[name].in_((wanted,) if isinstance(wanted, str) else wanted))
    return found
