"""From an upstream's Responses events to ours.

Upstreams differ from the spec and from each other (no sequence numbers, indexes that collide, ids that change, whole
items with no deltas, items that are done late), so nothing of their bookkeeping is trusted: a table of small handlers,
one an event type, tells the builder what is new.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from agentbench.providers.frames import FrameDecoder, read_together
from agentbench.providers.mask import shown
from agentbench.providers.responses_frames import (
    Frame,
    WholeItem,
    WholePart,
    WholeResponse,
    citation,
    log_probs,
    read_item,
    usage,
)
from agentbench.providers.sse import SSEDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from agentbench.protocol import Event, EventBuilder

__all__ = ["ResponsesDecoder"]

_LATEST = "the latest call"
_TEXT = "response.output_text.delta"


class ResponsesDecoder(FrameDecoder):
    """Reads a Responses upstream's server-sent stream, or its whole answer."""

    def __init__(self, builder: EventBuilder) -> None:
        super().__init__(builder, SSEDecoder())
        self._json = msgspec.json.Decoder(Frame)
        self._before = len(builder.output)
        self._current = ""  # the kind of the item that is open
        self._spoke: set[str] = set()  # kinds of items whose latest one came in deltas
        self._calls = _Calls()
        self._summary: int | None = None

    def _frames(self, frames: list[bytes]) -> list[Event]:
        read = None if self._builder.outcome == "failed" else read_together(frames, self._json)
        if read is None:
            return super()._frames(frames)
        out: list[Event] = []
        texts: list[str] = []
        for data, frame in zip(frames, read, strict=True):
            if frame.type == _TEXT and not frame.logprobs:  # as mostly
                texts.append(frame.text)
                continue
            out += self._texts(texts)
            texts = []
            out += super()._frames([data])
            if self._builder.outcome == "failed":
                return out
        return out + self._texts(texts)

    def _texts(self, texts: list[str]) -> list[Event]:
        if not texts:
            return []
        self._speaks("message")
        return self._builder.texts(texts)

    def _frame(self, data: bytes) -> list[Event]:
        if self._builder.outcome == "failed" or data == b"[DONE]":
            return []
        frame = self._json.decode(data)
        if frame.object == "response":
            return self._ended(Frame(response=msgspec.Raw(data)))
        handler = self._handlers.get(frame.type or ("error" if frame.error else ""))
        return [] if handler is None else handler(self, frame)

    # -- handlers, one an event type ---------------------------------------------------------------------------

    def _item_added(self, frame: Frame) -> list[Event]:
        item = read_item(frame.item)
        if item is None:
            return []
        if item.type == "function_call":
            key = self._calls.begun(item, frame.output_index)
            return self._call(key, item)
        self._spoke.discard(item.type)
        out = self._builder.end_item()
        self._current, self._summary = item.type, None
        return out + self._builder.reasoning_begins(item.id) if item.type == "reasoning" else out

    def _text(self, frame: Frame) -> list[Event]:
        self._speaks("message")
        return self._builder.text(frame.text, logprobs=log_probs(frame.logprobs))

    def _refusal(self, frame: Frame) -> list[Event]:
        self._speaks("message")
        return self._builder.refusal(frame.text)

    def _annotation(self, frame: Frame) -> list[Event]:
        found = citation(frame.annotation or {})
        return [] if found is None else self._builder.annotation(found)

    def _reasoning(self, frame: Frame) -> list[Event]:
        self._speaks("reasoning")
        return self._builder.reasoning(frame.text)

    def _reasoning_summary(self, frame: Frame) -> list[Event]:
        self._speaks("reasoning")
        index = frame.summary_index or 0
        is_next = self._summary is not None and index != self._summary
        self._summary = index
        return self._builder.reasoning_summary(frame.text, new_part=is_next)

    def _arguments(self, frame: Frame) -> list[Event]:
        key = self._calls.find(frame.item_id, frame.output_index, _LATEST)
        self._calls.argued.add(key)
        return [] if key in self._calls.done else self._builder.call(key, arguments=frame.text)

    def _arguments_done(self, frame: Frame) -> list[Event]:
        key = self._calls.find(frame.item_id, frame.output_index, _LATEST)
        return self._call(key, WholeItem(arguments=frame.arguments))

    def _item_done(self, frame: Frame) -> list[Event]:
        item = read_item(frame.item)
        return [] if item is None else self._whole_item(item, frame.output_index)

    def _ended(self, frame: Frame) -> list[Event]:
        response = msgspec.json.decode(frame.response, type=WholeResponse)
        out: list[Event] = []
        if len(self._builder.output) == self._before:
            for index, raw in enumerate(response.output or ()):
                if (item := read_item(raw)) is not None:
                    out += self._whole_item(item, index)
        if (told := usage(response.usage)) is not None:
            self._builder.usage(told)
        self._settle({frame.type.removeprefix("response."), response.status}, response)
        return out

    def _settle(self, endings: set[str | None], response: WholeResponse) -> None:
        if "failed" in endings:
            self._fail(Frame(error=response.error))
        elif "incomplete" in endings:
            details = response.incomplete_details
            self._builder.cut(details.reason if details and details.reason else "max_output_tokens")
        else:
            self._builder.stop()

    def _fail(self, frame: Frame) -> list[Event]:
        error = frame.error if isinstance(frame.error, dict) else {"message": frame.error or frame.message}
        said = shown(error.get("message") or "no reason given")
        self._builder.fail(f"The upstream broke off: {said}", code="upstream_error", kind="upstream_error")
        return []

    # -- items that come whole ---------------------------------------------------------------------------------

    def _speaks(self, kind: str) -> None:
        self._current = kind
        self._spoke.add(kind)

    def _call(self, key: int, item: WholeItem) -> list[Event]:
        """Tell of a call, with its arguments unless they came already."""
        if key in self._calls.done:
            return []
        arguments = item.arguments or ""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        if key in self._calls.argued:
            arguments = ""
        elif arguments:
            self._calls.argued.add(key)
        return self._builder.call(key, name=item.name or "", call_id=item.call_id, arguments=arguments)

    def _whole_item(self, item: WholeItem, index: int | None) -> list[Event]:
        """Tell what the deltas of a finished item left out, then close it; an incomplete one is closed at the end."""
        if item.type == "function_call":
            return self._whole_call(item, index)
        out: list[Event] = []
        if item.type not in self._spoke:
            self._current = item.type
            out += self._whole_message(item) if item.type == "message" else self._whole_reasoning(item)
        self._spoke.discard(item.type)
        if self._current != item.type:  # done late: the next item is open already
            return out
        if item.type == "reasoning" and item.encrypted_content:
            out += self._builder.reasoning_sealed(item.encrypted_content)
        return out if item.status == "incomplete" else out + self._builder.end_item()

    def _whole_call(self, item: WholeItem, index: int | None) -> list[Event]:
        key = self._calls.ended(item, index)
        out = self._call(key, item)
        self._calls.done.add(key)
        return out if item.status == "incomplete" else out + self._builder.call_done(key)

    def _whole_message(self, item: WholeItem) -> list[Event]:
        out: list[Event] = []
        for part in item.content or ():
            out += self._builder.refusal(part.refusal or "")
            out += self._builder.text(part.text or "", logprobs=log_probs(part.logprobs))
            out += self._annotations(part)
        return out

    def _annotations(self, part: WholePart) -> list[Event]:
        out: list[Event] = []
        for raw in part.annotations or ():
            if (found := citation(raw)) is not None:
                out += self._builder.annotation(found)
        return out

    def _whole_reasoning(self, item: WholeItem) -> list[Event]:
        out = self._builder.reasoning_begins(item.id)
        for part in item.content or ():
            out += self._builder.reasoning(part.text or "")
        for part in item.summary or ():
            out += self._builder.reasoning_summary(part.text or "", new_part=True)
        return out

    _handlers: ClassVar[dict[str, Callable[[ResponsesDecoder, Frame], list[Event]]]] = {
        "response.output_item.added": _item_added,
        "response.output_item.done": _item_done,
        _TEXT: _text,
        "response.output_text.annotation.added": _annotation,
        "response.refusal.delta": _refusal,
        "response.reasoning.delta": _reasoning,
        "response.reasoning_text.delta": _reasoning,
        "response.reasoning_summary_text.delta": _reasoning_summary,
        "response.function_call_arguments.delta": _arguments,
        "response.function_call_arguments.done": _arguments_done,
        "response.completed": _ended,
        "response.incomplete": _ended,
        "response.failed": _ended,
        "error": _fail,
    }


class _Calls:
    """Tells calls apart, by whichever of an upstream's names for a call holds still: item id, call id or index."""

    def __init__(self) -> None:
        self.argued: set[int] = set()  # keys of calls whose arguments have come
        self.done: set[int] = set()
        self._keys: dict[Hashable, int] = {}
        self._count = 0

    def begun(self, item: WholeItem, index: int | None) -> int:
        """Return the key of a call that begins; its index may have been another's."""
        self._keys.pop(index, None)
        return self.find(item.id, item.call_id, index)

    def ended(self, item: WholeItem, index: int | None) -> int:
        """Return the key of a call that is whole; its index may become another's."""
        key = self.find(item.id, item.call_id, index)
        self._keys.pop(index, None)
        return key

    def find(self, *names: Hashable) -> int:
        """Return the key that goes with the first name that is known, or a new one."""
        key = next((self._keys[name] for name in names if name in self._keys), None)
        if key is None:
            key = self._count = self._count + 1
        self._keys |= {name: key for name in (*names, _LATEST) if name is not None}
        return key
