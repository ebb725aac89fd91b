"""Odd token counts of upstreams: they never spoil the answer that they come with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from agentbench.protocol import CreateResponse, EventBuilder, Response, Usage, draft
from agentbench.providers.anthropic_stream import AnthropicDecoder
from agentbench.providers.chat_stream import ChatDecoder
from agentbench.providers.counts import count, told_counts, without_nan
from agentbench.providers.google_stream import GoogleDecoder
from agentbench.providers.ollama_stream import OllamaDecoder
from agentbench.providers.responses_stream import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.providers.base import Decoder

    Make = Callable[[EventBuilder], Decoder]

ODD: list[Any] = [float("nan"), float("inf"), "many", True, [1], {"n": 1}, 1.5e300, 2**70, -(2**70)]


def chat(value: Any) -> list[Any]:
    """Return an answer of a chat endpoint."""
    usage = {"prompt_tokens": value, "completion_tokens": value, "prompt_tokens_details": value}
    return [{"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}, {"usage": usage}]


def responses(value: Any) -> list[Any]:
    """Return an answer of a Responses endpoint."""
    usage = {"input_tokens": value, "output_tokens": value, "input_tokens_details": value}
    return [
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "Hi"},
        {"type": "response.completed", "response": {"status": "completed", "output": [], "usage": usage}},
    ]


def anthropic(value: Any) -> list[Any]:
    """Return an answer of Anthropic's."""
    usage = {"input_tokens": value, "output_tokens": value, "output_tokens_details": value}
    return [
        {"type": "message_start", "message": {"usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]


def google(value: Any) -> list[Any]:
    """Return an answer of Google's."""
    usage = {"promptTokenCount": value, "candidatesTokenCount": value, "totalTokenCount": value}
    candidate = {"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}
    return [{"candidates": [candidate], "usageMetadata": usage}]


def read(make: Make, pieces: list[Any], prefix: str = "data: ") -> Response:
    """Return the answer that a decoder makes of these pieces."""
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    decoder = make(builder)
    builder.start()
    for piece in pieces:
        decoder.feed(f"{prefix}{json.dumps(piece)}\n\n".encode())  # noqa: TID251 - msgspec writes no NaN
    decoder.close()
    builder.finish()
    return builder.response


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize(
    ("make", "answer"),
    [(ChatDecoder, chat), (ResponsesDecoder, responses), (AnthropicDecoder, anthropic), (GoogleDecoder, google)],
)
def test_odd_counts(make: Make, answer: Callable[[Any], list[Any]], value: Any) -> None:
    """The answer is whole, whatever its upstream counts."""
    response = read(make, answer(value))
    assert (response.status, response.output_text, response.error) == ("completed", "Hi", None)


@pytest.mark.parametrize("value", ODD)
def test_odd_counts_of_ollama(value: Any) -> None:
    """The same, where the counts stand beside the answer."""
    line = {"message": {"content": "Hi"}, "done": True, "prompt_eval_count": value, "eval_count": value}
    response = read(OllamaDecoder, [line], prefix="")
    assert (response.status, response.output_text) == ("completed", "Hi")


@pytest.mark.parametrize(("make", "answer"), [(ChatDecoder, chat), (ResponsesDecoder, responses)])
def test_the_upstreams_own_total(make: Make, answer: Callable[[Any], list[Any]]) -> None:
    """A total that isn't the sum is kept as it was told."""
    pieces = answer(5)
    told = pieces[-1].get("response", pieces[-1])["usage"]
    told["total_tokens"] = 17
    told["prompt_tokens_details"] = told["input_tokens_details"] = {}
    assert read(make, pieces).usage == Usage.of(5, 5, total=17)


@pytest.mark.parametrize(
    ("value", "expected"), [(3, 3), (-3, -3), ("12", 12), (3.0, 3), (2**70, 2**53), ("-", None), (None, None)]
)
def test_a_count(value: object, expected: int | None) -> None:
    """A number stays what it is, as far as numbers go; nothing else is one."""
    assert count(value) == expected


@pytest.mark.parametrize("told", [None, 7, "x", [1], {"a": {"b": 1}}])
def test_another_shape(told: object) -> None:
    """What isn't an object of counts tells none."""
    assert told_counts(told, dict[str, int]) is None


@pytest.mark.parametrize(
    ("text", "expected"), [(b'{"a": NaN}', b'{"a":null}'), (b'{"a": 1}', None), (b'{"a": NaN', None)]
)
def test_nan(text: bytes, expected: bytes | None) -> None:
    """Only what is whole but for such numbers can be read."""
    assert without_nan(text) == expected
