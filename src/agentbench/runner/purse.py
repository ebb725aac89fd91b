"""What calls may cost, against the balance of whoever asks; what they did cost is settled with their rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from anyio import CancelScope

from agentbench.config.balance import MICROCREDITS, microcredits_of
from agentbench.config.rates import CREDITS_PER_USD
from agentbench.errors import InsufficientBalance
from agentbench.storage import balances
from agentbench.storage.balances import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from agentbench.config.balance import BalanceRules
    from agentbench.storage.balances import Standing
    from agentbench.storage.database import Database

__all__ = ["Purse", "microcredits"]

HELD_FOR = timedelta(hours=1)
"""After that the money of a call whose process died is its user's again."""


class Purse:
    """Reserves before calls; does nothing where the rules in force ask for no balance."""

    def __init__(self, rules: Callable[[], BalanceRules], database: Database) -> None:
        self._rules = rules
        self._database = database

    async def reserve(self, user: str, amount: int) -> str | None:
        """Take so many microcredits off a user's balance, and return the reservation to settle.

        None means that there is nothing to settle. Raises `InsufficientBalance`, and then nothing was taken.
        """
        rules = self._rules()
        if not rules.enabled or amount <= 0:
            return None
        now = datetime.now(UTC)
        job = partial(balances.reserve, user=user, need=amount, rules=rules, now=now, expires=now + HELD_FOR)
        with CancelScope(shield=True):  # a reservation that is made must come back to who will settle it
            made = await self._database.write(job)
        if isinstance(made, Refused):
            raise InsufficientBalance(made.balance / MICROCREDITS, amount / MICROCREDITS)
        return made

    async def standing(self, user: str) -> Standing | None:
        """Return how a user's balance stands; None where no balance is asked for."""
        rules = self._rules()
        if not rules.enabled:
            return None
        return await self._database.read(partial(balances.show, user=user, rules=rules, now=datetime.now(UTC)))


def microcredits(cost: Decimal) -> int:
    """Return so many US dollars as microcredits, rounded up."""
    return microcredits_of(cost * CREDITS_PER_USD)
