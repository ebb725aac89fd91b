"""Every provider against a server of its protocol: the same scenes, and the same answers from all."""

from __future__ import annotations

from contextlib import aclosing
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio.to_thread
import msgspec
import pytest
from tests.grammar import check_grammar
from tests.providers import asking
from tests.providers.moved import PNG, SEALS, conversation
from tests.providers.speaker import serving

from agentbench.errors import (
    ContextTooLong,
    InvalidRequest,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamUnavailable,
)
from agentbench.protocol import CreateResponse, Event, EventBuilder, Response, collect, draft
from agentbench.protocol.events import TextDelta
from agentbench.protocol.items import FunctionCallOutput, user_message
from agentbench.protocol.request import FunctionTool, JsonSchemaFormat, ReasoningConfig, TextConfig
from agentbench.providers import Providers
from agentbench.providers.base import play
from agentbench.providers.http import Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.providers.speaker import Speaker

    from agentbench.config import Endpoint

pytestmark = pytest.mark.anyio

TELLS = {
    "anthropic": (100, 3),
    "azure_openai": (100, 3),
    "bedrock": (100, 0),
    "google": (0, 3),
    "ollama": (0, 0),
    "openai_chat": (100, 3),
    "openai_responses": (100, 3),
}
"""The tokens written to a cache and those of reasoning, as far as each protocol tells them."""
SPEAKERS: dict[str, Any] = {name: import_module(f"tests.providers.speak_{name}").Speaker for name in TELLS}

HELLO = user_message("Hi")
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = FunctionTool(name="get_weather", description="Tells the weather.", parameters=CITY)


class Server(NamedTuple):
    """A speaker that is served, and its address."""

    speaker: Speaker
    url: str


def playing(scene: str) -> pytest.MarkDecorator:
    """Run a test with every speaker that can play the scene."""
    able = [name for name, speaker in SPEAKERS.items() if scene not in getattr(speaker, "cannot", ())]
    return pytest.mark.parametrize("server", able, indirect=True)


every_speaker = playing("text")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Serve a speaker."""
    speaker = SPEAKERS[request.param]()
    with serving(speaker.app) as url:
        yield Server(speaker, url)


async def at_once(_: float) -> None:
    """Wait no time."""


@pytest.fixture
async def providers() -> AsyncIterator[Providers]:
    """Give the providers, which try again without waiting."""
    providers = Providers(Http(sleep=at_once))
    yield providers
    await providers.aclose()


async def heard(providers: Providers, endpoint: Endpoint, request: CreateResponse) -> list[Event]:
    """Return the events of one call of the endpoint's provider."""
    return await asking.heard(providers.of(endpoint), endpoint, request)


async def said(providers: Providers, server: Server, scene: str, *items: Any, **given: Any) -> Response:
    """Return the response that a speaker's scene makes."""
    request = CreateResponse(model=scene, input=items or (HELLO,), **given)
    return collect(await heard(providers, server.speaker.endpoint(server.url), request))


@every_speaker
async def test_text(providers: Providers, server: Server) -> None:
    """Text comes in pieces, and its tokens are counted."""
    request = CreateResponse(model="text", input=(HELLO,))
    events = await heard(providers, server.speaker.endpoint(server.url), request)
    answer = collect(events)
    assert answer.usage is not None
    told = (answer.status, answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens)
    assert told == ("completed", "Hello from here.", 12, 5)
    assert len([event for event in events if isinstance(event, TextDelta)]) >= 3


@every_speaker
async def test_settings(providers: Providers, server: Server) -> None:
    """Instructions and sampling are sent in the protocol's own words."""
    answer = await said(providers, server, "text", instructions="Be kind.", temperature=0.5, max_output_tokens=99)
    assert (answer.status, answer.output_text) == ("completed", "Hello from here.")
    assert b"Be kind." in msgspec.json.encode(server.speaker.seen[-1])


@playing("cached")
async def test_cached(providers: Providers, server: Server, request: pytest.FixtureRequest) -> None:
    """Cached tokens are a part of the input, reasoning is one of the output, as far as the protocol tells them."""
    usage = (await said(providers, server, "cached")).usage
    assert usage is not None
    written, reasoned = TELLS[request.node.callspec.params["server"]]
    told = (usage.input_tokens, usage.output_tokens, usage.input_tokens_details.cached_tokens)
    assert told == (1200, 7, 1000)
    assert usage.input_tokens_details.cache_write_tokens == written
    assert usage.output_tokens_details.reasoning_tokens == reasoned


@playing("thinks")
async def test_reasoning_brought_back(providers: Providers, server: Server) -> None:
    """Reasoning is told apart from the text, and may come back as it was given out."""
    given: Any = {"reasoning": ReasoningConfig(effort="low", summary="auto")}
    first = await said(providers, server, "thinks", **given)
    again = await said(providers, server, "thinks", HELLO, *first.output, user_message("Sure?"), **given)
    assert (first.reasoning_text, first.output_text) == ("Let me see.", "42.")
    assert (again.reasoning_text, again.output_text) == ("Let me see.", "42.")


