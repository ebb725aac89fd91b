"""Money that calls hold and spend."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

import anyio
import pytest
from sqlalchemy import select

from agentbench.config.balance import BalanceRules
from agentbench.errors import InsufficientBalance
from agentbench.runner.purse import Purse, microcredits
from agentbench.storage import balances, tables

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
def purse(database: Database) -> Purse:
    """Give a purse in which everybody has a thousand credits."""
    return Purse(lambda: BalanceRules(enabled=True, start=1_000_000_000), database)


async def balance(purse: Purse) -> int:
    """Return what Ann has."""
    standing = await purse.standing("ann")
    assert standing is not None
    return standing.balance


async def test_paid(purse: Purse, database: Database) -> None:
    """What a call cost is gone, the rest of what was held is back, and a second time changes nothing."""
    reservation = await purse.reserve("ann", 600)
    assert await balance(purse) == 999_999_400
    for _ in range(2):
        await database.write(partial(balances.settle, user="ann", reservation=reservation, charge=100))
    assert await balance(purse) == 999_999_900


async def test_too_much(purse: Purse) -> None:
    """The error tells both amounts in credits."""
    with pytest.raises(InsufficientBalance) as caught:
        await purse.reserve("ann", 1_000_500_000)
    assert (caught.value.balance, caught.value.needed) == (1_000, 1_000.5)
    assert await balance(purse) == 1_000_000_000


async def test_held_for_an_hour(purse: Purse, database: Database) -> None:
    """After that a call whose process died holds nothing any more."""
    await purse.reserve("ann", 600)
    row = await database.read(lambda connection: connection.execute(select(tables.reservations)).one())
    made = await database.read(lambda connection: connection.scalar(select(tables.balances.c.created_at)))
    assert row.expires_at - made == timedelta(hours=1)


async def test_cancelled(purse: Purse, database: Database) -> None:
    """A caller that goes away while it reserves still learns what to give back."""
    held: list[str | None] = []
    with anyio.CancelScope() as scope:
        scope.cancel()
        held.append(await purse.reserve("ann", 600))
        await anyio.lowlevel.checkpoint()
    rows = await database.read(lambda connection: connection.scalars(select(tables.reservations.c.id)).all())
    assert held == list(rows)


@pytest.mark.parametrize(("rules", "amount"), [(BalanceRules(), 600), (BalanceRules(enabled=True, start=0), 0)])
async def test_nothing_to_pay(database: Database, rules: BalanceRules, amount: int) -> None:
    """Without balances, and for a call that costs nothing, nothing is reserved or stored."""
    purse = Purse(lambda: rules, database)
    assert await purse.reserve("ann", amount) is None
    for table in (tables.balances, tables.reservations, tables.balance_changes):
        assert (await database.read(lambda connection, table=table: connection.execute(select(table)).all())) == []


async def test_no_standing(database: Database) -> None:
    """Without balances nobody has one."""
    assert await Purse(BalanceRules, database).standing("ann") is None


async def test_balances_turned_off_meanwhile(database: Database) -> None:
    """What a running call holds is settled all the same."""
    rules = [BalanceRules(enabled=True, start=1_000)]
    purse = Purse(lambda: rules[-1], database)
    reservation = await purse.reserve("ann", 600)
    rules.append(BalanceRules())
    await database.write(partial(balances.settle, user="ann", reservation=reservation, charge=100))
    rules.pop()
    assert await balance(purse) == 900


@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("0.0025", 2_500_000_000),
        ("0.0000000000001", 1),
        ("0", 0),
        ("1", 10**12),
        ("123456789.123456789123", 123456789123456789123),
    ],
)
async def test_microcredits(cost: str, expected: int) -> None:
    """Dollars become whole microcredits, rounded up."""
    assert microcredits(Decimal(cost)) == expected
