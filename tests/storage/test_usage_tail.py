"""The end of the ledger."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from sqlalchemy import delete

from agentbench.storage import tables, usage, usage_tail
from agentbench.storage.usage import UsageFilter, UsageRow

if TYPE_CHECKING:
    from agentbench.storage.database import Database
    from agentbench.storage.usage_tail import Call

pytestmark = pytest.mark.anyio

ALL = UsageFilter()


async def append(database: Database, *rows: UsageRow) -> None:
    """Put rows into the ledger, each by itself."""
    for row in rows:
        await database.write(partial(usage.append, row=row))


def newest(database: Database, limit: int = 100, chosen: UsageFilter = ALL) -> list[Call]:
    """Return the calls at the end."""
    return database.read_now(partial(usage_tail.newest, chosen=chosen, limit=limit))


def since(database: Database, place: int, chosen: UsageFilter = ALL) -> list[str]:
    """Return the ids of the calls from a place on."""
    return [call.id for call in database.read_now(partial(usage_tail.since, chosen=chosen, place=place))]


async def test_a_call_has_what_its_row_has(database: Database, full: UsageRow) -> None:
    """Every field that it has a row has too, with the same value."""
    await append(database, full)
    (call,) = newest(database)
    assert call._asdict() == {name: getattr(full, name) for name in call._fields[1:]} | {"place": call.place}


async def test_the_newest_are_those_stored_last(database: Database, row: UsageRow) -> None:
    """A call that began early and took long is new all the same."""
    long = replace(row, id="long", time=row.time - timedelta(hours=1))
    await append(database, *(replace(row, id=name) for name in "abc"), long)
    assert [call.id for call in newest(database, 2)] == ["c", "long"]
    assert newest(database, 2, UsageFilter(model="other")) == []


async def test_what_came_since_a_place(database: Database, row: UsageRow) -> None:
    """The call at that place is among them, whatever order times are in, and so is every later one, once."""
    await append(database, *(replace(row, id=f"{n:03}", notebook="x" * 500) for n in range(300)))
    last = newest(database)[-1]
    await append(
        database, replace(row, id="late", time=row.time - timedelta(days=9)), replace(row, id="new", model="m2")
    )
    found = since(database, last.place)
    assert found[-3:] == ["299", "late", "new"]
    assert len(found) == len(set(found)) < 120
    assert since(database, last.place, UsageFilter(model="m2")) == ["new"]


async def test_another_table(database: Database, row: UsageRow) -> None:
    """If the call at the place is gone, it isn't found there."""
    await append(database, *(replace(row, id=name) for name in "abc"))
    last = newest(database)[-1]
    await database.write(lambda connection: connection.execute(delete(tables.usage)))
    await append(database, replace(row, id="d"))
    assert "c" not in since(database, last.place)


async def test_sums(database: Database, row: UsageRow) -> None:
    """What nobody knows counts as nothing, but for the costs that are unknown."""
    known = replace(row, id="a", input_tokens=3, output_tokens=4, cost=0.25, status="completed")
    empty = replace(row, id="b", input_tokens=None, output_tokens=None, cost=None, status="failed")
    assert database.read_now(partial(usage_tail.sums, chosen=ALL)) == usage_tail.Sums()
    await append(database, known, empty)
    assert database.read_now(partial(usage_tail.sums, chosen=ALL)) == usage_tail.Sums(2, 3, 4, 0.25, 1, 1)
