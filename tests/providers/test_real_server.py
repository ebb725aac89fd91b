"""Both wire formats against a real server in a process of its own: llama.cpp's, with the local model."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import msgspec
import pytest
from tests.providers.asking import heard
from tests.providers.real_server import KEY

from agentbench.config import Endpoint, Secret
from agentbench.errors import ContextTooLong, UpstreamRefused
from agentbench.protocol import CreateResponse, Event, EventBuilder, Response, collect, draft
from agentbench.protocol import events as ev
from agentbench.protocol.items import user_message
from agentbench.protocol.request import JsonSchemaFormat, TextConfig
from agentbench.providers import Providers
from agentbench.providers.base import play

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.anyio, pytest.mark.local_model]

both = pytest.mark.parametrize("provider", ["openai_chat", "openai_responses"])
CITY = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"]}


@pytest.fixture(scope="module")
def base_url(llama: str) -> str:
    """Return where both protocols are."""
    return f"{llama}/v1"


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    """Return providers with a client of their own."""
    made = Providers()
    yield made
    await made.aclose()


def endpoint(base_url: str, provider: Any, key: str = KEY) -> Endpoint:
    """Return the server as an endpoint."""
    return Endpoint(name="real", provider=provider, base_url=base_url, api_key=Secret(key), origin="Python")


async def events(providers: Providers, there: Endpoint, prompt: str, **given: Any) -> list[Event]:
    """Return the events of one answer, once they have passed the grammar."""
    given = {"temperature": 0.0, "max_output_tokens": 12} | given
    request = CreateResponse(model="small", input=(user_message(prompt),), **given)
    return await heard(providers.of(there), there, request)


async def answer(providers: Providers, there: Endpoint, prompt: str, **given: Any) -> Response:
    """Return one answer."""
    return collect(await events(providers, there, prompt, **given))


@both
async def test_text_streams(providers: Providers, base_url: str, provider: str) -> None:
    """Text comes in many deltas, and the tokens are counted."""
    made = await events(providers, endpoint(base_url, provider), "What is the capital of France?")
    deltas = [event.delta for event in made if isinstance(event, ev.TextDelta)]
    response = collect(made)
    assert len(deltas) > 5
    assert "".join(deltas) == response.output_text
    assert response.usage is not None
    assert (response.usage.input_tokens > 5, response.usage.output_tokens) == (True, 12)


async def test_out_of_tokens(providers: Providers, base_url: str) -> None:
    """Who runs out of tokens is incomplete; llama.cpp says so in Chat Completions only."""
    response = await answer(providers, endpoint(base_url, "openai_chat"), "Tell me a long story.")
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_json_schema(providers: Providers, base_url: str) -> None:
    """A JSON schema is obeyed; llama.cpp knows it in Chat Completions only."""
    form = TextConfig(format=JsonSchemaFormat(schema=CITY, strict=True))
    there = endpoint(base_url, "openai_chat")
    response = await answer(providers, there, "Name a city.", text=form, max_output_tokens=60)
    assert list(msgspec.json.decode(response.output_text)) == ["city"]


@both
async def test_refused_key(providers: Providers, base_url: str, provider: str) -> None:
    """A wrong key is refused before anything is answered."""
    with pytest.raises(UpstreamRefused, match=r"real refused the key \(401\). Check apiKey \(Python\)"):
        await answer(providers, endpoint(base_url, provider, key="wrong-key-1234"), "Hi")


@both
async def test_context_too_long(providers: Providers, base_url: str, provider: str) -> None:
    """A conversation that is too long is told apart from other errors."""
    with pytest.raises(ContextTooLong, match="exceeds the available context size"):
        await answer(providers, endpoint(base_url, provider), "word " * 1000)


@both
async def test_models(providers: Providers, base_url: str, provider: str) -> None:
    """The server's models are listed."""
    there = endpoint(base_url, provider)
    assert await providers.of(there).models(there) == ("small",)


async def test_leaving_stops_the_model(providers: Providers, base_url: str) -> None:
    """When the caller goes away the server stops generating, so that its only slot is free for the next."""
    there = endpoint(base_url, "openai_chat")
    request = CreateResponse(model="small", input=(user_message("Count to a thousand."),), max_output_tokens=400)
    async with aclosing(play(providers.of(there), request, there, EventBuilder(draft(request, model="")))) as batches:
        for _ in range(3):
            await anext(batches)
    with anyio.fail_after(2):  # 400 tokens would take longer
        while await is_busy(base_url):  # noqa: ASYNC110 - the server can only be asked
            await anyio.sleep(0.05)


async def is_busy(base_url: str) -> bool:
    """Ask the server whether its one slot is generating."""
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}) as client:
        slots = await client.get(f"{base_url.removesuffix('/v1')}/slots")
    return bool(slots.json()[0]["is_processing"])
