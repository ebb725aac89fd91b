"""From ConverseStream's binary frames to events. botocore takes the frames apart and checks their sums.

A table of small handlers, one an event type, tells the builder what is new. Each thought becomes an item of its own,
with its signature or redacted content as its seal.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from botocore.eventstream import EventStreamBuffer, ParserError

from agentbench.protocol.content import UrlCitation
from agentbench.protocol.response import Usage
from agentbench.providers.bedrock_models import seal
from agentbench.providers.counts import told_counts
from agentbench.providers.frames import BROKEN, fail_broken
from agentbench.providers.mask import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.eventstream import EventStreamMessage

    from agentbench.protocol import Event, EventBuilder

__all__ = ["BedrockDecoder"]

_CUTS = {
    "max_tokens": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""The stop reasons that mean an early end; any other but a malformed answer means that the model was done."""
_FAILURES = {
    "throttlingException": ("rate_limit_exceeded", "rate_limit_error"),
    "validationException": ("upstream_rejected", "invalid_request_error"),
    "internalServerException": ("upstream_unavailable", "upstream_unavailable"),
    "serviceUnavailableException": ("upstream_unavailable", "upstream_unavailable"),
}
"""The code and kind of an exception in the stream; of any other, `upstream_error`."""


class _ToolUse(msgspec.Struct, rename="camel"):
    tool_use_id: str | None = None
    name: str = ""
    type: str | None = None
    input: str = ""


class _Thought(msgspec.Struct, rename="camel"):
    text: str = ""
    signature: str = ""
    redacted_content: str = ""


class _Web(msgspec.Struct):
    url: str | None = None


class _Location(msgspec.Struct):
    web: _Web | None = None


class _Citation(msgspec.Struct):
    title: str | None = None
    location: _Location | None = None


class _Piece(msgspec.Struct, rename="camel"):
    """What a block begins with, or grows by."""

    text: str = ""
    tool_use: _ToolUse | None = None
    reasoning_content: _Thought | None = None
    citation: _Citation | None = None


class _Usage(msgspec.Struct, rename="camel"):
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int | None = None
    cache_write_input_tokens: int | None = None


class _Frame(msgspec.Struct, rename="camel"):
    """The fields of all frames that matter here."""

    content_block_index: int = 0
    start: _Piece | None = None
    delta: _Piece | None = None
    stop_reason: str | None = None
    usage: Any = None
    message: str | None = None
    original_message: str | None = None


class BedrockDecoder:
    """Reads a ConverseStream's bytes."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._frames = EventStreamBuffer()
        self._json = msgspec.json.Decoder(_Frame)
        self._calls: set[int] = set()  # the blocks that are calls of ours to answer
        self._thinks = False
        self._signature = ""
        self._redacted = b""

    def feed(self, chunk: bytes) -> list[Event]:
        self._frames.add_data(chunk)
        out: list[Event] = []
        try:
            for message in self._frames:
                out += self._message(message)
                if self._builder.outcome == "failed":
                    break
        except (ParserError, binascii.Error, *BROKEN) as error:
            fail_broken(self._builder, error)
        return out

    def close(self) -> list[Event]:
        return self._builder.close_items("completed" if self._builder.outcome == "completed" else "incomplete")

    def _message(self, message: EventStreamMessage) -> list[Event]:
        headers = message.headers
        kind = headers.get(":message-type")
        if kind == "event":
            handler = self._handlers.get(headers.get(":event-type", ""))
            return [] if handler is None else handler(self, self._json.decode(message.payload))
        if kind == "exception":
            told = self._json.decode(message.payload or b"{}")
            self._fail(headers.get(":exception-type", ""), told.original_message or told.message)
        else:
            self._fail(headers.get(":error-code", ""), headers.get(":error-message"))
        return []

    def _fail(self, name: str, said: str | None) -> None:
        code, kind = _FAILURES.get(name, ("upstream_error", "upstream_error"))
        told = shown(said or name or "no reason given")
        if code == "upstream_rejected" and "too long" in told:
            code = "context_length_exceeded"
        self._builder.fail(f"The upstream broke off: {told}", code=code, kind=kind)

    # -- handlers, one an event type ---------------------------------------------------------------------------

    def _block_begins(self, frame: _Frame) -> list[Event]:
        call = frame.start and frame.start.tool_use
        if not call or call.type == "server_tool_use":  # the model's own tool, which ran already
            return []
        self._calls.add(frame.content_block_index)
        return self._builder.call(frame.content_block_index, name=call.name, call_id=call.tool_use_id)

    def _block_grows(self, frame: _Frame) -> list[Event]:
        piece = frame.delta or _Piece()
        if piece.text:
            return self._builder.text(piece.text)
        if piece.tool_use is not None:
            index = frame.content_block_index
            return self._builder.call(index, arguments=piece.tool_use.input) if index in self._calls else []
        if piece.reasoning_content is not None:
            return self._thought(piece.reasoning_content)
        return [] if piece.citation is None else self._cited(piece.citation)

    def _thought(self, piece: _Thought) -> list[Event]:
        self._thinks = True
        self._signature += piece.signature
        self._redacted += base64.b64decode(piece.redacted_content)
        return self._builder.reasoning(piece.text)

    def _cited(self, citation: _Citation) -> list[Event]:
        url = citation.location and citation.location.web and citation.location.web.url
        if not url:
            return []
        return self._builder.annotation(UrlCitation(url=url, title=citation.title or "", start_index=0, end_index=0))

    def _block_ends(self, frame: _Frame) -> list[Event]:
        if frame.content_block_index in self._calls:
            self._calls.remove(frame.content_block_index)
            return self._builder.call_done(frame.content_block_index)
        return self._thought_ends() if self._thinks else []

    def _thought_ends(self) -> list[Event]:
        out: list[Event] = []
        model = self._builder.response.model
        if self._redacted:
            out = self._builder.reasoning_sealed(seal(model, "redacted", base64.b64encode(self._redacted).decode()))
        elif self._signature:
            out = self._builder.reasoning_sealed(seal(model, "signature", self._signature))
        self._thinks, self._signature, self._redacted = False, "", b""
        return out + self._builder.end_item()

    def _stopped(self, frame: _Frame) -> list[Event]:
        reason = frame.stop_reason or ""
        if reason in _CUTS:
            self._builder.cut(_CUTS[reason])
        elif reason.startswith("malformed_"):
            self._builder.fail(f"The model's answer is broken ({reason}). Try again.", code="upstream_garbled")
        else:
            self._builder.stop()
        return []

    def _told_usage(self, frame: _Frame) -> list[Event]:
        if (told := told_counts(frame.usage, _Usage)) is not None:
            cached, written = told.cache_read_input_tokens or 0, told.cache_write_input_tokens or 0
            total = told.input_tokens + cached + written
            self._builder.usage(Usage.of(total, told.output_tokens, cached=cached, cache_write=written))
        return []

    _handlers: ClassVar[dict[str, Callable[[BedrockDecoder, _Frame], list[Event]]]] = {
        "contentBlockStart": _block_begins,
        "contentBlockDelta": _block_grows,
        "contentBlockStop": _block_ends,
        "messageStop": _stopped,
        "metadata": _told_usage,
    }
