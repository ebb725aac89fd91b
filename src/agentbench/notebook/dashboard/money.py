"""What may still be spent: the notebook's budgets, and the balance of the person at the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from agentbench.config.balance import MICROCREDITS, in_credits
from agentbench.errors import AgentbenchError

if TYPE_CHECKING:
    from agentbench.config.balance import Refill
    from agentbench.runner.budget import Budget
    from agentbench.storage.balances import Standing
    from agentbench.workbench import Workbench

__all__ = ["BalanceShown", "BudgetShown", "Money", "money_of"]


class BudgetShown(TypedDict):
    """A budget: what it allows, what ended calls took, and what one may take now."""

    name: str
    limit_usd: float | None
    spent_usd: float
    left_usd: float | None
    limit_tokens: int | None
    spent_tokens: int
    left_tokens: int | None


class BalanceShown(TypedDict):
    """A balance in credits, as a number for a bar and as exact text; what it began with, and when it grows."""

    credits: float
    credits_text: str
    held_text: str
    start: float
    refill: str


class Money(TypedDict):
    """What a dashboard shows of it; `balance` is None where the config asks for none."""

    budgets: list[BudgetShown]
    balance: BalanceShown | None


def money_of(bench: Workbench) -> Money:
    """Return how budgets and balance stand now."""
    standing = bench.budgets.standing
    budgets = [_budget(each, "Notebook budget" if each is standing else "Block budget") for each in bench.budgets.now()]
    return Money(budgets=budgets, balance=_balance(bench))


def _budget(budget: Budget, name: str) -> BudgetShown:
    return BudgetShown(
        name=name,
        limit_usd=budget.limit_usd,
        spent_usd=budget.spent_usd,
        left_usd=budget.left_usd,
        limit_tokens=budget.limit_tokens,
        spent_tokens=budget.spent_tokens,
        left_tokens=budget.left_tokens,
    )


def _balance(bench: Workbench) -> BalanceShown | None:
    """Return the balance; None also where it can't be read now."""
    rules = bench.catalog.balance
    if not rules.enabled:
        return None
    try:
        standing = bench.balance()
    except AgentbenchError:
        return None
    if standing is None:
        return None
    return BalanceShown(
        credits=standing.balance / MICROCREDITS,
        credits_text=in_credits(standing.balance),
        held_text=in_credits(standing.reserved),
        start=rules.start / MICROCREDITS,
        refill=_refill(standing, rules.refill),
    )


def _refill(standing: Standing, refill: Refill | None) -> str:
    if refill is None:
        return "never"
    amount = f"{in_credits(refill.microcredits)} credits"
    if standing.next_refill is None:
        return f"{amount} every {refill.every} {refill.unit}"
    return f"{amount} on {standing.next_refill.astimezone():%Y-%m-%d %H:%M}"
