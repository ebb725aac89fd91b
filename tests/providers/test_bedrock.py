"""The scenes of a server that speaks Bedrock's ConverseStream, through the provider."""

from __future__ import annotations

import base64
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.providers.asking import HI, WEATHER, answered
from tests.providers.replay import JEJU, SEOUL, Told, told
from tests.providers.speak_bedrock import ARN, SIGNATURE, Speaker
from tests.providers.speaker import serving

from agentbench.errors import (
    ContextTooLong,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamUnavailable,
)
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.items import FunctionCallOutput, Reasoning, user_message
from agentbench.protocol.request import JsonSchemaFormat, TextConfig
from agentbench.providers.base import play
from agentbench.providers.bedrock import Bedrock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config import Endpoint
    from agentbench.providers.http import Http

pytestmark = pytest.mark.anyio

PIXEL = base64.b64encode(b"\x89PNG" + bytes(61)).decode()
HELLO = Told(text="Hello from here.", usage=(12, 5, 0, 0))


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Return a server that plays the scenes."""
    return Speaker()


@pytest.fixture(scope="module")
def url(speaker: Speaker) -> Iterator[str]:
    """Return the address of that server, which runs."""
    with serving(speaker.app) as address:
        yield address


@pytest.fixture
def endpoint(speaker: Speaker, url: str) -> Endpoint:
    """Return its endpoint with AWS keys, so that every scene is signed."""
    return speaker.signing(url)


@pytest.fixture
def bedrock(http: Http) -> Bedrock:
    """Return the provider."""
    return Bedrock(http)


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("text", HELLO),
        (ARN, HELLO),
        ("cached", Told(text="Hello from here.", usage=(1200, 7, 1000, 0))),
        ("thinks", Told(text="42.", thought="Let me see.", usage=(12, 5, 0, 0))),
        ("cut", Told(status="incomplete", text="Once upon", usage=(12, 5, 0, 0), why="max_output_tokens")),
        ("blocked", Told(status="incomplete", text="I would", usage=(12, 5, 0, 0), why="content_filter")),
        ("breaks", Told(status="failed", text="So far", why="The upstream broke off: The model stopped.")),
    ],
)
async def test_answers(bedrock: Bedrock, endpoint: Endpoint, scene: str, expected: Told) -> None:
    """What an answer tells, however it ends; a model's name may be an ARN with slashes and colons."""
    assert told(await answered(bedrock, endpoint, scene)) == expected


async def test_cache_write(bedrock: Bedrock, endpoint: Endpoint) -> None:
    """What was written to the cache counts among the input tokens."""
    usage = (await answered(bedrock, endpoint, "cached")).usage
    assert usage is not None
    assert usage.input_tokens_details.cache_write_tokens == 100


async def test_thought_returns_signed(bedrock: Bedrock, endpoint: Endpoint) -> None:
    """A thought goes back with its signature; the model refuses one that it didn't sign."""
    first = await answered(bedrock, endpoint, "thinks")
    thought = first.output[0]
    assert isinstance(thought, Reasoning)
    assert thought.encrypted_content == f"bedrock::signature:{SIGNATURE}"
    assert (await answered(bedrock, endpoint, "thinks", *first.output, HI)).output_text == "42."
    forged = msgspec.structs.replace(thought, encrypted_content="bedrock::signature:Zm9yZ2Vk")
    with pytest.raises(UpstreamRejected, match="with its signature"):
        await answered(bedrock, endpoint, "thinks", forged, *first.output[1:], HI)


async def test_calls(bedrock: Bedrock, endpoint: Endpoint, speaker: Speaker) -> None:
    """Calls side by side come back with their results in one message of the user's."""
    first = await answered(bedrock, endpoint, "calls", tools=(WEATHER,))
    assert told(first).calls == (SEOUL, JEJU)
    results = [
        FunctionCallOutput(id=f"fco_{degrees}", call_id=call.call_id, output=degrees)
        for call, degrees in zip(first.function_calls, ("21", "24"), strict=True)
    ]
    second = await answered(bedrock, endpoint, "calls", *first.output, *results, tools=(WEATHER,))
    assert second.output_text == "Seoul: 21, Jeju: 24"
    assert [message["role"] for message in speaker.seen[-1]["messages"]] == ["user", "assistant", "user"]


