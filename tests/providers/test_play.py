"""One upstream call from request to events, over a real socket."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from tests.grammar import check_grammar
from tests.providers.replay import RECORDINGS, frames, recorded, replay, told
from tests.providers.upstream import drop, hang, reply, stream

from agentbench.errors import UpstreamRefused
from agentbench.protocol import CreateResponse, Event, EventBuilder, Response, collect, draft
from agentbench.protocol.items import user_message
from agentbench.providers.base import play
from agentbench.providers.openai_chat import OpenAIChat
from agentbench.providers.openai_responses import OpenAIResponses

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.providers.upstream import Upstream

    from agentbench.config import Endpoint
    from agentbench.providers.base import Provider
    from agentbench.providers.http import Http

pytestmark = pytest.mark.anyio

REQUEST = CreateResponse(model="small", input=(user_message("Hi"),))
SAID = frames({"choices": [{"delta": {"content": "a"}}]})
FINISHED = frames({"choices": [{"delta": {}, "finish_reason": "stop"}]})
USAGE = frames({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}})
NAMES = [f"openai_chat/{name}" for name in ("llama_cpp_korean.sse", "llama_cpp_not_streamed.json")]
NAMES += [f"openai_responses/{name}" for name in ("llama_cpp_reasoning.sse", "openai_not_streamed.json")]


@pytest.fixture
def chat(http: Http) -> OpenAIChat:
    """Return a provider that speaks Chat Completions."""
    return OpenAIChat(http)


@pytest.fixture
def builder() -> EventBuilder:
    """Return a fresh builder."""
    return EventBuilder(draft(REQUEST, model="small"))


def played(provider: Provider, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder) -> AsyncGenerator[Any]:
    """Play the request against the server."""
    return play(provider, REQUEST, msgspec.structs.replace(endpoint, base_url=upstream.url), builder)


async def whole(provider: Provider, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder) -> Response:
    """Return the response that one call makes, once its events have passed the grammar."""
    events: list[Event] = builder.start()
    async for batch in played(provider, endpoint, upstream, builder):
        events += batch
    events += builder.finish()
    check_grammar(events)
    return collect(events)


async def test_secrets_in_an_error(
    chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder
) -> None:
    """What an upstream repeats of a header isn't in the response's error, nor in the event that tells of it."""
    upstream.answers = [stream(SAID + frames({"error": {"message": "The team hunter2hunter2 is over its limit."}}))]
    endpoint = msgspec.structs.replace(endpoint, headers={"x-team": "hunter2hunter2"})
    response = await whole(chat, endpoint, upstream, builder)
    assert response.error is not None
    assert "is over its limit" in response.error.message
    assert "hunter2" not in response.error.message


@pytest.mark.parametrize("name", NAMES)
async def test_recordings(http: Http, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder, name: str) -> None:
    """What a server streams, or answers whole, comes through HTTP as it does from a file."""
    data = (RECORDINGS / name).read_bytes()
    pieces = [data[start : start + 100] for start in range(0, len(data), 100)]
    upstream.answers = [reply(body=data) if name.endswith("json") else stream(*pieces)]
    provider = OpenAIChat(http) if name.startswith("openai_chat") else OpenAIResponses(http)
    expected = collect(replay(name.partition("/")[0], [recorded(name)]))
    assert told(await whole(provider, endpoint, upstream, builder)) == told(expected)


async def test_first_batch(chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder) -> None:
    """The first batch is empty and comes as soon as the upstream says 200, before it has said anything."""
    upstream.answers = [stream(then=hang)]
    async with aclosing(played(chat, endpoint, upstream, builder)) as batches:
        assert await anext(batches) == []


async def test_text_comes_at_once(
    chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder
) -> None:
    """A piece is handed on while the upstream is still silent about the next."""
    upstream.answers = [stream(SAID, then=hang)]
    async with aclosing(played(chat, endpoint, upstream, builder)) as batches:
        await anext(batches)
        assert [type(event).__name__ for event in await anext(batches)] == [
            "ItemAdded",
            "ContentPartAdded",
            "TextDelta",
        ]


async def test_error_before(chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder) -> None:
    """An error before the upstream has begun to answer is raised."""
    upstream.answers = [reply(401)]
    with pytest.raises(UpstreamRefused):
        await anext(played(chat, endpoint, upstream, builder))
    assert builder.outcome is None


async def test_error_after(chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder) -> None:
    """An error after that is told to the builder; what was said and counted stays."""
    upstream.answers = [stream(SAID, USAGE, then=drop)]
    answer = await whole(chat, endpoint, upstream, builder)
    assert answer.error is not None
    assert answer.error.code == "upstream_unavailable"
    assert told(answer)[:2] == ("failed", "a")
    assert told(answer).usage == (3, 1, 0, 0)


async def test_silence_after(chat: OpenAIChat, hasty: Endpoint, upstream: Upstream, builder: EventBuilder) -> None:
    """An upstream that falls silent fails the response."""
    upstream.answers = [stream(SAID, then=hang)]
    answer = await whole(chat, hasty, upstream, builder)
    assert answer.error is not None
    assert (answer.error.code, answer.error.message) == (
        "upstream_timeout",
        "acme fell silent for 0.25 s. Try again, or raise silenceTimeout.",
    )


async def test_dropped_after_the_finish(
    chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder
) -> None:
    """A connection that breaks off once the answer is whole harms nothing."""
    upstream.answers = [stream(SAID, FINISHED, then=drop)]
    assert told(await whole(chat, endpoint, upstream, builder))[:2] == ("completed", "a")


async def test_error_frame_ends_the_call(
    chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder
) -> None:
    """After an error frame nothing more is awaited, and the connection is closed."""
    upstream.answers = [stream(SAID, frames({"error": "Boom"}), then=hang)]
    assert told(await whole(chat, endpoint, upstream, builder)).why == "The upstream broke off: Boom"
    with anyio.fail_after(5):
        await upstream.client_left.wait()


async def test_second_call_of_a_response(
    chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder
) -> None:
    """Each call of a response is judged by itself: the first ends well, the second is dropped."""
    upstream.answers = [stream(SAID, FINISHED), stream(SAID)]
    events = builder.start()
    for _ in range(2):
        async for batch in played(chat, endpoint, upstream, builder):
            events += batch
    response = collect(events + builder.finish())
    assert response.error is not None
    assert (response.error.code, response.output_text) == ("upstream_dropped", "aa")


async def test_closing_closes_the_upstream(
    chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder
) -> None:
    """Who closes the generator closes the connection, and the server sees it."""
    upstream.answers = [stream(SAID, then=hang)]
    async with aclosing(played(chat, endpoint, upstream, builder)) as batches:
        await anext(batches)
        await anext(batches)
    with anyio.fail_after(5):
        await upstream.client_left.wait()


@pytest.mark.parametrize("answer", [hang, stream(then=hang), stream(SAID, then=hang)])
async def test_cancelling_closes_the_upstream(
    chat: OpenAIChat, endpoint: Endpoint, upstream: Upstream, builder: EventBuilder, answer: Any
) -> None:
    """Cancelling closes the connection at once, whatever is being waited for."""
    upstream.answers = [answer]
    with anyio.move_on_after(0.2) as scope:
        await whole(chat, endpoint, upstream, builder)
    assert scope.cancelled_caught
    with anyio.fail_after(5):
        await upstream.client_left.wait()


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"object": "list", "data": [{"id": "b"}, {"id": "a", "owned_by": "x"}]}', ("a", "b")),
        (b'[{"id": "b"}, {"id": "a"}, {"name": "c"}, "d"]', ("a", "b")),
        (b'{"data": null}', ()),
        (b'{"models": []}', ()),
        (b"3", ()),
    ],
)
async def test_models(http: Http, endpoint: Endpoint, upstream: Upstream, body: bytes, names: tuple[str, ...]) -> None:
    """The models' names are listed in order, from a list in an envelope or bare."""
    upstream.answers = [reply(body=body)]
    there = msgspec.structs.replace(endpoint, base_url=upstream.url)
    assert await OpenAIChat(http).models(there) == await OpenAIResponses(http).models(there) == names
