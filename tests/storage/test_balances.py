"""What becomes of balances, reservations and their changes, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from sqlalchemy import select

from agentbench.config.balance import BalanceRules, Refill
from agentbench.storage import balances, tables
from agentbench.storage.balances import LARGEST, Refused, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.storage.database import Database

T = TypeVar("T")

JANUARY = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = BalanceRules(enabled=True, start=1_000)
MONTHLY = BalanceRules(enabled=True, start=1_000, refill=Refill(microcredits=100, every=1, unit="months"))


class Books:
    """The balance functions on one database, at a time that the test sets."""

    def __init__(self, database: Database, rules: BalanceRules = RULES) -> None:
        self.database, self.rules, self.now = database, rules, JANUARY

    def do(self, job: Callable[..., T], *args: Any, **options: Any) -> T:
        """Run a job in a transaction of its own."""
        return asyncio.run(self.database.write(lambda connection: job(connection, *args, **options)))

    def reserve(self, need: int, user: str = "ann") -> str | Refused:
        """Reserve for an hour."""
        return self.do(balances.reserve, user, need, rules=self.rules, now=self.now, expires=self.now + HOUR)

    def held(self, need: int, user: str = "ann") -> str:
        """Reserve what is there."""
        reservation = self.reserve(need, user)
        assert isinstance(reservation, str)
        return reservation

    def settle(self, reservation: str, charge: int, user: str = "ann") -> None:
        """Charge."""
        self.do(balances.settle, user, reservation, charge)

    def show(self, user: str = "ann") -> Standing:
        """Read."""
        return self.database.read_now(partial(balances.show, user=user, rules=self.rules, now=self.now))

    def rows(self, table: Any) -> list[Any]:
        """Return the rows of a table."""
        return list(self.database.read_now(lambda connection: connection.execute(select(table)).all()))

    def changes(self) -> list[tuple[int, str]]:
        """Return the changes, oldest first."""
        return [
            (row.microcredits, row.reason) for row in sorted(self.rows(tables.balance_changes), key=lambda r: r.time)
        ]


@pytest.fixture
def books(database: Database) -> Books:
    """Give balances that start at 1000 and are never refilled."""
    return Books(database)


@pytest.fixture
def monthly(database: Database) -> Books:
    """Give balances that get 100 a month."""
    return Books(database, MONTHLY)


def test_reserve_and_settle(books: Books) -> None:
    """The first reservation makes the balance; what a call didn't take comes back."""
    assert books.show() == Standing(balance=1_000)
    reservation = books.held(600)
    assert (books.show().balance, books.show().reserved) == (400, 600)
    books.settle(reservation, 250)
    assert (books.show().balance, books.show().reserved) == (750, 0)
    assert books.changes() == [(1_000, "start")]
    assert books.rows(tables.reservations) == []


def test_refused(books: Books) -> None:
    """More than there is isn't reserved, and nothing changes; exactly what there is, is."""
    assert books.reserve(1_001) == Refused(balance=1_000)
    assert books.show().balance == 1_000
    books.held(1_000)
    assert books.reserve(1) == Refused(balance=0)
    assert books.show() == Standing(balance=0, reserved=1_000, last_refill=JANUARY)


def test_unbounded_need(books: Books) -> None:
    """More than the database could hold is refused like any other."""
    assert books.reserve(10**30) == Refused(balance=1_000)


def test_users_apart(books: Books) -> None:
    """Each has a balance; nobody settles another's reservation."""
    reservation = books.held(600)
    books.held(1_000, "bob")
    books.settle(reservation, 0, "bob")
    assert (books.show().balance, books.show("bob").balance) == (400, 0)


def test_released(books: Books) -> None:
    """A charge of nothing gives all back."""
    books.settle(books.held(600), 0)
    assert books.show().balance == 1_000


def test_settled_twice(books: Books) -> None:
    """The second time does nothing, and neither does a reservation that never was."""
    reservation = books.held(600)
    for charge in (100, 100, 0):
        books.settle(reservation, charge)
    books.settle("hold_none", 500)
    assert books.show().balance == 900


@pytest.mark.parametrize("charge", [2_000, LARGEST, 10**30])
def test_never_below_zero(books: Books, charge: int) -> None:
    """A call that cost more than was reserved takes what is there."""
    books.settle(books.held(600), charge)
    assert books.show().balance == 0


def test_negative_charge(books: Books) -> None:
    """Nobody earns by a call."""
    books.settle(books.held(600), -50)
    assert books.show().balance == 1_000


def test_expired(books: Books) -> None:
    """What is reserved goes back after its time, to whoever's it is, with the next reservation of anybody."""
    books.held(600)
    books.now += HOUR
    assert books.show() == Standing(balance=1_000, last_refill=JANUARY)
    books.held(1, "bob")
    row = next(row for row in books.rows(tables.balances) if row.user == "ann")
    assert row.microcredits == 1_000


