"""From the stream of Anthropic's Messages, or a whole message, to events. Only the fields that matter are parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agentbench.protocol.content import UrlCitation
from agentbench.protocol.response import Usage
from agentbench.providers.anthropic_messages import REDACTED, SIGNED
from agentbench.providers.counts import told_counts
from agentbench.providers.frames import FrameDecoder
from agentbench.providers.mask import shown
from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.protocol import Event, EventBuilder

__all__ = ["AnthropicDecoder"]

_CUTS = {
    "max_tokens": "max_output_tokens",
    "model_context_window_exceeded": "max_output_tokens",
    "refusal": "content_filter",
    "pause_turn": "interrupted",
}
"""The stop reasons that mean an early end; any other means that the model was done."""

_ERRORS = {
    "overloaded_error": ("upstream_unavailable", "upstream_unavailable"),
    "rate_limit_error": ("rate_limit_exceeded", "rate_limit_error"),
    "timeout_error": ("upstream_timeout", "upstream_timeout"),
}
"""The code and type of an error's kind; others are `upstream_error`."""


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None
    output_tokens_details: dict[str, Any] | None = None


class _Block(msgspec.Struct):
    """A content block: as it begins in a stream, or whole."""

    type: str = ""
    text: str | None = None
    citations: list[dict[str, Any]] | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None


class _StopDetails(msgspec.Struct):
    explanation: str | None = None


class _Delta(msgspec.Struct):
    """News of a block, or of the message."""

    type: str = ""
    text: str | None = None
    citation: dict[str, Any] | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None


class _Begun(msgspec.Struct):
    usage: Any = None


class _Error(msgspec.Struct):
    type: str | None = None
    message: str | None = None


class _Kind(msgspec.Struct):
    type: str = ""


class _Frame(_Kind):
    """Any event, or a whole message."""

    index: int = 0
    content_block: _Block | None = None
    delta: _Delta | None = None
    usage: Any = None
    message: _Begun | None = None
    error: _Error | None = None
    content: list[_Block] | None = None
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None


