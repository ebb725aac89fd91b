"""Limits that processes on one database count together."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, closing
from functools import partial
from itertools import count

import pytest
from sqlalchemy import Connection, select

from agentbench.storage import rate_limits, tables
from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
START = 1_800_000_000.0


async def take(database: Database, moment: float, limit: int = 2, name: str = "a") -> float:
    """Count one more, so many seconds after the start."""
    return await database.write(partial(rate_limits.take, name=name, limit=limit, now=START + moment))


async def test_sliding(database: Database) -> None:
    """So many in any minute, and the wait is until the oldest leaves it; what is refused isn't counted."""
    assert [await take(database, 0), await take(database, 20)] == [0, 0]
    assert [await take(database, 20), await take(database, 30), await take(database, 30, name="b")] == [40, 30, 0]
    assert [await take(database, 60), await take(database, 60), await take(database, 80)] == [0, 20, 0]
    await database.write(partial(rate_limits.forget, name="a"))
    assert await take(database, 81) == 0


async def test_a_limit_that_became_smaller(database: Database) -> None:
    """The wait is until there is room again, not until the oldest leaves."""
    for moment in (0, 10, 20):
        await take(database, moment, 3)
    assert await take(database, 30, 1) == 50


async def test_no_minute_has_more(database: Database) -> None:
    """With many requests of one name its row stays small, and still no minute has more of them than the limit."""

    def flood(connection: Connection) -> list[float]:
        moments = (START + n / 10 for n in range(1500))
        return [each for each in moments if not rate_limits.take(connection, "a", 100, now=each)]

    taken = await database.write(flood)
    assert max(sum(0 <= each - first < rate_limits.SECONDS for each in taken) for first in taken) == 100
    assert len(taken) >= 280
    row = database.read_now(lambda connection: str(connection.scalar(select(tables.rate_limits.c.moments))))
    assert len(row) < 3_000


async def test_names_of_before_make_room(database: Database) -> None:
    """A new name clears away those that nothing was heard of for a minute."""
    for moment, name in ((0, "a"), (30, "b"), (70, "c"), (71, "c")):
        await take(database, moment, name=name)
    query = select(tables.rate_limits.c.name).order_by(tables.rate_limits.c.name)
    assert database.read_now(lambda connection: list(connection.scalars(query))) == ["b", "c"]


async def test_all_together(database_url: str) -> None:
    """Of many requests of two names at once, made by three that know nothing of each other, so many get through."""
    number = count()
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(Database(database_url))) for _ in range(3)]

        async def ask(database: Database) -> list[tuple[str, bool]]:
            names = ["ab"[next(number) % 2] for _ in range(40)]
            waits = await asyncio.gather(*(take(database, 1, 25, name) for name in names))
            return [(name, not wait) for name, wait in zip(names, waits, strict=True)]

        asked = [each for some in await asyncio.gather(*map(ask, opened)) for each in some]
    assert {name: sum(through for each, through in asked if each == name) for name in "ab"} == {"a": 25, "b": 25}
