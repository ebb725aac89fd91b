"""The scenes of a server that speaks the Gemini API, through the provider."""

from __future__ import annotations

import base64
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.providers.asking import HI, WEATHER, answered
from tests.providers.replay import JEJU, SEOUL, Told, told
from tests.providers.speak_google import CALL_SIGNATURE, TEXT_SIGNATURE, Speaker
from tests.providers.speaker import SCENES, serving

from agentbench.errors import (
    ContextTooLong,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamUnavailable,
)
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.items import FunctionCallOutput, user_message
from agentbench.protocol.request import JsonSchemaFormat, ReasoningConfig, TextConfig
from agentbench.providers.base import play
from agentbench.providers.google import Google

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config import Endpoint
    from agentbench.providers.http import Http

pytestmark = pytest.mark.anyio

PIXEL = base64.b64encode(b"\x89PNG" + bytes(61)).decode()


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    """Return a server that plays the scenes."""
    return Speaker()


@pytest.fixture(scope="module")
def endpoint(speaker: Speaker) -> Iterator[Endpoint]:
    """Return the endpoint of that server, which runs."""
    with serving(speaker.app) as url:
        yield speaker.endpoint(url)


@pytest.fixture
def google(http: Http) -> Google:
    """Return the provider."""
    return Google(http)


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
            Told(
                status="failed",
                text="So far",
                usage=(12, 5, 0, 0),
                why="The upstream broke off: The model is overloaded. Please try again later.",
            ),
        ),
    ],
)
async def test_answers(google: Google, endpoint: Endpoint, scene: str, expected: Told) -> None:
    """What an answer tells, however it ends."""
    assert told(await answered(google, endpoint, scene)) == expected


async def test_signature_of_text(google: Google, endpoint: Endpoint, speaker: Speaker) -> None:
    """A thought's signature comes back on the text that it came after."""
    first = await answered(google, endpoint, "thinks", reasoning=ReasoningConfig(effort="low"))
    await answered(google, endpoint, "thinks", *first.output, user_message("Sure?"))
    assert speaker.seen[-1]["contents"][1] == {
        "role": "model",
        "parts": [{"text": "42.", "thoughtSignature": TEXT_SIGNATURE}],
    }


async def test_calls(google: Google, endpoint: Endpoint, speaker: Speaker) -> None:
    """Calls and their results come back as turns of their own, with the signature on its call."""
    first = await answered(google, endpoint, "calls", tools=(WEATHER,))
    assert told(first).calls == (SEOUL, JEJU)
    results = [
        FunctionCallOutput(id=f"fco_{degrees}", call_id=call.call_id, output=degrees)
        for call, degrees in zip(first.function_calls, ("21", "24"), strict=True)
    ]
    second = await answered(google, endpoint, "calls", *first.output, *results, tools=(WEATHER,))
    assert second.output_text == "Seoul: 21, Jeju: 24"
    assert [part.get("thoughtSignature") for part in speaker.seen[-1]["contents"][1]["parts"]] == [CALL_SIGNATURE, None]


async def test_sees(google: Google, endpoint: Endpoint) -> None:
    """An image arrives whole, with its type."""
    image = user_message("What is this?", f"data:image/png;base64,{PIXEL}")
    assert (await answered(google, endpoint, "sees", image)).output_text == "image/png 65"


async def test_json(google: Google, endpoint: Endpoint) -> None:
    """JSON by a schema is asked for."""
    form = JsonSchemaFormat(schema={"type": "object", "properties": {"city": {"type": "string"}}})
    answer = await answered(google, endpoint, "json", text=TextConfig(format=form))
    assert answer.output_text == '{"city":"Seoul"}'


@pytest.mark.parametrize(
    ("scene", "error"),
    [
        ("overloaded", UpstreamUnavailable),
        ("limited", UpstreamRateLimited),
        ("too_long", ContextTooLong),
        ("calls", UpstreamRejected),
        ("nobody", UpstreamRejected),
    ],
)
async def test_refusals(google: Google, endpoint: Endpoint, scene: str, error: type[Exception]) -> None:
    """What the API refuses becomes one of our errors."""
    with pytest.raises(error):
        await answered(google, endpoint, scene)


async def test_rate_limit(google: Google, endpoint: Endpoint) -> None:
    """How long to wait is told."""
    with pytest.raises(UpstreamRateLimited) as caught:
        await answered(google, endpoint, "limited")
    assert caught.value.retry_after == 7


async def test_wrong_key(google: Google, endpoint: Endpoint, speaker: Speaker) -> None:
    """A wrong key is refused, though the API says 400, and isn't shown."""
    with pytest.raises(UpstreamRefused) as caught:
        await answered(google, speaker.endpoint(str(endpoint.base_url).removesuffix("/v1beta"), key="w0ng"), "text")
    assert "w0ng" not in str(caught.value)


async def test_cancel(google: Google, endpoint: Endpoint, speaker: Speaker) -> None:
    """Whoever stops listening closes the upstream."""
    request = CreateResponse(model="endless", input=(HI,))
    builder = EventBuilder(draft(request, model="endless"))
    async with aclosing(play(google, request, endpoint, builder)) as batches:
        async for batch in batches:
            if batch:
                break
    assert speaker.left.wait(10)


async def test_models(google: Google, endpoint: Endpoint) -> None:
    """All pages of models that generate content are listed, by their short names."""
    assert await google.models(endpoint) == tuple(sorted(SCENES))


async def test_no_key(google: Google, speaker: Speaker, endpoint: Endpoint) -> None:
    """Without a key none is sent."""
    keyless = msgspec.structs.replace(endpoint, api_key=None)
    with pytest.raises(UpstreamError, match="unregistered callers"):
        await answered(google, keyless, "text")
