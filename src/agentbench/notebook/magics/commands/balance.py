"""`%agent balance`: what the person at the kernel may still spend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.balance import in_credits, in_dollars
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.config.balance import Refill
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.storage.balances import Standing

__all__ = ["Balance"]

_OFF = "Balances are off: no call is paid from one. To turn them on, set balance.enabled in the config."


class Balance:
    """Show the balance."""

    name = "balance"
    summary = "What you may still spend, what running calls hold of it, and when it grows."
    argument = ""
    options = ()

    async def run(self, call: Call) -> Table:
        """Return the balance in credits and US dollars."""
        bench = call.session.bench
        standing = bench.balance()
        columns = ("", "credits", "US dollars")
        if standing is None:
            return Table(columns, [], note=_OFF)
        amounts = {"balance": standing.balance, "held by running calls": standing.reserved}
        rows = [(name, in_credits(amount), in_dollars(amount)) for name, amount in amounts.items()]
        return Table(columns, rows, note=_growth(standing, bench.catalog.balance.refill))


def _growth(standing: Standing, refill: Refill | None) -> str:
    if refill is None:
        return "It is not refilled by itself."
    amount = in_credits(refill.microcredits)
    if standing.next_refill is None:
        return f"It grows by {amount} credits every {refill.every} {refill.unit}."
    return f"It grows by {amount} credits on {standing.next_refill.astimezone():%Y-%m-%d %H:%M}."