class AnthropicDecoder(FrameDecoder):
    """Reads the bytes of a server-sent stream."""

    def __init__(self, builder: EventBuilder) -> None:
        super().__init__(builder, SSEDecoder())
        self._json = msgspec.json.Decoder(_Frame)
        self._usage = _Usage()
        self._open: dict[int, str] = {}  # the types of the blocks that are open
        self._inputs: dict[int, Any] = {}  # of calls whose arguments have not come in pieces
        self._length = 0  # of the message's text
        self._begins = 0  # where in it the block's text does
        self._citations: list[dict[str, Any]] = []

    def _frame(self, data: bytes) -> list[Event]:
        if self._builder.outcome == "failed":
            return []
        try:
            frame = self._json.decode(data)
        except msgspec.ValidationError:
            if msgspec.json.decode(data, type=_Kind).type in self._handlers:
                raise
            return []  # an event that isn't known may hold anything
        handler = self._handlers.get(frame.type)
        return [] if handler is None else handler(self, frame)

    # -- handlers, one an event type ---------------------------------------------------------------------------

    def _message_start(self, frame: _Frame) -> list[Event]:
        self._count(None if frame.message is None else frame.message.usage)
        return []

    def _block_start(self, frame: _Frame) -> list[Event]:
        return [] if frame.content_block is None else self._begin(frame.index, frame.content_block)

    def _block_delta(self, frame: _Frame) -> list[Event]:
        delta = frame.delta
        handler = None if delta is None else self._deltas.get(delta.type)
        return [] if handler is None or delta is None else handler(self, frame.index, delta)

    def _block_stop(self, frame: _Frame) -> list[Event]:
        return self._end(frame.index)

    def _message_delta(self, frame: _Frame) -> list[Event]:
        self._count(frame.usage)
        return [] if frame.delta is None else self._settle(frame.delta.stop_reason, frame.delta.stop_details)

    def _message_stop(self, _: _Frame) -> list[Event]:
        self._builder.stop()
        return []

    def _message(self, frame: _Frame) -> list[Event]:
        out: list[Event] = []
        for index, block in enumerate(frame.content or ()):
            out += self._begin(index, block) + self._end(index)
        self._count(frame.usage)
        return out + self._settle(frame.stop_reason or "end_turn", frame.stop_details)

    def _error(self, frame: _Frame) -> list[Event]:
        error = frame.error or _Error()
        said = shown(error.message or error.type or "no reason given")
        code, kind = _ERRORS.get(error.type or "", ("upstream_error", "upstream_error"))
        self._builder.fail(f"The upstream broke off: {said}", code=code, kind=kind)
        return []

    # -- blocks --------------------------------------------------------------------------------------------------

    def _begin(self, index: int, block: _Block) -> list[Event]:
        """Tell what a block holds from the start: mostly nothing, or all."""
        self._open[index] = block.type
        if block.type == "text":
            self._begins, self._citations = self._length, list(block.citations or ())
            return self._text(index, _Delta(text=block.text))
        if block.type == "tool_use":
            self._length, self._inputs[index] = 0, block.input
            return self._builder.call(index, name=block.name or "", call_id=block.id)
        if block.type == "thinking":
            delta = _Delta(thinking=block.thinking, signature=block.signature)
            return self._thinking(index, delta) + self._signature(index, delta)
        if block.type == "redacted_thinking":
            self._length = 0
            return self._builder.reasoning_sealed(REDACTED + (block.data or ""))
        return []

    def _text(self, _: int, delta: _Delta) -> list[Event]:
        text = delta.text or ""
        self._length += len(text)
        return self._builder.text(text)

    def _thinking(self, _: int, delta: _Delta) -> list[Event]:
        self._length = 0
        return self._builder.reasoning_summary(delta.thinking or "")

    def _signature(self, _: int, delta: _Delta) -> list[Event]:
        return self._builder.reasoning_sealed(SIGNED + delta.signature) if delta.signature else []

    def _arguments(self, index: int, delta: _Delta) -> list[Event]:
        if self._open.get(index) != "tool_use" or not delta.partial_json:
            return []  # calls that the server runs itself have arguments as well
        self._inputs.pop(index, None)
        return self._builder.call(index, arguments=delta.partial_json)

    def _citation(self, _: int, delta: _Delta) -> list[Event]:
        if delta.citation is not None:
            self._citations.append(delta.citation)
        return []

    def _end(self, index: int) -> list[Event]:
        kind = self._open.pop(index, "")
        if kind == "text":
            return self._cited()
        if kind == "tool_use":
            out: list[Event] = []
            if index in self._inputs:
                arguments = msgspec.json.encode(self._inputs.pop(index) or {}).decode()
                out += self._builder.call(index, arguments=arguments)
            return out + self._builder.call_done(index)
        return self._builder.end_item() if kind in {"thinking", "redacted_thinking"} else []

    def _cited(self) -> list[Event]:
        """Tell of the pages that a block of text cites; what cites a document has no address to give."""
        out: list[Event] = []
        for raw in self._citations:
            if isinstance(url := raw.get("url"), str):
                title = str(raw.get("title") or "")
                cited = UrlCitation(url=url, title=title, start_index=self._begins, end_index=self._length)
                out += self._builder.annotation(cited)
        return out

    # -- the end -------------------------------------------------------------------------------------------------

    def _settle(self, reason: str | None, details: _StopDetails | None) -> list[Event]:
        if reason is None:
            return []
        if reason not in _CUTS:
            self._builder.stop()
            return []
        self._builder.cut(_CUTS[reason])
        return self._builder.refusal((details and details.explanation) or "")

    def _count(self, raw: Any) -> None:
        """Note the tokens: each count is of all so far, and what isn't told again stays."""
        if (told := told_counts(raw, _Usage)) is None:
            return
        for field in told.__struct_fields__:
            if value := getattr(told, field):
                setattr(self._usage, field, value)
        usage = self._usage
        read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
        thought = (usage.output_tokens_details or {}).get("thinking_tokens") or 0
        self._builder.usage(
            Usage.of(
                (usage.input_tokens or 0) + read + written,
                usage.output_tokens or 0,
                cached=read,
                cache_write=written,
                reasoning=thought,
            )
        )

    _handlers: ClassVar[dict[str, Callable[[AnthropicDecoder, _Frame], list[Event]]]] = {
        "message_start": _message_start,
        "content_block_start": _block_start,
        "content_block_delta": _block_delta,
        "content_block_stop": _block_stop,
        "message_delta": _message_delta,
        "message_stop": _message_stop,
        "message": _message,
        "error": _error,
    }
    _deltas: ClassVar[dict[str, Callable[[AnthropicDecoder, int, _Delta], list[Event]]]] = {
        "text_delta": _text,
        "thinking_delta": _thinking,
        "signature_delta": _signature,
        "input_json_delta": _arguments,
        "citations_delta": _citation,
    }
