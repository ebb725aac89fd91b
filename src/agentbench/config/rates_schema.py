"""The key `tokenConfig` of an endpoint: rates by model, named as in librechat.yaml, and `"*"` for any other model."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from agentbench.config.rates import Rates, Tier
from agentbench.config.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANY_MODEL", "RatesSection", "TokenConfig", "rates_of"]

ANY_MODEL = "*"

_Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class TierSection(Section):
    """Prices of long requests; one that is left out is as for short ones."""

    above: int = Field(ge=1, examples=[200000], description="for requests with more input tokens than this")
    prompt: _Price | None = Field(default=None, examples=[4], description="an input token, in credits")
    completion: _Price | None = Field(default=None, examples=[18], description="an output token")
    cache_read: _Price | None = Field(
        default=None, alias="cacheRead", examples=[0.4], description="an input token read from a cache"
    )
    cache_write: _Price | None = Field(
        default=None, alias="cacheWrite", examples=[5], description="an input token written to a cache"
    )


class RatesSection(Section):
    """What one model's tokens cost, in credits a token: US dollars a million tokens."""

    ignored: ClassVar = {"context": "how much a model takes is its own to say"}

    prompt: _Price = Field(examples=[2.5], description="an input token, in credits: US dollars a million tokens")
    completion: _Price = Field(examples=[15], description="an output token")
    cache_read: _Price | None = Field(
        default=None, alias="cacheRead", examples=[0.25], description="an input token read from a cache; none: `prompt`"
    )
    cache_write: _Price | None = Field(
        default=None, alias="cacheWrite", examples=[3.1], description="one written to a cache; none: `prompt`"
    )
    tiers: list[TierSection] = Field(default_factory=list)


TokenConfig = dict[str, RatesSection]


def rates_of(written: Mapping[str, RatesSection]) -> dict[str, Rates]:
    """Return what was written as values, by model."""
    return {model: _rates(model, each) for model, each in written.items()}


def _rates(model: str, written: RatesSection) -> Rates:
    return Rates(
        input=_exact(written.prompt),
        output=_exact(written.completion),
        cached=_price(written.cache_read),
        cache_write=_price(written.cache_write),
        tiers=tuple(_tier(each) for each in sorted(written.tiers, key=lambda tier: tier.above)),
        source="default" if model == ANY_MODEL else "config",
    )


def _tier(written: TierSection) -> Tier:
    return Tier(
        above=written.above,
        input=_price(written.prompt),
        output=_price(written.completion),
        cached=_price(written.cache_read),
        cache_write=_price(written.cache_write),
    )


def _price(number: float | None) -> Decimal | None:
    return None if number is None else _exact(number)


def _exact(number: float) -> Decimal:
    """Return the number that was written, not the nearest binary fraction."""
    return Decimal(str(number))
