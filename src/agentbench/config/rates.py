"""What tokens cost: prices in US dollars a million tokens, which are credits a token. LibreChat's `tokenConfig`."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

__all__ = ["CREDITS_PER_USD", "FREE", "RateSource", "Rates", "Tier", "Tokens"]

CREDITS_PER_USD = 1_000_000
_MILLION = Decimal(1_000_000)

RateSource = Literal["config", "default", "genai-prices", "local"]
"""Who says so: the config for this model, the config for any model, the price lists, or that it runs here."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of one call, each in exactly one bucket: `input` are those that no cache read or wrote."""

    input: int = 0
    cached: int = 0
    cache_write: int = 0
    output: int = 0

    @property
    def total_input(self) -> int:
        """All that went in."""
        return self.input + self.cached + self.cache_write


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of all tokens of a call with more than `above` input tokens; None: as below."""

    above: int
    input: Decimal | None = None
    output: Decimal | None = None
    cached: Decimal | None = None
    cache_write: Decimal | None = None


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """A model's prices. Without one for cached or cache-written tokens, they cost what input does."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    cache_write: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    """By rising `above`."""
    source: RateSource = "config"

    def at(self, input_tokens: int) -> Rates:
        """Return the plain prices of a call with so many input tokens in all."""
        found = self
        for tier in self.tiers:
            if input_tokens > tier.above:
                changes = {name: price for name in _PRICES if (price := getattr(tier, name)) is not None}
                found = msgspec.structs.replace(found, **changes)
        return msgspec.structs.replace(
            found,
            cached=found.input if found.cached is None else found.cached,
            cache_write=found.input if found.cache_write is None else found.cache_write,
            tiers=(),
        )

    def cost(self, tokens: Tokens) -> Decimal:
        """Return what a call costs, in US dollars, exactly."""
        plain = self.at(tokens.total_input)
        buckets = ((tokens.input, plain.input), (tokens.output, plain.output))
        more = ((tokens.cached, plain.cached), (tokens.cache_write, plain.cache_write))
        return sum((count * (price or Decimal(0)) for count, price in (*buckets, *more)), Decimal(0)) / _MILLION


_PRICES = ("input", "output", "cached", "cache_write")
FREE = Rates(input=Decimal(0), output=Decimal(0), source="local")
