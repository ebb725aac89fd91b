"""Anthropic's Messages against a real server in a process of its own: llama.cpp's, with the local model."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import pytest
from tests.providers.asking import heard
from tests.providers.real_server import KEY

from agentbench.config import Endpoint, Secret
from agentbench.errors import ContextTooLong, UpstreamRefused
from agentbench.protocol import CreateResponse, Event, EventBuilder, Response, collect, draft
from agentbench.protocol import events as ev
from agentbench.protocol.items import assistant_message, user_message
from agentbench.providers import Providers
from agentbench.providers.base import play

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentbench.protocol import InputItem

pytestmark = [pytest.mark.anyio, pytest.mark.local_model]


@pytest.fixture(scope="module")
def there(llama: str) -> Endpoint:
    """Return the server as an endpoint."""
    return Endpoint(name="real", provider="anthropic", base_url=llama, api_key=Secret(KEY), origin="Python")


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    """Return providers with a client of their own."""
    made = Providers()
    yield made
    await made.aclose()


async def events(providers: Providers, there: Endpoint, *items: InputItem, **given: Any) -> list[Event]:
    """Return the events of one answer, once they have passed the grammar."""
    given = {"temperature": 0.0, "max_output_tokens": 12} | given
    request = CreateResponse(model="small", input=items, **given)
    return await heard(providers.of(there), there, request)


async def answer(providers: Providers, there: Endpoint, *items: InputItem, **given: Any) -> Response:
    """Return one answer."""
    return collect(await events(providers, there, *items, **given))


async def test_text_streams(providers: Providers, there: Endpoint) -> None:
    """Text comes in many deltas, the tokens are counted, and who runs out of them is incomplete."""
    made = await events(providers, there, user_message("What is the capital of France?"))
    deltas = [event.delta for event in made if isinstance(event, ev.TextDelta)]
    response = collect(made)
    assert len(deltas) > 5
    assert "".join(deltas) == response.output_text
    assert response.usage is not None
    assert (response.usage.input_tokens > 5, response.usage.output_tokens) == (True, 12)
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "max_output_tokens"


async def test_conversation(providers: Providers, there: Endpoint) -> None:
    """A conversation with a system prompt, in blocks marked for the cache, is understood, and comes to its end."""
    items = (user_message("Say hi."), assistant_message("Hi."), user_message("Say hi again."))
    response = await answer(providers, there, *items, instructions="Be brief.", max_output_tokens=60)
    assert (response.status, bool(response.output_text)) == ("completed", True)


async def test_refused_key(providers: Providers, there: Endpoint) -> None:
    """A wrong key is refused before anything is answered."""
    stranger = Endpoint(name="real", provider="anthropic", base_url=there.base_url, api_key=Secret("wrong-key-1234"))
    with pytest.raises(UpstreamRefused, match=r"real refused the key \(401\)"):
        await answer(providers, stranger, user_message("Hi"))


async def test_context_too_long(providers: Providers, there: Endpoint) -> None:
    """A conversation that is too long is told apart from other errors."""
    with pytest.raises(ContextTooLong, match="exceeds the available context size"):
        await answer(providers, there, user_message("word " * 1000))


async def test_models(providers: Providers, there: Endpoint) -> None:
    """The server's models are listed."""
    assert await providers.of(there).models(there) == ("small",)


async def test_leaving_stops_the_model(providers: Providers, there: Endpoint) -> None:
    """When the caller goes away the server stops generating, so that its only slot is free for the next."""
    request = CreateResponse(model="small", input=(user_message("Count to a thousand."),), max_output_tokens=400)
    async with aclosing(play(providers.of(there), request, there, EventBuilder(draft(request, model="")))) as batches:
        for _ in range(3):
            await anext(batches)
    with anyio.fail_after(2):  # 400 tokens would take longer
        while await is_busy(there):  # noqa: ASYNC110 - the server can only be asked
            await anyio.sleep(0.05)


async def is_busy(there: Endpoint) -> bool:
    """Ask the server whether its one slot is generating."""
    async with httpx2.AsyncClient(headers={"authorization": f"Bearer {KEY}"}) as client:
        slots = await client.get(f"{there.base_url}/slots")
    return bool(slots.json()[0]["is_processing"])
