"""What a call costs, before it is made and after: whose rates hold, and how many tokens a text may be."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec

from agentbench.config.rates import CREDITS_PER_USD, FREE, Rates, Tier, Tokens
from agentbench.protocol.items import FunctionCall, Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genai_prices.types import ModelPrice, TieredPrices

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, Item, Usage

__all__ = [
    "ABSURD",
    "ANY_MODEL",
    "affordable_answer",
    "estimated_tokens",
    "flags_of",
    "input_estimate",
    "is_in_process",
    "longest_answer",
    "output_estimate",
    "rates_for",
    "tokens_of",
    "worst_case",
    "worst_cost",
]

ANY_MODEL = "*"
ABSURD = 2**31 - 1
"""No call has so many tokens; it is also the largest number that fits the ledger."""

_LONGEST_ANSWER = 8_192
_IN_PROCESS = ("llama_cpp", "scripted")
_PROVIDERS = {"anthropic": "anthropic", "google": "google", "azure_openai": "azure", "bedrock": "aws"}
_LISTED = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
}
_BYTES_PER_TOKEN = 4  # of UTF-8: right within a few percent for prose in many languages
_BYTES_PER_TOKEN_IN_JSON = 2  # which is denser
_TOKENS_PER_IMAGE = 2_000  # at most, with most providers, whatever its size
_IMAGE = re.compile(rb'"image_url":"[^"]*"')


_MOST_KNOWN = 4096
_known: dict[tuple[str, str | None, str], Rates | None] = {}
"""What the price lists said, as asking them takes a thread."""


async def rates_for(endpoint: Endpoint, model: str) -> Rates | None:
    """Return a model's rates: the config's for it, the config's for any model, or the price lists'; None if unknown.

    A model in this process costs nothing, unless the config says otherwise.
    """
    if (own := endpoint.rates.get(model)) is not None:
        return own
    if is_in_process(endpoint):
        return endpoint.rates.get(ANY_MODEL) or FREE
    provider = "openai" if endpoint.name == "openAI" else _PROVIDERS.get(endpoint.provider)
    asked = (endpoint.base_url or "", provider, model)
    if asked not in _known:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[asked] = await anyio.to_thread.run_sync(_listed, *asked)
    return _known[asked] or endpoint.rates.get(ANY_MODEL)


def is_in_process(endpoint: Endpoint) -> bool:
    """Tell whether the endpoint's models run here, and know their counts."""
    return endpoint.provider in _IN_PROCESS


def tokens_of(usage: Usage) -> Tokens:
    """Return a call's tokens, each in one bucket, whichever way they were told; odd counts as the nearest sane ones.

    `usage` counts cached tokens among the input. Where its total says that they come on top, they are added; where the
    total says more than that, the rest is output that was not shown (hidden reasoning).
    """
    details = usage.input_tokens_details
    cached, written = _sane(details.cached_tokens), _sane(details.cache_write_tokens)
    read, output = _sane(usage.input_tokens), _sane(usage.output_tokens)
    beyond = _sane(usage.total_tokens - max(0, usage.input_tokens) - max(0, usage.output_tokens))
    if beyond == cached + written:
        read = _sane(read + beyond)
    else:
        output = _sane(output + beyond)
    cached = min(cached, read)
    written = min(written, read - cached)
    return Tokens(input=read - cached - written, cached=cached, cache_write=written, output=output)


def flags_of(usage: Usage) -> tuple[str, ...]:
    """Return what is odd about the counts, in words for the ledger."""
    details = usage.input_tokens_details
    cached, written = details.cached_tokens, details.cache_write_tokens
    counts = (usage.input_tokens, usage.output_tokens, cached, written, usage.output_tokens_details.reasoning_tokens)
    told = {
        "absurd": max(*counts, usage.total_tokens) > ABSURD,
        "negative": min(counts) < 0,
        "cached_over_input": cached + written > usage.input_tokens >= 0,
        "reasoning_over_output": counts[-1] > tokens_of(usage).output,
        "total": usage.total_tokens != usage.input_tokens + usage.output_tokens,
    }
    return tuple(name for name, is_so in told.items() if is_so)


