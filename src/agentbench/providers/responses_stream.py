"""From an upstream's Responses events to ours.

Upstreams differ from the spec and from each other (no sequence numbers, indexes that collide, ids that change, whole
items with no deltas), so nothing of their bookkeeping is trusted: a table of small handlers, one an event type, tells
the builder what is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from agentbench.protocol.content import LogProb, UrlCitation
from agentbench.protocol.response import Usage
from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from agentbench.protocol import Event, EventBuilder

__all__ = ["ResponsesDecoder"]


class _Frame(msgspec.Struct):
    """The parts of any event that something is made from."""

    type: str = ""
    item_id: str | None = None
    output_index: int | None = None
    summary_index: int | None = None
    delta: str = ""
    arguments: str | None = None
    logprobs: list[dict[str, Any]] | None = None
    annotation: dict[str, Any] | None = None
    item: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    error: Any = None
    message: str | None = None
    object: str | None = None


class ResponsesDecoder:
    """Reads a Responses upstream's server-sent stream, or its whole answer."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._frames = SSEDecoder()
        self._json = msgspec.json.Decoder(_Frame)
        self._spoke = False  # since the current message or reasoning item began
        self._called: set[Hashable] = set()  # calls whose arguments have come
        self._summary: int | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        return self._decode(self._frames.feed(chunk))

    def close(self) -> list[Event]:
        out = self._decode(self._frames.close())
        completed = self._builder.outcome == "completed"
        return out + self._builder.close_items("completed" if completed else "incomplete")

    def _decode(self, frames: list[bytes]) -> list[Event]:
        out: list[Event] = []
        for data in frames:
            if self._builder.outcome == "failed":
                break
            if data == b"[DONE]":
                continue
            try:
                out += self._frame(data)
            except (msgspec.DecodeError, msgspec.ValidationError) as error:
                self._builder.fail(f"The upstream sent a broken piece: {error}.", code="upstream_garbled")
        return out

    def _frame(self, data: bytes) -> list[Event]:
        frame = self._json.decode(data)
        if frame.object == "response":
            return self._ended(_Frame(response=msgspec.json.decode(data)))
        handler = self._handlers.get(frame.type)
        return [] if handler is None else handler(self, frame)

    # -- handlers, one an event type ---------------------------------------------------------------------------

    def _item_added(self, frame: _Frame) -> list[Event]:
        item = frame.item or {}
        if item.get("type") == "function_call":
            return self._call(frame, item)
        self._spoke = False
        if item.get("type") == "reasoning":
            self._summary = None
            return self._builder.end_item() + self._builder.reasoning_begins(item.get("id"))
        return self._builder.end_item()

    def _call(self, frame: _Frame, item: dict[str, Any]) -> list[Event]:
        if arguments := item.get("arguments"):
            self._called.add(_key(frame, item))
        return self._builder.call(
            _key(frame, item),
            name=item.get("name") or "",
            call_id=item.get("call_id"),
            arguments=arguments or "",
        )

    def _text(self, frame: _Frame) -> list[Event]:
        self._spoke = True
        logprobs = tuple(map(_logprob, frame.logprobs or ()))
        return self._builder.text(frame.delta, logprobs=logprobs)

    def _refusal(self, frame: _Frame) -> list[Event]:
        self._spoke = True
        return self._builder.refusal(frame.delta)

    def _annotation(self, frame: _Frame) -> list[Event]:
        citation = _citation(frame.annotation or {})
        return [] if citation is None else self._builder.annotation(citation)

    def _reasoning(self, frame: _Frame) -> list[Event]:
        self._spoke = True
        return self._builder.reasoning(frame.delta)

    def _reasoning_summary(self, frame: _Frame) -> list[Event]:
        self._spoke = True
        index = frame.summary_index or 0
        is_next = self._summary is not None and index != self._summary
        self._summary = index
        return self._builder.reasoning_summary(frame.delta, new_part=is_next)

    def _arguments(self, frame: _Frame) -> list[Event]:
        self._called.add(_key(frame))
        return self._builder.call(_key(frame), arguments=frame.delta)

    def _item_done(self, frame: _Frame) -> list[Event]:
        return self._whole_item(frame, frame.item or {})

    def _ended(self, frame: _Frame) -> list[Event]:
        response = frame.response or {}
        out: list[Event] = []
        if not self._builder.output:
            for index, item in enumerate(response.get("output") or ()):
                out += self._whole_item(_Frame(output_index=index), item)
        if usage := response.get("usage"):
            self._builder.usage(_usage(usage))
        self._settle(response)
        return out

    def _settle(self, response: dict[str, Any]) -> None:
        status = response.get("status", "completed")
        if status == "failed":
            self._fail(_Frame(error=response.get("error")))
        elif status == "incomplete":
            details = response.get("incomplete_details") or {}
            self._builder.cut(details.get("reason") or "max_output_tokens")
        else:
            self._builder.stop()

    def _fail(self, frame: _Frame) -> list[Event]:
        error = frame.error if isinstance(frame.error, dict) else {"message": frame.error or frame.message}
        said = error.get("message") or "no reason given"
        self._builder.fail(f"The upstream broke off: {said}", code="upstream_error", kind="upstream_error")
        return []

    # -- items that come whole ---------------------------------------------------------------------------------

    def _whole_item(self, frame: _Frame, item: dict[str, Any]) -> list[Event]:
        """Tell what the deltas of a finished item left out, then close it."""
        kind, key = item.get("type"), _key(frame, item)
        spoke, self._spoke = self._spoke, False
        if kind == "function_call":
            out = self._builder.call(key, name=item.get("name") or "", call_id=item.get("call_id"))
            if key not in self._called:
                out += self._builder.call(key, arguments=item.get("arguments") or "")
            return out + self._builder.call_done(key)
        if kind == "message":
            return ([] if spoke else self._whole_message(item)) + self._builder.end_item()
        if kind == "reasoning":
            out = [] if spoke else self._whole_reasoning(item)
            if sealed := item.get("encrypted_content"):
                out += self._builder.reasoning_sealed(sealed)
            return out + self._builder.end_item()
        return []

    def _whole_message(self, item: dict[str, Any]) -> list[Event]:
        out: list[Event] = []
        for part in item.get("content") or ():
            if part.get("type") == "refusal":
                out += self._builder.refusal(part.get("refusal") or "")
                continue
            out += self._builder.text(part.get("text") or "", logprobs=tuple(map(_logprob, part.get("logprobs") or ())))
            for raw in part.get("annotations") or ():
                if (citation := _citation(raw)) is not None:
                    out += self._builder.annotation(citation)
        return out

    def _whole_reasoning(self, item: dict[str, Any]) -> list[Event]:
        out = self._builder.reasoning_begins(item.get("id"))
        for part in item.get("content") or ():
            out += self._builder.reasoning(part.get("text") or "")
        for part in item.get("summary") or ():
            out += self._builder.reasoning_summary(part.get("text") or "", new_part=True)
        return out

    _handlers: ClassVar[dict[str, Callable[[ResponsesDecoder, _Frame], list[Event]]]] = {
        "response.output_item.added": _item_added,
        "response.output_item.done": _item_done,
        "response.output_text.delta": _text,
        "response.output_text.annotation.added": _annotation,
        "response.refusal.delta": _refusal,
        "response.reasoning.delta": _reasoning,
        "response.reasoning_text.delta": _reasoning,
        "response.reasoning_summary_text.delta": _reasoning_summary,
        "response.function_call_arguments.delta": _arguments,
        "response.completed": _ended,
        "response.incomplete": _ended,
        "response.failed": _ended,
        "error": _fail,
    }


def _key(frame: _Frame, item: dict[str, Any] | None = None) -> Hashable:
    """Return what tells calls apart: the item's id, or its place where the upstream gives no id."""
    return frame.item_id or (item or {}).get("id") or frame.output_index


def _logprob(raw: dict[str, Any]) -> LogProb:
    return msgspec.convert({key: value for key, value in raw.items() if value is not None}, LogProb)


def _citation(raw: dict[str, Any]) -> UrlCitation | None:
    try:
        return msgspec.convert(raw, UrlCitation)
    except msgspec.ValidationError:
        return None


def _usage(raw: dict[str, Any]) -> Usage:
    incoming = raw.get("input_tokens_details") or {}
    outgoing = raw.get("output_tokens_details") or {}
    return Usage.of(
        raw.get("input_tokens") or 0,
        raw.get("output_tokens") or 0,
        cached=incoming.get("cached_tokens") or 0,
        cache_write=incoming.get("cache_write_tokens") or 0,
        reasoning=outgoing.get("reasoning_tokens") or 0,
    )
