"""The key `tokenConfig`: what an operator writes about prices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from agentbench.config.load import load
from agentbench.config.rates import Rates, Tier, Tokens
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIERED = Rates(
    input=Decimal(2),
    output=Decimal(12),
    tiers=(Tier(above=200_000, input=Decimal(4)), Tier(above=500_000, output=Decimal(20))),
)


def rates(**models: Any) -> Mapping[str, Rates]:
    """Return the rates of an endpoint with these keys under `tokenConfig`."""
    endpoint = {"name": "acme", "baseURL": "https://llm.example.org/v1", "apiKey": "x", "models": {"default": ["m"]}}
    return load({"endpoints": {"custom": [{**endpoint, "tokenConfig": models}]}}, {}).endpoint("acme").rates


def test_exact_prices() -> None:
    """A price is the number that was written, not the nearest binary fraction."""
    found = rates(m={"prompt": 0.1, "completion": 0.7, "cacheRead": 0.01, "cacheWrite": 0.125})["m"]
    assert (found.input, found.output) == (Decimal("0.1"), Decimal("0.7"))
    assert (found.cached, found.cache_write, found.source) == (Decimal("0.01"), Decimal("0.125"), "config")


def test_any_model() -> None:
    """What holds for models that nobody knows says so."""
    assert rates(**{"*": {"prompt": 6, "completion": 6}})["*"].source == "default"


def test_tiers_in_order() -> None:
    """Tiers may be written in any order."""
    tiers = [{"above": 300_000, "prompt": 6}, {"above": 200_000, "prompt": 4}]
    found = rates(m={"prompt": 2, "completion": 12, "tiers": tiers})["m"]
    assert [tier.above for tier in found.tiers] == [200_000, 300_000]


@pytest.mark.parametrize(
    "written",
    [
        {"completion": 1},
        {"prompt": -1, "completion": 1},
        {"prompt": float("nan"), "completion": 1},
        {"prompt": 1, "completion": 1, "tiers": [{"above": 0}]},
        {"prompt": 1, "completion": 1, "cached": 1},
    ],
)
def test_odd_prices(written: dict[str, Any]) -> None:
    """A price that is missing, negative or no number, and a key that isn't there, are refused."""
    with pytest.raises(ConfigError, match="tokenConfig"):
        rates(m=written)


@pytest.mark.parametrize(
    ("read", "expected"), [(200_000, (2, 12)), (200_001, (4, 12)), (500_000, (4, 12)), (500_001, (4, 20))]
)
def test_a_tier_begins_above_its_number(read: int, expected: tuple[int, int]) -> None:
    """What a tier leaves out is as in the one below."""
    plain = TIERED.at(read)
    assert (plain.input, plain.output) == expected


def test_cached_tokens_without_a_price() -> None:
    """They cost what other input does, in the tier of all the input."""
    cost = TIERED.cost(Tokens(input=100_000, cached=100_000, cache_write=1))
    assert cost == Decimal(4) * 200_001 / 1_000_000
