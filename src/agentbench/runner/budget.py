"""Limits that people set for a block of code or a notebook: which calls count, and which are refused.

A call takes its worst case out of every budget that it counts against, before anything is sent; when it has ended,
what it really took stands in its place. What a call costs, and when it begins and ends, others say.
"""

from __future__ import annotations

import asyncio
import math
import threading
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import BudgetExceeded, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Amount", "Budget", "Budgets", "Hold", "dollars", "hold", "room"]

_blocks: ContextVar[tuple[Budget, ...]] = ContextVar("agentbench_budgets", default=())
"""Of the code that runs: tasks and the event loop's thread inherit it, threads that people start don't."""


class Amount(NamedTuple):
    """What a call takes; `usd` is None where nobody knows the price."""

    usd: Decimal | None
    tokens: int


_NOTHING = Amount(Decimal(0), 0)


class Budget:
    """A limit in US dollars, in tokens (input and output together), or in both, and what is spent of it.

    Raises `InvalidRequest` without a limit, or for one that is negative or no number. Any thread may use it.
    """

    def __init__(self, usd: float | None = None, tokens: int | None = None) -> None:
        if usd is None and tokens is None:
            raise InvalidRequest("A budget needs a limit: usd=0.50, tokens=20_000, or both.")
        for limit in (usd, tokens):
            if limit is not None and not (math.isfinite(limit) and limit >= 0):
                raise InvalidRequest(f"A budget can't be {limit}. Give 0 or more.")
        self._usd = None if usd is None else Decimal(str(usd))  # what was written, not the nearest binary fraction
        self._tokens = tokens
        self._spent, self._held = _NOTHING, _NOTHING
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    @property
    def limit_usd(self) -> float | None:
        """The limit in dollars, if there is one."""
        return None if self._usd is None else float(self._usd)

    @property
    def limit_tokens(self) -> int | None:
        """The limit in tokens, if there is one."""
        return self._tokens

    @property
    def spent_usd(self) -> float:
        """What the calls that have ended cost; those of unknown price, which a limit in tokens allows, not counted."""
        return float(_usd(self._spent))

    @property
    def spent_tokens(self) -> int:
        """The tokens of the calls that have ended."""
        return self._spent.tokens

    @property
    def left_usd(self) -> float | None:
        """What a call may cost now, without what is held for calls that still run; None without a limit in dollars."""
        return None if self._usd is None else float(max(Decimal(0), self._usd - _usd(self._taken)))

    @property
    def left_tokens(self) -> int | None:
        """What a call may take now, as `left_usd` says it."""
        return None if self._tokens is None else max(0, self._tokens - self._taken.tokens)

    def take(self, name: str, worst: Amount) -> None:
        """Set a call's worst case aside; raise `BudgetExceeded` if that would pass a limit. `name` is the model's."""
        with self._lock:
            if (refusal := self._refusal(name, worst)) is not None:
                raise BudgetExceeded(refusal)
            self._held = _sum(self._held, worst)

    def settle(self, worst: Amount, actual: Amount) -> None:
        """Give back what `take` set aside, and count what the call took."""
        with self._lock:
            self._held = Amount(_usd(self._held) - _usd(worst), self._held.tokens - worst.tokens)
            self._spent = _sum(self._spent, actual)
            waiting, self._waiting = self._waiting, []
        for loop, freed in waiting:
            with suppress(RuntimeError):  # that event loop is closed, so nobody waits there
                loop.call_soon_threadsafe(freed.set)

    def room(self, name: str, worst: Amount) -> asyncio.Event | None:
        """Return what is set when the next call ends, where a call doesn't fit only for those that still run.

        None is one that fits now, or never will.
        """
        with self._lock:
            if self._refusal(name, worst) is None or self._refusal(name, worst, held=_NOTHING) is not None:
                return None
            freed = asyncio.Event()
            self._waiting.append((asyncio.get_running_loop(), freed))
            return freed

    def __repr__(self) -> str:
        parts = []
        if self._usd is not None:
            parts.append(f"{dollars(_usd(self._spent))} of {dollars(self._usd)} spent")
        if self._tokens is not None:
            parts.append(f"{self.spent_tokens:,} of {self._tokens:,} tokens spent")
        return f"<Budget: {', '.join(parts)}>"

    @property
    def _taken(self) -> Amount:
        with self._lock:
            return _sum(self._spent, self._held)

    def _refusal(self, name: str, worst: Amount, *, held: Amount | None = None) -> str | None:
        """Return why a call can't be made, with what is held now or as told; None if it can."""
        spent, held = self._spent, self._held if held is None else held
        if self._usd is not None and worst.usd is None:
            return (
                f"The price of {name} is unknown, so it can't be kept within a budget in dollars. Use tokens=…, or"
                " give its price in tokenConfig."
            )
        taken = _sum(spent, held)
        if self._usd is not None and _usd(taken) + _usd(worst) > self._usd:
            others = f", {dollars(_usd(held))} held by calls that still run" if _usd(held) else ""
            return (
                f"{name} may cost {dollars(_usd(worst))} here, and of the budget of {dollars(self._usd)}"
                f" {dollars(_usd(spent))} is spent{others}. Nothing was sent: lower max_output_tokens, or raise the"
                " budget."
            )
        if self._tokens is not None and taken.tokens + worst.tokens > self._tokens:
            others = f", {held.tokens:,} held by calls that still run" if held.tokens else ""
            return (
                f"{name} may take {worst.tokens:,} tokens here, and of the budget of {self._tokens:,} {spent.tokens:,}"
                f" are spent{others}. Nothing was sent: lower max_output_tokens, or raise the budget."
            )
        return None


