"""Anthropic's Messages over a real socket: every scene of the speaker, headers, addresses, models and errors."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import msgspec
import pytest
from tests.providers.asking import heard
from tests.providers.replay import Told, tokens, told
from tests.providers.speak_anthropic import Speaker
from tests.providers.speak_anthropic_rules import signature
from tests.providers.speaker import SCENES, serving

from agentbench.config import Secret
from agentbench.errors import (
    ContextTooLong,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamUnavailable,
)
from agentbench.protocol import CreateResponse, EventBuilder, Response, collect, draft
from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCallOutput, Reasoning, user_message
from agentbench.protocol.request import FunctionTool, JsonSchemaFormat, ReasoningConfig, TextConfig
from agentbench.providers.anthropic import Anthropic
from agentbench.providers.base import play
from agentbench.providers.http import Http

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config import Endpoint
    from agentbench.protocol import InputItem

pytestmark = pytest.mark.anyio

WEATHER = FunctionTool(name="get_weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}})
CITY = JsonSchemaFormat(schema={"type": "object", "properties": {"city": {"type": "string", "maxLength": 9}}})
HELLO = user_message("Hi")
PNG = "data:image/png;base64,iVBORw=="


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Return the server of this file."""
    return Speaker()


@pytest.fixture(scope="module")
def there(speaker: Speaker) -> Iterator[Endpoint]:
    """Serve the speaker, and return it as an endpoint."""
    with serving(speaker.app) as url:
        yield speaker.endpoint(url)


@pytest.fixture
def provider(http: Http) -> Anthropic:
    """Return the provider."""
    return Anthropic(http)


def asked(scene: str, *items: InputItem, **given: Any) -> CreateResponse:
    """Return a request for a scene."""
    return CreateResponse(model=scene, input=items or (HELLO,), **given)


async def answer(provider: Anthropic, there: Endpoint, request: CreateResponse) -> Response:
    """Return one answer."""
    return collect(await heard(provider, there, request))


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("text", Told(text="Hello from here.", usage=(12, 5, 0, 0))),
        ("cached", Told(text="Hello from here.", usage=(1200, 7, 1000, 3))),
        ("thinks", Told(text="42.", summary=("Let me see.",), usage=(12, 5, 0, 0))),
        ("cut", Told(status="incomplete", text="Once upon", usage=(12, 5, 0, 0), why="max_output_tokens")),
        ("blocked", Told(status="incomplete", text="I would", usage=(12, 5, 0, 0), why="content_filter")),
        (
            "breaks",
            Told(status="failed", text="So far", usage=(12, 1, 0, 0), why="The upstream broke off: Overloaded"),
        ),
    ],
)
async def test_scenes(provider: Anthropic, there: Endpoint, scene: str, expected: Told) -> None:
    """What the API tells is what the response tells."""
    assert told(await answer(provider, there, asked(scene))) == expected


async def test_text_streams(provider: Anthropic, there: Endpoint) -> None:
    """Text comes in the pieces in which it was sent."""
    made = await heard(provider, there, asked("text"))
    assert [event.delta for event in made if isinstance(event, ev.TextDelta)] == ["Hello", " from", " here."]


async def test_cache_writes(provider: Anthropic, there: Endpoint) -> None:
    """What was written to the cache is counted, within the input."""
    usage = (await answer(provider, there, asked("cached"))).usage
    assert usage is not None
    assert (tokens(usage), usage.input_tokens_details.cache_write_tokens) == ((1200, 7, 1000, 3), 100)


async def test_thoughts_come_back(provider: Anthropic, there: Endpoint, speaker: Speaker) -> None:
    """Reasoning goes back in the next request as it came, with its signature."""
    first = await answer(provider, there, asked("thinks", reasoning=ReasoningConfig(effort="low")))
    again = asked("thinks", HELLO, *first.output, user_message("And now?"), reasoning=ReasoningConfig(effort="low"))
    assert (await answer(provider, there, again)).output_text == "42."
    sent = speaker.seen[-1]["messages"][1]["content"]
    assert sent[0] == {"type": "thinking", "thinking": "Let me see.", "signature": signature("Let me see.")}


async def test_changed_thoughts(provider: Anthropic, there: Endpoint) -> None:
    """Reasoning that was changed on the way is refused by the API."""
    first = await answer(provider, there, asked("thinks"))
    thought = msgspec.structs.replace(first.output[0], encrypted_content="anthropic.thinking:no")
    with pytest.raises(UpstreamRejected, match="Invalid `signature`"):
        await answer(provider, there, asked("thinks", HELLO, thought, *first.output[1:], HELLO))


async def test_foreign_thoughts(provider: Anthropic, there: Endpoint) -> None:
    """Reasoning that another provider sealed, or that nobody did, stays here."""
    thoughts = (Reasoning(id="rs_1", encrypted_content="gAAAAA"), Reasoning(id="rs_2"))
    assert (await answer(provider, there, asked("thinks", HELLO, *thoughts, HELLO))).status == "completed"


