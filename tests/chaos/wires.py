"""The answers that the chaos upstream spoils: one recording a wire format, framed as HTTP, and the text in it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from tests.providers.replay import recorded, replay, told

__all__ = ["WIRES", "Wire", "arrived", "chunk", "head", "text_of", "whole"]


class Wire(NamedTuple):
    """A recording and what its bytes are called."""

    recording: str
    kind: str
    decoder: str
    ends_itself: bool = True
    """Whether its last event says that it is the last one."""


_SSE = "text/event-stream"
WIRES = {
    "chat": Wire("openai_chat/openai_text.sse", _SSE, "openai_chat"),
    "responses": Wire("openai_responses/llama_cpp_text.sse", _SSE, "openai_responses"),
    "anthropic": Wire("anthropic/text.sse", _SSE, "anthropic"),
    "google": Wire("google/text.sse", _SSE, "google", ends_itself=False),
    "ollama": Wire("ollama/korean.ndjson", "application/x-ndjson", "ollama"),
    "bedrock": Wire("bedrock/claude_text.jsonl", "application/vnd.amazon.eventstream", "bedrock", ends_itself=False),
}
"""By the name of their endpoint, which begins the path."""


def head(wire: Wire, *lines: str, status: str = "200 OK") -> bytes:
    """Return the head of an answer; `lines` join the content's type."""
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"content-type: {wire.kind}", *lines, "")).encode()


def chunk(data: bytes) -> bytes:
    """Return bytes as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@cache
def events(wire: Wire) -> tuple[bytes, ...]:
    """Return the recording in the pieces that an upstream would send at once."""
    data = recorded(wire.recording)
    end = b"\n" if wire.kind != _SSE else b"\n\n"
    if "amazon" in wire.kind:
        return _frames(data)
    return tuple(piece + end for piece in data.split(end) if piece)


def _frames(data: bytes) -> tuple[bytes, ...]:
    pieces = []
    while data:
        length = int.from_bytes(data[:4])
        pieces.append(data[:length])
        data = data[length:]
    return tuple(pieces)


@cache
def whole(wire: Wire) -> bytes:
    """Return a whole answer in chunks, head included."""
    return head(wire, "transfer-encoding: chunked") + b"".join(map(chunk, events(wire))) + b"0\r\n\r\n"


@cache
def arrived(wire: Wire, offset: int) -> int:
    """Return how many bytes of the body lie in the first `offset` bytes of the whole answer."""
    left = offset - len(head(wire, "transfer-encoding: chunked"))
    size = 0
    for event in events(wire):
        prefix = len(b"%x\r\n" % len(event))
        size += max(0, min(len(event), left - prefix))
        left -= len(chunk(event))
    return size


@cache
def text_of(wire: Wire, size: int | None = None) -> str:
    """Return the text in the first `size` bytes of the recording."""
    from agentbench.protocol import collect

    data = b"".join(events(wire))
    return told(collect(replay(wire.decoder, [data[:size]]))).text
