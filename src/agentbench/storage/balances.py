"""Balances: what users may still spend, what running calls hold of it, and every change that is no charge.

All amounts are microcredits. A call reserves its worst case before it runs, and settles what it cost afterwards. What
the rules of a balance are, and whether there are any, is the config's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, func, insert, select, update

from agentbench.config.balance import LARGEST_CREDITS, MICROCREDITS
from agentbench.protocol.values import Value, new_id
from agentbench.storage import tables
from agentbench.storage.turns import wait_for_turn

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, RowMapping

    from agentbench.config.balance import BalanceRules

__all__ = ["Refused", "Standing", "add", "expire", "reserve", "set_to", "settle", "show"]

LARGEST = LARGEST_CREDITS * MICROCREDITS

KEPT = timedelta(days=30)
"""How long a call that outlived its reservation can still be charged."""

_balances = tables.balances
_reservations = tables.reservations


class Refused(Value, frozen=True, kw_only=True):
    """There is less than what was to be reserved."""

    balance: int


class Standing(Value, frozen=True, kw_only=True):
    """A balance as a call would find it at that moment; `reserved` is taken off it already."""

    balance: int
    reserved: int = 0
    last_refill: datetime | None = None
    next_refill: datetime | None = None
    """None: never."""


def reserve(
    connection: Connection, user: str, need: int, *, rules: BalanceRules, now: datetime, expires: datetime
) -> str | Refused:
    """Take what a call may cost off a balance until `expires`, and return the reservation's id.

    A user's first one makes the balance. What is due, to anyone from reservations or to this user as refills, is
    given first.
    """
    _bring_up_to_date(connection, user, rules, now)
    values: dict[str, Any] = {"microcredits": _balances.c.microcredits - need}
    if rules.refill is None:  # so that this time won't count, should refilling be turned on
        values["last_refill"] = now
    enough = (_balances.c.user == user) & (_balances.c.microcredits >= need)
    if need > LARGEST or not connection.execute(update(_balances).where(enough).values(values)).rowcount:
        return Refused(balance=_balance(connection, user))
    reservation = new_id("hold")
    row = {"id": reservation, "user": user, "microcredits": need, "expires_at": expires}
    connection.execute(insert(_reservations), row)
    return reservation


def settle(connection: Connection, user: str, reservation: str, charge: int) -> None:
    """Put back what was reserved less what the call cost; never below zero. A second time does nothing.

    A call that outlived its reservation is charged as well, up to `KEPT` after that.
    """
    wait_for_turn(connection)
    mine = (_reservations.c.id == reservation) & (_reservations.c.user == user)
    held = connection.scalar(select(_reservations.c.microcredits).where(mine))
    if held is not None:
        connection.execute(delete(_reservations).where(mine))
        _change(connection, user, held - min(max(charge, 0), LARGEST))


def expire(connection: Connection, now: datetime) -> None:
    """Give back what is held by reservations whose time is over."""
    wait_for_turn(connection)
    _give_back(connection, now)


def add(connection: Connection, user: str, amount: int, *, rules: BalanceRules, now: datetime) -> int:
    """Add to a balance, or take from it down to zero; return the new one."""
    _bring_up_to_date(connection, user, rules, now)
    return _set(connection, user, _balance(connection, user) + amount, now, "added")


def set_to(connection: Connection, user: str, amount: int, *, rules: BalanceRules, now: datetime) -> int:
    """Set a balance, whatever running calls hold besides; return it."""
    _bring_up_to_date(connection, user, rules, now)
    return _set(connection, user, amount, now, "set")


def show(connection: Connection, user: str, *, rules: BalanceRules, now: datetime) -> Standing:
    """Return how a user's balance stands, without a change to it; one that isn't there yet as it will start."""
    row = connection.execute(select(_balances).where(_balances.c.user == user)).mappings().one_or_none()
    if row is None:
        return Standing(balance=rules.start)
    held = select(func.coalesce(func.sum(_reservations.c.microcredits), 0)).where(_reservations.c.user == user)
    over = int(connection.scalar(held.where(_reservations.c.expires_at <= now)) or 0)
    refill, last = _due(row, rules, now)
    return Standing(
        balance=min(row["microcredits"] + over + refill, LARGEST),
        reserved=int(connection.scalar(held) or 0) - over,
        last_refill=last,
        next_refill=_next_refill(row, rules, now),
    )


def _bring_up_to_date(connection: Connection, user: str, rules: BalanceRules, now: datetime) -> None:
    """Give what is due: reservations whose time is over to everybody, a start and refills to this user."""
    wait_for_turn(connection)
    _give_back(connection, now)
    query = select(_balances).where(_balances.c.user == user)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        made = {"user": user, "microcredits": rules.start, "last_refill": now, "created_at": now}
        connection.execute(insert(_balances), made)
        _note(connection, user, rules.start, now, "start")
        return
    refill, last = _due(row, rules, now)
    if refill:
        _change(connection, user, refill, last_refill=last)
        _note(connection, user, refill, now, "refill")


def _give_back(connection: Connection, now: datetime) -> None:
    """Give back what expired; its rows stay for a while with nothing in them, for calls that end later still."""
    over = _reservations.c.expires_at <= now
    full = over & (_reservations.c.microcredits > 0)
    held = select(_reservations.c.user, func.sum(_reservations.c.microcredits)).where(full)
    found = connection.execute(held.group_by(_reservations.c.user)).all()
    for user, amount in found:
        _change(connection, user, int(amount))
    if found:
        connection.execute(update(_reservations).where(full).values(microcredits=0))
        connection.execute(delete(_reservations).where(_reservations.c.expires_at <= now - KEPT))


def _due(row: RowMapping, rules: BalanceRules, now: datetime) -> tuple[int, datetime]:
    """Return the refills that are due as one sum, and when the last of them was."""
    start, last = row["created_at"], row["last_refill"]
    if rules.refill is None:
        return 0, last
    periods = rules.refill.periods(start, now)
    missed = periods - rules.refill.periods(start, last)
    if missed < 1:  # none yet, or the clock went back
        return 0, last
    return min(missed * rules.refill.microcredits, LARGEST), rules.refill.end(start, periods)


def _next_refill(row: RowMapping, rules: BalanceRules, now: datetime) -> datetime | None:
    if rules.refill is None:
        return None
    start = row["created_at"]
    try:
        return rules.refill.end(start, rules.refill.periods(start, max(now, row["last_refill"])) + 1)
    except (OverflowError, ValueError):
        return None


def _balance(connection: Connection, user: str) -> int:
    return int(connection.scalar(select(_balances.c.microcredits).where(_balances.c.user == user)) or 0)


def _change(connection: Connection, user: str, amount: int, **values: Any) -> None:
    """Add to a balance in one statement, within its bounds."""
    values["microcredits"] = _bounded(_balances.c.microcredits + amount)
    connection.execute(update(_balances).where(_balances.c.user == user).values(values))


def _bounded(amount: ColumnElement[int]) -> ColumnElement[int]:
    return case((amount < 0, 0), (amount > LARGEST, LARGEST), else_=amount)


def _set(connection: Connection, user: str, amount: int, now: datetime, reason: str) -> int:
    before, after = _balance(connection, user), min(max(amount, 0), LARGEST)
    _change(connection, user, after - before)
    _note(connection, user, after - before, now, reason)
    return after


def _note(connection: Connection, user: str, amount: int, now: datetime, reason: str) -> None:
    row = {"id": new_id("change"), "time": now, "user": user, "microcredits": amount, "reason": reason}
    connection.execute(insert(tables.balance_changes), row)
