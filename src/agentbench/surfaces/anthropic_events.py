"""From events to a stream of Anthropic's Messages.

Its content blocks never overlap: the first that isn't finished is told as it grows, those behind it wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCall, Reasoning
from agentbench.surfaces.anthropic_message import (
    begun,
    ending,
    redacted_block,
    text_block,
    thinking_block,
    tokens,
    tool_block,
)
from agentbench.surfaces.anthropic_seal import sealed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench.protocol import Event

__all__ = ["MessagesEncoder", "error_body"]

_Place = tuple[int, int]
_WHOLE = -1
"""Stands for a content index where an item is one block."""

_ERRORS = {
    "authentication_error": "authentication_error",
    "insufficient_quota": "billing_error",
    "invalid_request_error": "invalid_request_error",
    "not_found_error": "not_found_error",
    "permission_error": "permission_error",
    "rate_limit_error": "rate_limit_error",
    "upstream_timeout": "timeout_error",
    "upstream_unavailable": "overloaded_error",
}


def error_body(kind: str, message: str, request_id: str, **more: float) -> dict[str, Any]:
    """Return an error as Anthropic's clients expect it, and what else there is to say."""
    return {"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": request_id}


class _Block:
    """A content block on its way: what begins it, and what of it is not told yet."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.start = start
        self.deltas: list[dict[str, str]] = []
        self.begun = False
        self.done = False


class MessagesEncoder:
    """Writes one stream."""

    def __init__(self, request_id: str) -> None:
        self._json = msgspec.json.Encoder()
        self._request_id = request_id
        self._blocks: dict[_Place, _Block] = {}
        self._index = 0
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.TextDelta: self._on_text,
            ev.RefusalDelta: self._on_text,
            ev.ReasoningDelta: self._on_thinking,
            ev.SummaryDelta: self._on_thinking,
            ev.SummaryPartAdded: self._on_summary_part,
            ev.ArgumentsDelta: self._on_arguments,
            ev.ItemAdded: self._on_item,
            ev.ItemDone: self._on_item_done,
            ev.ContentPartDone: self._on_part_done,
        }

    def feed(self, event: Event) -> Iterator[bytes]:
        """Return the frames that the event causes."""
        if (handler := self._handlers.get(type(event))) is not None:
            handler(event)
            yield from self._news()
        match event:
            case ev.ResponseCreated():
                yield self._frame("message_start", message=begun(event.response))
            case ev.ResponseCompleted() | ev.ResponseIncomplete():
                response = event.response
                yield self._frame("message_delta", delta=ending(response), usage=tokens(response.usage))
                yield self._frame("message_stop")
            case ev.ErrorEvent(error=error):
                kind = _ERRORS.get(error.type, "api_error")
                yield self._frame(**error_body(kind, error.message, self._request_id))

    def close(self) -> Iterator[bytes]:
        """Return nothing: the last event ends the stream."""
        yield from ()

    # -- news of blocks -----------------------------------------------------------------------------------------

    def _on_text(self, event: ev.TextDelta | ev.RefusalDelta) -> None:
        if event.delta:
            block = self._block((event.output_index, event.content_index), text_block)
            block.deltas.append({"type": "text_delta", "text": event.delta})

    def _on_thinking(self, event: ev.ReasoningDelta | ev.SummaryDelta) -> None:
        block = self._block((event.output_index, _WHOLE), thinking_block)
        block.deltas.append({"type": "thinking_delta", "thinking": event.delta})

    def _on_summary_part(self, event: ev.SummaryPartAdded) -> None:
        if (block := self._blocks.get((event.output_index, _WHOLE))) is not None:
            block.deltas.append({"type": "thinking_delta", "thinking": "\n\n"})

    def _on_arguments(self, event: ev.ArgumentsDelta) -> None:
        block = self._blocks[event.output_index, _WHOLE]
        block.deltas.append({"type": "input_json_delta", "partial_json": event.delta})

    def _on_item(self, event: ev.ItemAdded) -> None:
        item = event.item
        if isinstance(item, FunctionCall):
            self._block((event.output_index, _WHOLE), lambda: tool_block(item))

    def _on_part_done(self, event: ev.ContentPartDone) -> None:
        self._end((event.output_index, event.content_index))

    def _on_item_done(self, event: ev.ItemDone) -> None:
        place = (event.output_index, _WHOLE)
        if isinstance(event.item, Reasoning) and (seal := sealed(event.item)):
            block = self._block(place, lambda: redacted_block(seal))
            if block.start["type"] == "thinking":
                block.deltas.append({"type": "signature_delta", "signature": seal})
        self._end(place)

    # -- blocks -------------------------------------------------------------------------------------------------

    def _block(self, place: _Place, start: Callable[[], dict[str, Any]]) -> _Block:
        """Return the block at a place; a new one where there is none."""
        if place not in self._blocks:
            self._blocks[place] = _Block(start())
        return self._blocks[place]

    def _end(self, place: _Place) -> None:
        if place in self._blocks:
            self._blocks[place].done = True

    def _news(self) -> Iterator[bytes]:
        """Yield what may be told now, up to the first block that goes on."""
        for place, block in list(self._blocks.items()):
            if not block.begun:
                block.begun = True
                yield self._frame("content_block_start", index=self._index, content_block=block.start)
            for delta in block.deltas:
                yield self._frame("content_block_delta", index=self._index, delta=delta)
            block.deltas.clear()
            if not block.done:
                return
            yield self._frame("content_block_stop", index=self._index)
            del self._blocks[place]
            self._index += 1

    def _frame(self, type: str, **fields: Any) -> bytes:  # noqa: A002 - the wire's word
        return b"event: %s\ndata: %s\n\n" % (type.encode(), self._json.encode({"type": type, **fields}))