class Hold:
    """One call's worst case, taken out of its budgets until `settle`."""

    def __init__(self, budgets: Sequence[Budget], worst: Amount) -> None:
        self._budgets = budgets
        self._worst = worst

    def settle(self, actual: Amount = _NOTHING) -> None:
        """Count what the call took: nothing, if it failed before anybody answered. A second call does nothing."""
        budgets, self._budgets = self._budgets, ()
        for budget in budgets:
            budget.settle(self._worst, actual)


async def room(budgets: Sequence[Budget], name: str, worst: Amount) -> None:
    """Wait while a call doesn't fit into every budget, but may once others that still run have ended."""
    while (freed := next(filter(None, (each.room(name, worst) for each in budgets)), None)) is not None:
        await freed.wait()


def hold(budgets: Sequence[Budget], name: str, worst: Amount) -> Hold:
    """Take a call's worst case out of every budget, or, if one refuses, out of none; raises `BudgetExceeded`."""
    for place, budget in enumerate(budgets):
        try:
            budget.take(name, worst)
        except BudgetExceeded:
            Hold(budgets[:place], worst).settle()
            raise
    return Hold(budgets, worst)


class Budgets:
    """The budgets of one workbench. `standing` holds for every call, until another takes its place."""

    def __init__(self) -> None:
        self.standing: Budget | None = None
        self._open: list[Budget] = []

    @contextmanager
    def block(self, budget: Budget) -> Iterator[Budget]:
        """Let a budget hold within a block."""
        before = _blocks.get()
        _blocks.set((*before, budget))
        self._open.append(budget)
        try:
            yield budget
        finally:
            self._open.remove(budget)
            _blocks.set(before)

    def now(self) -> tuple[Budget, ...]:
        """Return what a call that begins here counts against: the blocks that it is made in, and the standing one.

        Code that is in no block may be in a thread, which doesn't know what block it was started in: it counts against
        all that are open.
        """
        opened = tuple(self._open)
        own = [each for each in _blocks.get() if each in opened]
        standing = () if self.standing is None else (self.standing,)
        return (*standing, *(own or opened))


def _usd(amount: Amount) -> Decimal:
    return amount.usd or Decimal(0)


def _sum(one: Amount, other: Amount) -> Amount:
    return Amount(_usd(one) + _usd(other), one.tokens + other.tokens)


def dollars(usd: Decimal | float) -> str:
    """Return an amount as text, with two decimal places or more, up to six, which are credits."""
    whole, _, fraction = f"{usd:,.6f}".partition(".")
    return f"${whole}.{fraction.rstrip('0'):0<2}"
