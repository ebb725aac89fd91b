"""What users may spend: how much they start with, and when they get more. LibreChat's `balance`.

Amounts are whole millionths of a credit, so that sums are exact.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Literal

import msgspec

__all__ = [
    "LARGEST_CREDITS",
    "MICROCREDITS",
    "BalanceRules",
    "Refill",
    "RefillUnit",
    "in_credits",
    "in_dollars",
    "microcredits_of",
]

MICROCREDITS = 1_000_000
"""To a credit."""

LARGEST_CREDITS = 10**12
"""More than that, a million US dollars, no balance is: sums of it still fit the database's whole numbers."""

RefillUnit = Literal["seconds", "minutes", "hours", "days", "weeks", "months"]


class Refill(msgspec.Struct, frozen=True, kw_only=True):
    """So much is added at the end of each period; periods are counted from the day a balance was made, in UTC."""

    microcredits: int = 10_000 * MICROCREDITS
    every: int = 30
    unit: RefillUnit = "days"

    def periods(self, start: datetime, moment: datetime) -> int:
        """Return how many whole periods lie between the start and a moment."""
        if self.unit != "months":
            return (moment - start) // timedelta(**{self.unit: self.every})
        number = (_months(moment) - _months(start)) // self.every
        return number if self.end(start, number) <= moment else number - 1

    def end(self, start: datetime, number: int) -> datetime:
        """Return when that period ends. In a month that is too short it ends on the last day.

        Raises `ValueError` or `OverflowError` beyond the calendar.
        """
        if self.unit != "months":
            return start + number * timedelta(**{self.unit: self.every})
        year, month = divmod(_months(start) + number * self.every, 12)
        return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


class BalanceRules(msgspec.Struct, frozen=True, kw_only=True):
    """Whether calls are paid from a balance, and how that is filled; `refill` None means never again."""

    enabled: bool = False
    start: int = 20_000 * MICROCREDITS
    refill: Refill | None = None


def microcredits_of(credits: float | Decimal) -> int:  # noqa: A002 - what the field calls them
    """Return so many credits as whole microcredits; a part of one counts as one."""
    exact = Decimal(str(credits)) * MICROCREDITS
    return int(exact.to_integral_value(ROUND_CEILING))


def in_credits(microcredits: int) -> str:
    """Return an amount as people read it, in credits."""
    return f"{Decimal(microcredits).scaleb(-6).normalize():,f}"


def in_dollars(microcredits: int) -> str:
    """Return an amount as people read it, in US dollars."""
    return f"{Decimal(microcredits).scaleb(-12).normalize():,f}"


def _months(moment: datetime) -> int:
    return moment.year * 12 + moment.month - 1
