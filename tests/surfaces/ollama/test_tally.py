"""What the ledger learns from the bytes of an answer that goes through."""

from __future__ import annotations

import pytest

from agentbench.protocol.response import Usage
from agentbench.surfaces.ollama.names import listed_as, same
from agentbench.surfaces.ollama.reckon import reckoned, shortened, streams
from agentbench.surfaces.ollama.tally import OllamaTally

CHAT = b'{"message":{"thinking":"Hm. ","content":"a"}}\n{"done":true,"prompt_eval_count":2,"eval_count":3}\n'
CHUNKS = (
    b'data: {"choices":[{"delta":{"content":"a"}}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3}}\n\ndata: [DONE]\n\n'
)
RESPONSES = (
    b'event: x\ndata: {"type":"response.output_text.delta","delta":"a"}\n\n'
    b'data: {"type":"response.completed","response":{"usage":{"input_tokens":2,"output_tokens":3}}}\n\n'
)
MESSAGES = (
    b'data: {"type":"message_start","message":{"usage":{"input_tokens":2,"output_tokens":1}}}\n\n'
    b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n'
    b'data: {"type":"message_delta","delta":{},"usage":{"output_tokens":3}}\n\ndata: {"type":"message_stop"}\n\n'
)


@pytest.mark.parametrize("answer", [CHAT, CHUNKS, RESPONSES, MESSAGES], ids=["chat", "chunks", "responses", "messages"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_streams(answer: bytes, size: int) -> None:
    """Tokens and text are found in every form of stream, however it is cut, and so is its end."""
    tally = OllamaTally(streams=True)
    for start in range(0, len(answer), size):
        tally.feed(answer[start : start + size])
    assert (tally.usage, tally.is_whole, tally.has_begun) == (Usage.of(2, 3), True, True)
    assert tally.text == ("Hm. a" if answer is CHAT else "a")


def test_a_stream_that_breaks_off() -> None:
    """Without its last line a stream isn't whole, and nothing is counted."""
    tally = OllamaTally(streams=True)
    tally.feed(CHAT.partition(b"\n")[0])
    tally.close()
    assert (tally.usage, tally.is_whole, tally.text) == (None, False, "Hm. a")


@pytest.mark.parametrize(
    "garbage", [b"\xff\xfe", b"{", b"[1]\n", b'{"message":7,"usage":[],"choices":"x"}\n', b"<html>"]
)
def test_what_it_cant_read(garbage: bytes) -> None:
    """Anything else is passed over."""
    tally = OllamaTally(streams=False)
    tally.feed(garbage)
    tally.close()
    assert (tally.usage, tally.is_whole, tally.text) == (None, True, "")


def test_images_are_no_text() -> None:
    """An image counts as an image, whatever its size; the text around it as text."""
    body = {"prompt": "Look at this.", "images": ["A" * 100_000]}
    (message,) = reckoned("/api/generate", body).input
    assert "AAAA" not in str(message)
    assert "Look at this." in str(message)


def test_limits_of_answers() -> None:
    """Every API's own limit is read, and one can be set where there was none."""
    assert reckoned("/api/chat", {"options": {"num_predict": 5}}).max_output_tokens == 5
    assert reckoned("/api/chat", {"options": {"num_predict": -1}}).max_output_tokens is None
    assert reckoned("/v1/responses", {"max_output_tokens": 6}).max_output_tokens == 6
    assert shortened("/api/chat", {"options": {"seed": 1}}, 9) == {"options": {"seed": 1, "num_predict": 9}}
    assert shortened("/v1/messages", {}, 9) == {"max_tokens": 9}
    assert [streams(path, {}) for path in ("/api/chat", "/api/embed", "/v1/messages")] == [True, False, False]


def test_names() -> None:
    """A name without a tag means `latest`; a bare model means the first endpoint that has it."""
    assert [same("a", other) for other in ("a:latest", "a", "a:7b", "A")] == [True, True, False, False]
    names = ["bot", "x/a", "y/a", "y/b:7b"]
    assert [listed_as(name, names) for name in ("bot:latest", "a", "b:7b", "b")] == ["bot", "x/a", "y/b:7b", None]