def _sane(count: int) -> int:
    return max(0, min(count, ABSURD))


def estimated_tokens(text: str | bytes, *, dense: bool = False) -> int:
    """Return about how many tokens a text is; `dense` for JSON."""
    size = len(text if isinstance(text, bytes) else text.encode(errors="replace"))
    return -(-size // (_BYTES_PER_TOKEN_IN_JSON if dense else _BYTES_PER_TOKEN))


def input_estimate(request: CreateResponse) -> int:
    """Return about how many tokens a request will be at its upstream, rather more than fewer."""
    texts, images = _IMAGE.subn(b"", msgspec.json.encode((request.instructions, request.input)))
    return (
        images * _TOKENS_PER_IMAGE
        + estimated_tokens(texts)
        + estimated_tokens(msgspec.json.encode(request.tools), dense=True)
    )


def output_estimate(items: Iterable[Item]) -> int:
    """Return about how many tokens a model produced: text, reasoning and the calls of functions."""
    return sum(map(_size, items))


def _size(item: Item) -> int:
    if isinstance(item, FunctionCall):
        return estimated_tokens(item.name + item.arguments, dense=True)
    if isinstance(item, Message):
        return estimated_tokens(item.text + item.refusal)
    return estimated_tokens(item.text) if isinstance(item, Reasoning) else 0


def longest_answer(request: CreateResponse) -> int:
    """Return how many tokens an answer may have at most, or what to reckon with where the request doesn't say."""
    return _LONGEST_ANSWER if request.max_output_tokens is None else request.max_output_tokens


def worst_case(request: CreateResponse) -> Tokens:
    """Return the most tokens that a call may take, as far as that can be told before it."""
    return Tokens(input=input_estimate(request), output=longest_answer(request))


def worst_cost(rates: Rates, tokens: Tokens) -> Decimal:
    """Return the most US dollars that tokens may cost: all of the input may be written to a cache, at a price."""
    written = Tokens(cache_write=tokens.total_input, output=tokens.output)
    return max(rates.cost(tokens), rates.cost(written))


def affordable_answer(rates: Rates, input_tokens: int, credits_left: float) -> int:
    """Return how long an answer may be so that the call costs no more than so many credits; 0 if none may."""
    price = rates.at(input_tokens).output
    left = Decimal(str(credits_left)) - worst_cost(rates, Tokens(input=input_tokens)) * CREDITS_PER_USD
    return max(0, int(left / price)) if price else 0


def _listed(base_url: str, provider: str | None, model: str) -> Rates | None:
    """Return what the price lists say: by the upstream's address, or else by whose protocol it speaks."""
    import genai_prices  # half a second of import, so only where a price is wanted, and off the event loop

    for known in ({"provider_api_url": base_url}, {"provider_id": provider}):
        if not any(known.values()):
            continue
        try:
            price = genai_prices.calc_price(genai_prices.Usage(), model, **known).model_price
        except LookupError:
            continue
        if price.input_mtok is not None:
            return _from_list(price)
    return None


def _from_list(price: ModelPrice) -> Rates:
    """Return a listed model's prices; where only some of them have tiers, the others stay the same in each.

    One without a price for output, as for embeddings, charges none.
    """
    listed = {field: getattr(price, name) for field, name in _LISTED.items()}
    starts = sorted({tier.start for each in listed.values() for tier in getattr(each, "tiers", ())})
    tiers = [Tier(above=start, **{field: _above(each, start) for field, each in listed.items()}) for start in starts]
    base = {field: getattr(each, "base", each) for field, each in listed.items()}
    base["output"] = base["output"] or Decimal(0)
    return Rates(**base, tiers=tuple(tiers), source="genai-prices")


def _above(price: Decimal | TieredPrices | None, start: int) -> Decimal | None:
    """Return the price from a tier's start on; None if it has none of its own."""
    return next((tier.price for tier in getattr(price, "tiers", ()) if tier.start == start), None)
