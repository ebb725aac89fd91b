"""The stream of Anthropic's Messages, event by event, and the whole message beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from agentbench.protocol import CreateResponse, EventBuilder, Usage, draft
from agentbench.surfaces.anthropic_events import MessagesEncoder
from agentbench.surfaces.anthropic_message import message

if TYPE_CHECKING:
    from agentbench.protocol import Event


@pytest.fixture
def builder() -> EventBuilder:
    """Give a builder of a response."""
    return EventBuilder(draft(CreateResponse(), model="fake/m", response_id="resp_1"))


def encoded(builder: EventBuilder, events: list[Event]) -> list[Any]:
    """Return what a stream tells; it ends well unless the builder knows better."""
    encoder = MessagesEncoder("req_1")
    if builder.outcome is None:
        builder.stop()
    stream = [*events, *builder.finish()]
    frames = [frame for event in stream for frame in encoder.feed(event)]
    assert list(encoder.close()) == []
    return [msgspec.json.decode(frame.partition(b"data: ")[2]) for frame in frames]


def blocks(events: list[Any]) -> list[str]:
    """Return the events of blocks in short."""
    return [f"{each['type'].removeprefix('content_block_')} {each['index']}" for each in events if "index" in each]


def deltas(events: list[Any]) -> list[Any]:
    """Return the deltas of blocks."""
    return [each["delta"] for each in events if each["type"] == "content_block_delta"]


def test_the_order(builder: EventBuilder) -> None:
    """The message starts, its blocks follow one another, and it ends with its reason and usage."""
    events = builder.start() + builder.reasoning("Hm.") + builder.text("Hi ") + builder.text("there")
    builder.usage(Usage.of(11, 7, cached=3, cache_write=2, reasoning=5))
    stream = encoded(builder, events)
    expected = ["start 0", "delta 0", "stop 0", "start 1", "delta 1", "delta 1", "stop 1"]
    assert blocks(stream) == expected
    assert [stream[0]["type"], *(each["type"] for each in stream[-2:])] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    assert stream[-2]["usage"] == {
        "input_tokens": 6,
        "cache_creation_input_tokens": 2,
        "cache_read_input_tokens": 3,
        "output_tokens": 7,
        "output_tokens_details": {"thinking_tokens": 5},
        "server_tool_use": None,
    }


def test_the_first_event(builder: EventBuilder) -> None:
    """It comes at once, with an empty message."""
    (first,) = encoded(builder, builder.start())[:1]
    assert (first["message"]["id"], first["message"]["model"]) == ("msg_1", "fake/m")
    assert (first["message"]["content"], first["message"]["usage"]["output_tokens"]) == ([], 0)


def test_interleaved_calls(builder: EventBuilder) -> None:
    """The first call is told as it grows; the second waits until it is whole."""
    events = builder.start() + builder.call("a", name="f", call_id="call_a", arguments='{"x":')
    events += builder.call("b", name="g", arguments='{"y":') + builder.call("a", arguments="1}")
    events += builder.call("b", arguments="2}")
    stream = encoded(builder, events)
    assert blocks(stream) == ["start 0", "delta 0", "delta 0", "stop 0", "start 1", "delta 1", "delta 1", "stop 1"]
    assert [each["partial_json"] for each in deltas(stream)] == ['{"x":', "1}", '{"y":', "2}"]


def test_text_beside_a_call(builder: EventBuilder) -> None:
    """Text that comes while a call is open waits too, and nothing of it is lost."""
    events = builder.start() + builder.call("a", name="f", arguments='{"x":') + builder.text("Hi")
    events += builder.call("a", arguments="1}")
    stream = encoded(builder, events)
    assert blocks(stream) == ["start 0", "delta 0", "delta 0", "stop 0", "start 1", "delta 1", "stop 1"]
    assert [each["type"] for each in message(builder.response)["content"]] == ["tool_use", "text"]


def test_sealed_reasoning(builder: EventBuilder) -> None:
    """The signature holds the seal, and the id that its provider wants to see again."""
    events = builder.start() + builder.reasoning_begins("rs_9") + builder.reasoning_summary("Hm.")
    events += builder.reasoning_sealed("SEAL") + builder.text("Hi")
    stream = encoded(builder, events)
    assert deltas(stream)[:2] == [
        {"type": "thinking_delta", "thinking": "Hm."},
        {"type": "signature_delta", "signature": "rs_9|SEAL"},
    ]
    assert message(builder.response)["content"][0] == {
        "type": "thinking",
        "thinking": "Hm.",
        "signature": "rs_9|SEAL",
    }


def test_reasoning_that_is_only_sealed(builder: EventBuilder) -> None:
    """It is a redacted block, which has no deltas."""
    events = builder.start() + builder.reasoning_begins("rs_9") + builder.reasoning_sealed("SEAL") + builder.text("Hi")
    stream = encoded(builder, events)
    block = {"type": "redacted_thinking", "data": "rs_9|SEAL"}
    assert blocks(stream)[:2] == ["start 0", "stop 0"]
    assert stream[1]["content_block"] == block
    assert message(builder.response)["content"][0] == block


def test_reasoning_without_words(builder: EventBuilder) -> None:
    """An item that holds nothing is no block."""
    events = builder.start() + builder.reasoning_begins("rs_9") + builder.text("Hi")
    stream = encoded(builder, events)
    assert blocks(stream) == ["start 0", "delta 0", "stop 0"]
    assert [each["type"] for each in message(builder.response)["content"]] == ["text"]


def test_parts_of_a_summary(builder: EventBuilder) -> None:
    """A blank line stands between them, whole and streamed."""
    events = builder.start() + builder.reasoning_summary("One.") + builder.reasoning_summary("Two.", new_part=True)
    stream = encoded(builder, events)
    assert "".join(each["thinking"] for each in deltas(stream)) == "One.\n\nTwo."
    assert message(builder.response)["content"][0]["thinking"] == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("reason", "expected"),
    [("max_output_tokens", "max_tokens"), ("content_filter", "refusal"), ("interrupted", "pause_turn")],
)
def test_an_early_end(builder: EventBuilder, reason: str, expected: str) -> None:
    """Why it was cut is its stop reason, also where it was calling a function, of which what came is kept."""
    events = builder.start() + builder.call(0, name="f", arguments='{"x')
    builder.cut(reason)
    assert encoded(builder, events)[-2]["delta"]["stop_reason"] == expected
    assert message(builder.response)["content"][0]["input"] == {"INVALID_JSON": '{"x'}


@pytest.mark.parametrize("arguments", ["[1]", "nonsense", '"text"'])
def test_arguments_that_are_no_object(builder: EventBuilder, arguments: str) -> None:
    """They come under a key that says so, not as if there were none."""
    encoded(builder, builder.start() + builder.call(0, name="f", arguments=arguments))
    assert message(builder.response)["content"][0]["input"] == {"INVALID_JSON": arguments}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("rate_limit_error", "rate_limit_error"),
        ("upstream_unavailable", "overloaded_error"),
        ("upstream_timeout", "timeout_error"),
        ("server_error", "api_error"),
    ],
)
def test_an_error(builder: EventBuilder, kind: str, expected: str) -> None:
    """It is the last event; what was open is stopped before."""
    events = builder.start() + builder.text("Well, ")
    builder.fail("Too hot.", code="any", kind=kind)
    *_, stopped, last = encoded(builder, events)
    assert stopped == {"type": "content_block_stop", "index": 0}
    assert last == {"type": "error", "error": {"type": expected, "message": "Too hot."}, "request_id": "req_1"}
