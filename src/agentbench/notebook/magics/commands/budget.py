"""`%agent budget`: what the notebook may spend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.runner.budget import Budget as Limit

__all__ = ["Budget"]


class Budget:
    """Limit what the notebook's calls may cost."""

    name = "budget"
    summary = "Limit what this notebook's calls may cost, in US dollars or tokens, and see what is spent and left."
    argument = "[USD]"
    options = (
        Option(("--tokens",), "a limit in tokens, input and output together", "TOKENS", int),
        Option(("--off",), "no limit from now on"),
    )

    async def run(self, call: Call) -> Table:
        """Return what is spent and left, after the change."""
        budgets, tokens = call.session.bench.budgets, call.options.get("tokens")
        if call.options.get("off"):
            if call.text or tokens is not None:
                raise InvalidRequest("--off takes no limit. Write it alone: %agent budget --off")
            budgets.standing = None
        elif call.text or tokens is not None:
            from agentbench.runner.budget import Budget as Limit

            budgets.standing = Limit(usd=_usd(call.text), tokens=tokens)
        return _table(budgets.standing)


def _usd(text: str) -> float | None:
    try:
        return float(text.removeprefix("$")) if text else None
    except ValueError:
        raise InvalidRequest(
            f"{text!r} is not an amount of US dollars. Write %agent budget 0.50, or %agent budget --tokens 20000 0.50."
        ) from None


def _table(limit: Limit | None) -> Table:
    from agentbench.runner.budget import dollars

    columns = ("budget", "limit", "spent", "left")
    if limit is None:
        return Table(columns, [], note="There is no limit. To set one: %agent budget 0.50")
    rows = []
    if limit.limit_usd is not None:
        amounts = (limit.limit_usd, limit.spent_usd, limit.left_usd)
        rows.append(("US dollars", *(dollars(each or 0) for each in amounts)))
    if limit.limit_tokens is not None:
        counts = (limit.limit_tokens, limit.spent_tokens, limit.left_tokens)
        rows.append(("tokens", *(f"{each or 0:,}" for each in counts)))
    return Table(columns, rows, note="It counts the calls of this notebook from when it was set. To end it: --off")