async def test_calls(provider: Anthropic, there: Endpoint) -> None:
    """Calls come side by side; their results, given in another order, find their calls."""
    first = await answer(provider, there, asked("calls", tools=(WEATHER,)))
    assert [call.arguments for call in first.function_calls] == ['{"city":"Seoul"}', '{"city":"Jeju"}']
    results = [
        FunctionCallOutput(id=f"fco_{n}", call_id=call.call_id, output=word)
        for n, (call, word) in enumerate(zip(first.function_calls, ("sun", "rain"), strict=True))
    ]
    second = await answer(provider, there, asked("calls", HELLO, *first.output, *results[::-1], tools=(WEATHER,)))
    assert second.output_text == "Seoul: sun, Jeju: rain"


async def test_sees(provider: Anthropic, there: Endpoint) -> None:
    """An image from a data URL arrives."""
    request = asked("sees", user_message("What is it?", PNG))
    assert (await answer(provider, there, request)).output_text == "image/png 4"


async def test_json(provider: Anthropic, there: Endpoint) -> None:
    """A JSON schema is asked for, in the form that the API takes."""
    request = asked("json", text=TextConfig(format=CITY))
    assert (await answer(provider, there, request)).output_text == '{"city":"Seoul"}'


@pytest.mark.parametrize(
    ("scene", "error", "words"),
    [
        ("overloaded", UpstreamUnavailable, r"in trouble \(529\).* It says: Overloaded"),
        ("limited", UpstreamRateLimited, "Try again in 7 s"),
        ("too_long", ContextTooLong, "210000 tokens > 200000 maximum"),
        ("calls", UpstreamRejected, "wants tools"),
        ("nobody", UpstreamRejected, r"\(404\).* model: nobody"),
    ],
)
async def test_errors(provider: Anthropic, there: Endpoint, scene: str, error: type[Exception], words: str) -> None:
    """An error before the answer is one of ours, with what the API says."""
    with pytest.raises(error, match=words):
        await answer(provider, there, asked(scene))


async def test_wrong_key(provider: Anthropic, there: Endpoint) -> None:
    """A wrong key is refused."""
    with pytest.raises(UpstreamRefused, match=r"speaker refused the key \(401\)"):
        await answer(provider, msgspec.structs.replace(there, api_key=Secret("no")), asked("text"))


async def test_leaving(provider: Anthropic, there: Endpoint, speaker: Speaker) -> None:
    """When the caller goes away the server sees the client leave."""
    request = asked("endless")
    async with aclosing(play(provider, request, there, EventBuilder(draft(request, model="")))) as batches:
        for _ in range(3):
            await anext(batches)
    assert await anyio.to_thread.run_sync(speaker.left.wait, 5)


async def test_models(provider: Anthropic, there: Endpoint) -> None:
    """The models are listed in the order given."""
    assert await provider.models(there) == SCENES


# -- addresses, headers and pages, as the server sees them ------------------------------------------------------------


def page(request: httpx2.Request) -> httpx2.Response:
    """Answer with the next of three pages, one model each, or with a message."""
    if request.method == "POST":
        return httpx2.Response(200, json={"type": "message", "content": [], "stop_reason": "end_turn"})
    after = {None: "b/1", "b/1": "a", "a": "c"}[request.url.params.get("after_id")]
    return httpx2.Response(200, json={"data": [{"id": after}], "has_more": after != "c", "last_id": after})


@pytest.mark.parametrize("base_url", ["http://acme.test", "http://acme.test/", "http://acme.test/v1/"])
async def test_address(endpoint: Endpoint, base_url: str) -> None:
    """The version is in the address, whether or not it is in the base URL."""
    seen: list[httpx2.Request] = []
    provider = Anthropic(Http(transport=httpx2.MockTransport(lambda request: seen.append(request) or page(request))))
    await answer(provider, msgspec.structs.replace(endpoint, base_url=base_url), asked("small"))
    assert str(seen[0].url) == "http://acme.test/v1/messages"


async def test_headers(endpoint: Endpoint) -> None:
    """The key goes in the API's own header; the operator's betas go along."""
    seen: list[httpx2.Request] = []
    provider = Anthropic(Http(transport=httpx2.MockTransport(lambda request: seen.append(request) or page(request))))
    await answer(provider, msgspec.structs.replace(endpoint, headers={"Anthropic-Beta": "b-1"}), asked("small"))
    names = ("x-api-key", "anthropic-version", "anthropic-beta", "authorization")
    assert [seen[0].headers.get(name) for name in names] == ["k3y-of-acme-0123456789", "2023-06-01", "b-1", None]


async def test_pages(endpoint: Endpoint) -> None:
    """All pages of models are read, in their order."""
    provider = Anthropic(Http(transport=httpx2.MockTransport(page)))
    assert await provider.models(endpoint) == ("b/1", "a", "c")


async def test_no_pages(endpoint: Endpoint) -> None:
    """A server with another idea of a list has no models to tell."""
    provider = Anthropic(Http(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=["a"]))))
    assert await provider.models(endpoint) == ()