async def test_sees(bedrock: Bedrock, endpoint: Endpoint) -> None:
    """An image arrives whole, with its type."""
    image = user_message("What is this?", f"data:image/png;base64,{PIXEL}")
    assert (await answered(bedrock, endpoint, "sees", image)).output_text == "image/png 65"


async def test_json(bedrock: Bedrock, endpoint: Endpoint) -> None:
    """JSON by a schema is asked for."""
    form = JsonSchemaFormat(schema={"type": "object", "properties": {"city": {"type": "string"}}})
    answer = await answered(bedrock, endpoint, "json", text=TextConfig(format=form))
    assert answer.output_text == '{"city":"Seoul"}'


@pytest.mark.parametrize(
    ("scene", "error", "words"),
    [
        ("overloaded", UpstreamUnavailable, "The service is busy"),
        ("limited", UpstreamRateLimited, "Too many requests"),
        ("too_long", ContextTooLong, "Start a new one"),
        ("calls", UpstreamRejected, "wants tools"),
        ("sees", UpstreamRejected, "no image"),
        ("nobody", UpstreamRejected, r"model \(404\)"),
        ("closed", UpstreamRefused, "Is access to the model enabled for this account and region"),
        ("expired", UpstreamRefused, "Renew the credentials"),
    ],
)
async def test_refusals(bedrock: Bedrock, endpoint: Endpoint, scene: str, error: type[Exception], words: str) -> None:
    """What the service refuses becomes one of our errors, which says what to do."""
    with pytest.raises(error, match=words):
        await answered(bedrock, endpoint, scene)


async def test_rate_limit(bedrock: Bedrock, endpoint: Endpoint) -> None:
    """How long to wait is told."""
    with pytest.raises(UpstreamRateLimited) as caught:
        await answered(bedrock, endpoint, "limited")
    assert caught.value.retry_after == 7


async def test_bearer(bedrock: Bedrock, speaker: Speaker, url: str) -> None:
    """A key goes as a bearer token, and nothing is signed."""
    assert told(await answered(bedrock, speaker.endpoint(url), "text")) == HELLO


async def test_wrong_secrets(bedrock: Bedrock, speaker: Speaker, url: str) -> None:
    """A wrong token or a wrong secret key is refused, and isn't shown."""
    for endpoint in (speaker.endpoint(url, key="w0ng-token"), speaker.signing(url, secret="w0ng-secret")):
        with pytest.raises(UpstreamRefused) as caught:
            await answered(bedrock, endpoint, "text")
        assert "w0ng" not in str(caught.value)


async def test_cancel(bedrock: Bedrock, endpoint: Endpoint, speaker: Speaker) -> None:
    """Whoever stops listening closes the upstream."""
    request = CreateResponse(model="endless", input=(HI,))
    builder = EventBuilder(draft(request, model="endless"))
    async with aclosing(play(bedrock, request, endpoint, builder)) as batches:
        async for batch in batches:
            if batch:
                break
    assert speaker.left.wait(10)


async def test_chat_route(bedrock: Bedrock, speaker: Speaker, url: str) -> None:
    """An address that ends in /openai/v1 is spoken to in Chat Completions, with a token or signed."""
    for endpoint in (speaker.endpoint(f"{url}/openai/v1"), speaker.signing(f"{url}/openai/v1/")):
        assert (await answered(bedrock, endpoint, "openai.gpt-oss-20b-1:0")).output_text == "Hello from here."
        assert speaker.seen[-1]["messages"] == [{"role": "user", "content": "Hi"}]


async def test_models(bedrock: Bedrock, speaker: Speaker, url: str) -> None:
    """Models that stream text on demand are listed, and those of the chat route."""
    assert await bedrock.models(speaker.signing(url)) == ("cached", "text")
    assert await bedrock.models(speaker.signing(f"{url}/openai/v1")) == ("openai.a", "openai.b")
