"""What models cost, and what a question would cost on each."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import FakeProvider

from agentbench import Workbench
from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.runner.quote import Quote

SAID = [{"text": "one two three"}]
TIER = {"above": 1_000, "prompt": 20}
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {
            "models": {"dear": SAID, "cheap": SAID},
            "tokenConfig": {
                "dear": {"prompt": 10, "completion": 50, "cacheRead": 1, "cacheWrite": 12.5, "tiers": [TIER]},
                "cheap": {"prompt": 1, "completion": 2},
            },
        },
        "custom": [
            {
                "name": "dark",
                "baseURL": "http://127.0.0.1:9/v1",
                "models": {"default": ["m", "cheap"], "fetch": True},
                "tokenConfig": {"cheap": {"prompt": 3, "completion": 4}},
            }
        ],
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "dear", "instructions": "Be kind."}],
}


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench of two endpoints."""
    with Workbench(CONFIG) as bench:
        yield bench


def named(quotes: tuple[Quote, ...], name: str) -> Quote:
    """Return the quote for one model."""
    return next(quote for quote in quotes if quote.name == name)


# -- quotes ---------------------------------------------------------------------------------------------------------


def test_the_cheapest_first(bench: Workbench) -> None:
    """Then the dearer ones, and last those that nobody knows the price of; the one that would answer is marked."""
    quotes = bench.quote("Why is the sky blue?")
    known = [quote.name for quote in quotes if quote.endpoint in ("scripted", "dark")]
    assert known == ["scripted/cheap", "dark/cheap", "scripted/dear", "dark/m"]
    assert [quote.name for quote in quotes if quote.chosen] == ["scripted/dear"]
    assert (quotes[-1].input_usd, quotes[-1].worst_usd) == (None, None)


def test_what_it_costs(bench: Workbench) -> None:
    """The input at its rate, and with the longest answer, all of the input written to a cache."""
    quote = named(bench.quote("Why?", max_output_tokens=100), "scripted/dear")
    tokens = quote.input_tokens
    assert quote.input_usd == pytest.approx(tokens * 10 / 1e6)
    assert quote.worst_usd == pytest.approx((tokens * 12.5 + 100 * 50) / 1e6)
    assert quote.max_output_tokens == 100


def test_a_long_question_is_in_a_higher_tier(bench: Workbench) -> None:
    """All of its tokens cost that."""
    quote = named(bench.quote("x" * 8_000), "scripted/dear")
    assert 2_000 <= quote.input_tokens <= 2_100
    assert quote.input_usd == pytest.approx(quote.input_tokens * 20 / 1e6)


def test_nothing_is_sent(bench: Workbench) -> None:
    """No model is asked, no title made, nothing stored or counted."""
    made: Any = bench._providers._made
    upstream = made["scripted"] = FakeProvider()
    talk = bench.start_conversation()
    bench.quote("Why?", conversation=talk)
    found = bench.conversation(talk.id)
    assert (upstream.requests, upstream.opened) == ([], 0)
    assert (bench.turns(talk), len(bench.usage())) == ((), 0)
    assert found == talk


def test_the_conversation_so_far_counts(bench: Workbench) -> None:
    """So do tools and instructions."""
    talk = bench.start_conversation()
    bench.ask("Tell me about " + "colours " * 200, conversation=talk)
    alone = bench.quote("Why?")[0].input_tokens
    assert bench.quote("Why?", conversation=talk)[0].input_tokens > alone + 400
    assert bench.quote("Why?", functions=[colours])[0].input_tokens > alone
    assert bench.quote("Why?", instructions="In detail, please.")[0].input_tokens > alone


def colours(first: str, second: str) -> str:
    """Mix two colours."""
    return first + second


def test_the_options_of_stream(bench: Workbench) -> None:
    """Another agent's or model's name, an image, a function to approve with: all are taken, as `stream` does."""
    options: dict[str, Any] = {"model": "dark/other", "images": "https://pictures.example/1.png", "watching": False}
    quotes = bench.quote("What is it?", approve=lambda _: True, **options)
    assert named(quotes, "dark/other").chosen
    with pytest.raises(UnknownName, match="bto"):
        bench.quote("Why?", agent="bto")


# -- prices ---------------------------------------------------------------------------------------------------------


def test_all_prices(bench: Workbench) -> None:
    """Each model that is known has its rates, or None."""
    prices = bench.prices()
    assert {"scripted/dear", "scripted/cheap", "dark/m", "dark/cheap"} <= set(prices)
    rates = prices["scripted/dear"]
    assert rates is not None
    assert (rates.input, rates.cached, rates.output, rates.source) == (Decimal(10), Decimal(1), Decimal(50), "config")
    assert prices["dark/m"] is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("scripted/cheap", {"scripted/cheap"}),
        ("cheap", {"scripted/cheap", "dark/cheap"}),
        ("dark/unlisted", {"dark/unlisted"}),
        ("dark", {"dark/m"}),
    ],
)
def test_one_model(bench: Workbench, name: str, found: set[str]) -> None:
    """A bare name means each endpoint's model of that name; a fetching endpoint may have models nobody listed."""
    assert set(bench.prices(name)) == found


def test_an_unknown_model(bench: Workbench) -> None:
    """The nearest known name is suggested."""
    with pytest.raises(UnknownName, match="Did you mean"):
        bench.prices("scripted/chep")


def test_a_listed_price() -> None:
    """What no config says, the price lists may; a default stands in for models that they don't know."""
    openai = {"apiKey": "sk-1", "models": {"default": ["gpt-4o-mini", "mine"]}}
    openai["tokenConfig"] = {"*": {"prompt": 7, "completion": 8}}  # type: ignore[assignment]
    with Workbench({"endpoints": {"openAI": openai}}) as bench:
        prices = bench.prices()
    listed, mine = prices["openAI/gpt-4o-mini"], prices["openAI/mine"]
    assert listed is not None
    assert mine is not None
    assert (listed.input, listed.source) == (Decimal("0.15"), "genai-prices")
    assert (mine.input, mine.source) == (Decimal(7), "default")