@playing("calls")
async def test_calls_and_their_results(providers: Providers, server: Server) -> None:
    """Two calls come side by side; their results find them, in whatever order."""
    first = await said(providers, server, "calls", tools=(WEATHER,))
    cities = [msgspec.json.decode(call.arguments) for call in first.function_calls]
    assert (first.status, cities) == ("completed", [{"city": "Seoul"}, {"city": "Jeju"}])
    pairs = list(zip(first.function_calls, ("sun", "rain"), strict=True))
    results = [FunctionCallOutput(id=call.id, call_id=call.call_id, output=told) for call, told in reversed(pairs)]
    second = await said(providers, server, "calls", HELLO, *first.output, *results, tools=(WEATHER,))
    assert second.output_text == "Seoul: sun, Jeju: rain"


@every_speaker
async def test_moved_conversation(providers: Providers, server: Server, request: pytest.FixtureRequest) -> None:
    """A conversation that others began, with an image, calls and sealed thoughts, is taken over."""
    name = request.node.callspec.params["server"].replace("azure_openai", "openai_responses")
    history = conversation(*(seal for seal, provider in SEALS.items() if provider != name))
    assert (await said(providers, server, "text", *history, tools=(WEATHER,))).output_text == "Hello from here."


@playing("sees")
async def test_image(providers: Providers, server: Server) -> None:
    """An image arrives whole."""
    assert (await said(providers, server, "sees", user_message("What?", PNG))).output_text == "image/png 70"


@playing("json")
async def test_structured_output(providers: Providers, server: Server) -> None:
    """A schema reaches the model, and JSON comes back as text."""
    form = TextConfig(format=JsonSchemaFormat(name="city", schema=CITY, strict=True))
    assert msgspec.json.decode((await said(providers, server, "json", text=form)).output_text) == {"city": "Seoul"}


@playing("cut")
async def test_cut(providers: Providers, server: Server) -> None:
    """The limit of tokens leaves the answer incomplete."""
    answer = await said(providers, server, "cut")
    assert answer.incomplete_details is not None
    told = (answer.status, answer.output_text, answer.incomplete_details.reason)
    assert told == ("incomplete", "Once upon", "max_output_tokens")


@playing("blocked")
async def test_blocked(providers: Providers, server: Server) -> None:
    """The content filter leaves the answer incomplete."""
    answer = await said(providers, server, "blocked")
    assert answer.incomplete_details is not None
    told = (answer.status, answer.output_text, answer.incomplete_details.reason)
    assert told == ("incomplete", "I would", "content_filter")


@playing("breaks")
async def test_breaks(providers: Providers, server: Server) -> None:
    """An error in the middle fails the answer, which keeps what came."""
    answer = await said(providers, server, "breaks")
    assert answer.error is not None
    assert (answer.status, answer.output_text) == ("failed", "So far")
    assert answer.error.message.startswith("The upstream broke off: ")


@playing("overloaded")
async def test_overloaded(providers: Providers, server: Server) -> None:
    """A server with too much to do is an error that says to come back."""
    with pytest.raises((UpstreamUnavailable, UpstreamRateLimited)):
        await said(providers, server, "overloaded")


@playing("limited")
async def test_limited(providers: Providers, server: Server) -> None:
    """A limit of the rate tells how many seconds to wait."""
    with pytest.raises(UpstreamRateLimited) as caught:
        await said(providers, server, "limited")
    assert caught.value.retry_after == 7


@playing("too_long")
async def test_too_long(providers: Providers, server: Server) -> None:
    """A prompt beyond the context is told as that."""
    with pytest.raises(ContextTooLong):
        await said(providers, server, "too_long")


@every_speaker
async def test_wrong_key(providers: Providers, server: Server) -> None:
    """A key that is refused is told, and not shown."""
    key = "sk-not-the-right-key"
    request = CreateResponse(model="text", input=(HELLO,))
    with pytest.raises(UpstreamRefused) as caught:
        await heard(providers, server.speaker.endpoint(server.url, key), request)
    assert key not in str(caught.value)


@every_speaker
async def test_unknown_model(providers: Providers, server: Server) -> None:
    """A model that isn't there is the request's mistake."""
    with pytest.raises((UpstreamRejected, InvalidRequest)) as caught:
        await said(providers, server, "nobody")
    assert caught.value.status in {400, 404}


@every_speaker
async def test_models(providers: Providers, server: Server) -> None:
    """The models that the server offers can be asked for."""
    endpoint = server.speaker.endpoint(server.url)
    assert "text" in await providers.models(endpoint)


@pytest.mark.parametrize(
    "server", sorted(SPEAKERS.keys() - {"azure_openai"}), indirect=True
)  # Azure's are in the config
async def test_wrong_key_for_models(providers: Providers, server: Server) -> None:
    """Asking for the models with a wrong key says so too; Azure's are in the config."""
    endpoint = server.speaker.endpoint(server.url, "sk-not-the-right-key")
    with pytest.raises(UpstreamRefused):
        await providers.of(endpoint).models(endpoint)


@playing("endless")
async def test_leaving(providers: Providers, server: Server) -> None:
    """Leaving an answer closes the upstream, and what came is a whole stream still."""
    server.speaker.left.clear()
    endpoint = server.speaker.endpoint(server.url)
    request = CreateResponse(model="endless", input=(HELLO,))
    builder = EventBuilder(draft(request, model="endless"))
    events = builder.start()
    async with aclosing(play(providers.of(endpoint), request, endpoint, builder)) as batches:
        async for batch in batches:
            events += batch
            if len(events) > 9:
                break
    builder.cut("cancelled")
    events += builder.finish()
    check_grammar(events)
    assert collect(events).status == "cancelled"
    assert await anyio.to_thread.run_sync(server.speaker.left.wait, 5)
