"""The keys `balance` and `transactions`, named as in librechat.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from agentbench.config.balance import LARGEST_CREDITS, BalanceRules, Refill, RefillUnit, microcredits_of
from agentbench.config.section import Section

if TYPE_CHECKING:
    from agentbench.config.endpoint import Catalog

__all__ = ["LEDGER_FORCED", "BalanceSection", "TransactionsSection", "balance_rules", "balance_warnings"]

LEDGER_FORCED = "The ledger is kept all the same, since balances need it."

_Credits = Annotated[float, Field(ge=0, le=LARGEST_CREDITS, allow_inf_nan=False)]


class BalanceSection(Section):
    """Whether calls are paid from a balance, and how that is filled."""

    enabled: bool = Field(
        default=False,
        examples=[True],
        description="whether a call needs a balance that covers the most that it may cost; see"
        " [balances](identities.md#balances)",
    )
    start_balance: _Credits = Field(
        default=20000,
        alias="startBalance",
        examples=[500000],
        description="what each user begins with, in credits: 1,000,000 are one US dollar",
    )
    auto_refill_enabled: bool = Field(
        default=False, alias="autoRefillEnabled", examples=[True], description="whether balances grow by themselves"
    )
    refill_interval_value: int = Field(
        default=30,
        alias="refillIntervalValue",
        ge=1,
        le=1_000_000,
        examples=[1],
        description="how many `refillIntervalUnit` a period has, counted from the day a balance was made",
    )
    refill_interval_unit: RefillUnit = Field(
        default="days",
        alias="refillIntervalUnit",
        examples=["months"],
        description="`seconds`, `minutes`, `hours`, `days`, `weeks` or `months`; one that began on the 31st ends on the"
        " last day of a shorter month",
    )
    refill_amount: _Credits = Field(
        default=10000,
        alias="refillAmount",
        examples=[100000],
        description="what is added at the end of each period, in credits",
    )


class TransactionsSection(Section):
    """Whether the ledger is kept."""

    enabled: bool = Field(
        default=True,
        examples=[False],
        description="whether each call gets its row in the ledger; with balances it always does",
    )


def balance_rules(written: BalanceSection) -> BalanceRules:
    """Return what was written as a value."""
    refill = Refill(
        microcredits=microcredits_of(written.refill_amount),
        every=written.refill_interval_value,
        unit=written.refill_interval_unit,
    )
    return BalanceRules(
        enabled=written.enabled,
        start=microcredits_of(written.start_balance),
        refill=refill if written.auto_refill_enabled else None,
    )


def balance_warnings(catalog: Catalog) -> list[str]:
    """Return a line if the config asks for balances without a ledger."""
    asks_for_both = catalog.balance.enabled and not catalog.transactions
    return [f"transactions.enabled: {LEDGER_FORCED}"] if asks_for_both else []