def test_settled_after_expiry(books: Books) -> None:
    """A call that outlived its reservation is charged in full, once; then it leaves nothing behind."""
    reservation = books.held(600)
    books.do(balances.expire, JANUARY + HOUR)
    assert books.show().balance == 1_000
    for _ in range(2):
        books.settle(reservation, 250)
    assert books.show().balance == 750
    assert books.rows(tables.reservations) == []


def test_expired_for_long(books: Books) -> None:
    """The reservations of calls that never ended are forgotten in the end."""
    books.held(600)
    books.do(balances.expire, JANUARY + HOUR)
    books.now += 2 * HOUR + balances.KEPT
    books.held(5)
    books.do(balances.expire, books.now + HOUR)
    assert [row.microcredits for row in books.rows(tables.reservations)] == [0]


@pytest.mark.parametrize(
    ("day", "balance", "last"),
    [
        ("2026-01-31", 1_000, "2026-01-31"),
        ("2026-02-27", 1_000, "2026-01-31"),
        ("2026-02-28", 1_100, "2026-02-28"),
        ("2026-03-30", 1_100, "2026-02-28"),
        ("2026-03-31", 1_200, "2026-03-31"),
        ("2028-02-29", 3_500, "2028-02-29"),
        ("2025-12-31", 1_000, "2026-01-31"),
    ],
)
def test_refills(monthly: Books, day: str, balance: int, last: str) -> None:
    """As many are given as are due, at the ends of months, once; none when the clock went back."""
    monthly.settle(monthly.held(1), 0)
    monthly.now = datetime.fromisoformat(f"{day}T12:00Z")
    for _ in range(2):
        monthly.settle(monthly.held(1), 0)
        standing = monthly.show()
        assert (standing.balance, f"{standing.last_refill:%Y-%m-%d}") == (balance, last)


def test_refill_pays(monthly: Books) -> None:
    """A refill that is due pays for the very call that finds it, and is noted."""
    monthly.settle(monthly.held(1_000), 1_000)
    assert monthly.reserve(50) == Refused(balance=0)
    monthly.now += timedelta(days=28)
    monthly.settle(monthly.held(50), 50)
    assert monthly.show().balance == 50
    assert monthly.changes() == [(1_000, "start"), (100, "refill")]


def test_next_refill(monthly: Books) -> None:
    """A balance tells when it grows next, due refills counted."""
    monthly.held(1)
    assert monthly.show().next_refill == datetime(2026, 2, 28, 12, tzinfo=UTC)
    monthly.now = datetime(2026, 3, 1, tzinfo=UTC)
    standing = monthly.show()
    assert (standing.balance, standing.last_refill) == (1_100, datetime(2026, 2, 28, 12, tzinfo=UTC))
    assert standing.next_refill == datetime(2026, 3, 31, 12, tzinfo=UTC)


def test_refill_beyond_the_calendar(database: Database) -> None:
    """A period that never ends is no error."""
    books = Books(database, BalanceRules(enabled=True, start=5, refill=Refill(every=1_000_000, unit="months")))
    books.held(1)
    assert books.show().next_refill is None


def test_refilling_turned_on(books: Books) -> None:
    """The months in which calls were made without refills don't count afterwards."""
    books.settle(books.held(1), 0)
    books.now = datetime(2026, 6, 15, tzinfo=UTC)
    books.settle(books.held(1), 0)
    books.rules = MONTHLY
    assert books.show().balance == 1_000
    books.now = datetime(2026, 6, 30, 12, tzinfo=UTC)
    assert books.show().balance == 1_100


def test_endless_refills(database: Database) -> None:
    """However many are due, the balance stays within its bound."""
    refill = Refill(microcredits=LARGEST, every=1, unit="seconds")
    books = Books(database, BalanceRules(enabled=True, start=LARGEST, refill=refill))
    books.held(1)
    books.now += timedelta(days=3650)
    books.held(1)
    assert books.show().balance == LARGEST - 1


def test_add(books: Books) -> None:
    """What is added is noted; what is taken goes down to zero and no further."""
    options = {"rules": RULES, "now": JANUARY}
    assert books.do(balances.add, "ann", 500, **options) == 1_500
    assert books.do(balances.add, "ann", -600, **options) == 900
    assert books.do(balances.add, "ann", -2_000, **options) == 0
    assert books.do(balances.add, "ann", 10**30, **options) == LARGEST
    noted = sorted(amount for amount, reason in books.changes() if reason == "added")
    assert noted == [-900, -600, 500, LARGEST]


def test_set(books: Books) -> None:
    """A balance is set besides what running calls hold."""
    reservation = books.held(600)
    assert books.do(balances.set_to, "ann", 50, rules=RULES, now=JANUARY) == 50
    books.settle(reservation, 500)
    assert books.show().balance == 150
    assert sorted(books.changes()) == [(-350, "set"), (1_000, "start")]
