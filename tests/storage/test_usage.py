"""The usage ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import asdict, replace
from sqlalchemy.exc import StatementError

from agentbench.storage import tables, usage
from agentbench.storage.usage import UsageFilter, UsageRow

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

SEOUL = timezone(timedelta(hours=9))


async def append(database: Database, *rows: UsageRow) -> None:
    """Put rows into the ledger."""
    for row in rows:
        await database.write(partial(usage.append, row=row))


async def test_a_row_comes_back_as_it_went_in(database: Database, row: UsageRow, full: UsageRow) -> None:
    """Every field survives, and what nobody knows stays unknown."""
    await append(database, row, full)
    assert await database.read(usage.rows) == [row, full]


async def test_times_come_out_as_utc(database: Database, row: UsageRow) -> None:
    """A time of any zone is the same moment again, in UTC, to the microsecond."""
    time = datetime(2026, 1, 1, 8, 30, 0, 123456, tzinfo=SEOUL)
    await append(database, replace(row, time=time))
    (found,) = await database.read(usage.rows)
    assert (found.time, found.time.tzinfo) == (time, UTC)


async def test_a_time_without_a_zone_is_refused(database: Database, row: UsageRow) -> None:
    """Nobody could tell later which moment it was."""
    with pytest.raises(StatementError, match="needs a time zone"):
        await append(database, replace(row, time=datetime(2026, 1, 1)))  # noqa: DTZ001 - the mistake under test


async def test_rows_are_chosen_by_user_and_time(database: Database, row: UsageRow) -> None:
    """They come oldest first, of one user or all, from a moment on, whatever zone that is given in."""
    later = row.time + timedelta(hours=1)
    old, new = replace(row, id="b"), replace(row, id="a", time=later)
    other = replace(row, id="c", user="bob", time=later + timedelta(hours=1))
    await append(database, other, new, old)
    assert await database.read(usage.rows) == [old, new, other]
    assert await database.read(lambda c: usage.rows(c, UsageFilter(user="ann"))) == [old, new]
    assert await database.read(lambda c: usage.rows(c, UsageFilter(since=later.astimezone(SEOUL)))) == [new, other]
    assert await database.read(lambda c: usage.rows(c, UsageFilter(user="ann", since=later))) == [new]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("user", "bob"),
        ("agent", "bot"),
        ("endpoint", "cloud"),
        ("model", ("large", "m")),
        ("context", "title"),
        ("conversation_id", "conv_1"),
        ("notebook", "a.ipynb"),
        ("status", ("failed",)),
    ],
)
async def test_rows_are_chosen_by_column(
    database: Database, row: UsageRow, name: str, values: str | tuple[str, ...]
) -> None:
    """One value or several; a row without one isn't chosen."""
    wanted = replace(row, id="b", **{name: values if isinstance(values, str) else values[0]})
    await append(database, row, wanted)
    assert await database.read(lambda c: usage.rows(c, UsageFilter(**{name: values}))) == [wanted]


async def test_until_is_not_included(database: Database, row: UsageRow) -> None:
    """Rows before a moment, so that two spans that meet share no row."""
    later = replace(row, id="b", time=row.time + timedelta(hours=1))
    await append(database, row, later)
    assert await database.read(lambda c: usage.rows(c, UsageFilter(until=later.time))) == [row]


def test_row_and_table_have_the_same_fields(row: UsageRow) -> None:
    """No column is without a field, in the same order."""
    assert list(asdict(row)) == tables.usage.columns.keys()
