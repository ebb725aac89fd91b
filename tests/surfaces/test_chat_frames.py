"""The chunks of a streamed chat completion, frame by frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agentbench.protocol import CreateResponse, EventBuilder, Usage, draft
from agentbench.protocol.content import LogProb
from agentbench.surfaces.chat_chunks import ChatEncoder

if TYPE_CHECKING:
    from agentbench.protocol import Event


@pytest.fixture
def builder() -> EventBuilder:
    """Give a builder of a response."""
    return EventBuilder(draft(CreateResponse(), model="fake/m", response_id="resp_1"))


def encoded(builder: EventBuilder, events: list[Event], *, with_usage: bool = False) -> list[Any]:
    """Return the chunks of a stream that ends well."""
    encoder = ChatEncoder(builder.response, with_usage=with_usage)
    stream = [*events, *builder.finish()]
    frames = [frame for event in stream for frame in encoder.feed(event)]
    assert all(frame.startswith(b"data: {") and frame.endswith(b"}\n\n") for frame in frames)
    assert list(encoder.close()) == [b"data: [DONE]\n\n"]
    return [msgspec.json.decode(frame[6:]) for frame in frames]


def deltas(chunks: list[Any]) -> list[Any]:
    """Return the chunks' deltas."""
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def test_a_chunk(builder: EventBuilder) -> None:
    """Each has the completion's id, time and model; the id looks as OpenAI's do."""
    events = builder.start() + builder.text("Hi")
    builder.stop()
    chunk = encoded(builder, events)[1]
    assert chunk == {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": builder.response.created_at,
        "model": "fake/m",
        "choices": [{"index": 0, "delta": {"content": "Hi"}, "logprobs": None, "finish_reason": None}],
    }


def test_the_role_comes_first(builder: EventBuilder) -> None:
    """Then one chunk a piece, and the finish reason alone in the last."""
    events = builder.start() + builder.text("Hi ") + builder.text("there")
    builder.stop()
    chunks = encoded(builder, events)
    role = {"role": "assistant", "content": ""}
    assert deltas(chunks) == [role, {"content": "Hi "}, {"content": "there"}, {}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]


def test_calls(builder: EventBuilder) -> None:
    """A call begins with its id and name; calls are counted from 0 whatever stands before them."""
    events = builder.start() + builder.text("Look:")
    events += builder.call("a", name="f", call_id="call_a", arguments='{"x":') + builder.call("b", name="g")
    events += builder.call("a", arguments="1}")
    builder.stop()
    begun = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "f", "arguments": ""}}
    calls = [delta["tool_calls"][0] for delta in deltas(encoded(builder, events)) if "tool_calls" in delta]
    assert calls[0] == begun
    assert [(call["index"], call["function"]["arguments"]) for call in calls] == [
        (0, ""),
        (0, '{"x":'),
        (1, ""),
        (0, "1}"),
        (1, "{}"),
    ]


def test_logprobs(builder: EventBuilder) -> None:
    """They stand beside the text that they belong to."""
    logprob = LogProb(token="Hi", logprob=-0.5, bytes=(72, 105))
    events = builder.start() + builder.text("Hi", logprobs=(logprob,))
    builder.stop()
    told = encoded(builder, events)[1]["choices"][0]["logprobs"]
    assert told["content"] == [{"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}]


@pytest.mark.parametrize("with_usage", [True, False])
def test_usage(builder: EventBuilder, *, with_usage: bool) -> None:
    """It comes as a last chunk without choices, if asked for."""
    events = builder.start() + builder.text("Hi")
    builder.usage(Usage.of(11, 7, cached=3, reasoning=2))
    builder.stop()
    last = encoded(builder, events, with_usage=with_usage)[-1]
    assert ("usage" in last) is with_usage
    if with_usage:
        assert last["choices"] == []
        assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == (11, 7)
        assert last["usage"]["prompt_tokens_details"]["cached_tokens"] == 3


def test_an_error(builder: EventBuilder) -> None:
    """It is a frame of its own, after which nothing comes but the end."""
    events = builder.start() + builder.text("Well, ")
    builder.fail("Too hot.", code="upstream_unavailable", kind="upstream_unavailable")
    last = encoded(builder, events, with_usage=True)[-1]
    assert last == {
        "error": {
            "type": "upstream_unavailable",
            "code": "upstream_unavailable",
            "message": "Too hot.",
            "param": None,
        }
    }


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("interrupted", "stop")],
)
def test_an_early_end(builder: EventBuilder, reason: str, expected: str) -> None:
    """Why it was cut is its finish reason, also where it was calling a function."""
    events = builder.start() + builder.call(0, name="f", arguments='{"x')
    builder.cut(reason)
    assert encoded(builder, events)[-1]["choices"][0]["finish_reason"] == expected
