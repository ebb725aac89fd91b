"""`%agent prices`: what models cost, and who says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from decimal import Decimal

    from agentbench.config.rates import Rates, Tier
    from agentbench.notebook.magics.commands.base import Call

__all__ = ["Prices"]

_NAMES = {"input": "input", "cached": "cached", "cache_write": "cache write", "output": "output"}


class Prices:
    """Tabulate what models cost."""

    name = "prices"
    summary = "What models cost, in US dollars a million tokens, and who says so."
    argument = "[MODEL]"
    options = ()

    async def run(self, call: Call) -> Table:
        """Return the table."""
        found = call.session.bench.prices(call.text or None)
        rows = [_row(name, rates) for name, rates in found.items()]
        note = "US dollars a million tokens. A price that nobody knows can be given in the config: tokenConfig."
        return Table(("model", *_NAMES.values(), "long requests", "from"), rows, note=note)


def _row(name: str, rates: Rates | None) -> tuple[str, ...]:
    if rates is None:
        return (name, *[""] * (len(_NAMES) + 1), "unknown")
    plain = rates.at(0)
    tiers = "; ".join(map(_tier, rates.tiers))
    return (name, *(_price(getattr(plain, each)) for each in _NAMES), tiers, rates.source)


def _tier(tier: Tier) -> str:
    told = [f"{shown} {_price(price)}" for each, shown in _NAMES.items() if (price := getattr(tier, each)) is not None]
    return f"above {tier.above:,}: {', '.join(told)}"


def _price(price: Decimal) -> str:
    return f"{price.normalize():f}"
