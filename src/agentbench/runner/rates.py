"""What a call costs, before it is made and after: whose rates hold, and how many tokens a text may be."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec

from agentbench.config.rates import FREE, Rates, Tier, Tokens

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import ModelPrice, TieredPrices

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, Usage

__all__ = ["ANY_MODEL", "estimated_tokens", "input_estimate", "rates_for", "tokens_of"]

ANY_MODEL = "*"
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


async def rates_for(endpoint: Endpoint, model: str) -> Rates | None:
    """Return a model's rates: the config's for it, the config's for any model, or the price lists'; None if unknown.

    A model in this process costs nothing, unless the config says otherwise.
    """
    if (own := endpoint.rates.get(model)) is not None:
        return own
    if endpoint.provider in _IN_PROCESS:
        return endpoint.rates.get(ANY_MODEL) or FREE
    provider = "openai" if endpoint.name == "openAI" else _PROVIDERS.get(endpoint.provider)
    listed = await anyio.to_thread.run_sync(_listed, endpoint.base_url or "", provider, model)
    return listed or endpoint.rates.get(ANY_MODEL)


def tokens_of(usage: Usage) -> Tokens:
    """Return a call's tokens, each in one bucket; `usage` counts cached tokens among the input."""
    details = usage.input_tokens_details
    cached, written = max(0, details.cached_tokens), max(0, details.cache_write_tokens)
    return Tokens(
        input=max(0, usage.input_tokens - cached - written),
        cached=cached,
        cache_write=written,
        output=max(0, usage.output_tokens),
    )


def estimated_tokens(text: str | bytes, *, dense: bool = False) -> int:
    """Return about how many tokens a text is; `dense` for JSON."""
    size = len(text if isinstance(text, bytes) else text.encode(errors="replace"))
    return -(-size // (_BYTES_PER_TOKEN_IN_JSON if dense else _BYTES_PER_TOKEN))


def input_estimate(request: CreateResponse) -> int:
    """Return about how many tokens a request will be at its upstream, rather more than fewer."""
    texts = msgspec.json.encode((request.instructions, request.input))
    return estimated_tokens(texts) + estimated_tokens(msgspec.json.encode(request.tools), dense=True)


@lru_cache(maxsize=4096)
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
        if price.input_mtok is not None and price.output_mtok is not None:
            return _from_list(price)
    return None


def _from_list(price: ModelPrice) -> Rates:
    """Return a listed model's prices; where only some of them have tiers, the others stay the same in each."""
    listed = {field: getattr(price, name) for field, name in _LISTED.items()}
    starts = sorted({tier.start for each in listed.values() for tier in getattr(each, "tiers", ())})
    tiers = [Tier(above=start, **{field: _above(each, start) for field, each in listed.items()}) for start in starts]
    base = {field: getattr(each, "base", each) for field, each in listed.items()}
    return Rates(**base, tiers=tuple(tiers), source="genai-prices")


def _above(price: Decimal | TieredPrices | None, start: int) -> Decimal | None:
    """Return the price from a tier's start on; None if it has none of its own."""
    return next((tier.price for tier in getattr(price, "tiers", ()) if tier.start == start), None)
