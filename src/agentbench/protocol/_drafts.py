"""Items while they are being written: each knows how it opens, grows and closes. `EventBuilder` alone uses them.

Each method takes `number`, the builder's counter: a draft never numbers an event itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from msgspec import UNSET

from agentbench.protocol import events as ev
from agentbench.protocol.content import (
    ContentPart,
    LogProb,
    OutputText,
    ReasoningText,
    Refusal,
    SummaryText,
    UrlCitation,
)
from agentbench.protocol.items import FunctionCall, Item, ItemStatus, Message, Reasoning
from agentbench.protocol.values import new_id

__all__ = ["CallDraft", "Cite", "Draft", "MessageDraft", "ReasoningDraft"]

Number = Callable[[], int]
Cite = Callable[[str], Iterable[UrlCitation]]


class Draft(Protocol):
    """An output item that is still open."""

    index: int

    def open(self, number: Number) -> list[ev.Event]:
        """Announce the item."""

    def close(self, number: Number, status: ItemStatus) -> list[ev.Event]:
        """Close the open part, then the item."""

    def item(self, status: ItemStatus) -> Item:
        """Return the item as it stands."""


class MessageDraft:
    """An assistant message: parts of text or refusal, one after the other; `cite` finds what a whole text cites."""

    def __init__(self, index: int, cite: Cite | None = None) -> None:
        self.index = index
        self.id = new_id("msg")
        self._cite = cite
        self._parts: list[ContentPart] = []
        self._kind: type[OutputText | Refusal] | None = None
        self._pieces: list[str] = []
        self._logprobs: list[LogProb] = []
        self._annotations: list[UrlCitation] = []

    def item(self, status: ItemStatus) -> Message:
        return Message(id=self.id, status=status, role="assistant", content=tuple(self._parts))

    def open(self, number: Number) -> list[ev.Event]:
        return [ev.ItemAdded(sequence_number=number(), output_index=self.index, item=self.item("in_progress"))]

    def text(self, number: Number, delta: str, logprobs: tuple[LogProb, ...]) -> list[ev.Event]:
        out = self._turn_to(OutputText, number)
        self._pieces.append(delta)
        self._logprobs.extend(logprobs)
        out.append(
            ev.TextDelta(
                sequence_number=number(),
                item_id=self.id,
                output_index=self.index,
                content_index=len(self._parts),
                delta=delta,
                logprobs=logprobs,
            )
        )
        return out

    def texts(self, number: Number, deltas: list[str]) -> list[ev.Event]:
        out = self._turn_to(OutputText, number)
        self._pieces += deltas
        item_id, output_index, content_index = self.id, self.index, len(self._parts)
        out += [
            ev.TextDelta(
                sequence_number=number(),
                item_id=item_id,
                output_index=output_index,
                content_index=content_index,
                delta=delta,
            )
            for delta in deltas
        ]
        return out

    def refusal(self, number: Number, delta: str) -> list[ev.Event]:
        out = self._turn_to(Refusal, number)
        self._pieces.append(delta)
        out.append(
            ev.RefusalDelta(
                sequence_number=number(),
                item_id=self.id,
                output_index=self.index,
                content_index=len(self._parts),
                delta=delta,
            )
        )
        return out

    def annotation(self, number: Number, annotation: UrlCitation) -> list[ev.Event]:
        out = self._turn_to(OutputText, number)
        self._annotations.append(annotation)
        out.append(
            ev.AnnotationAdded(
                sequence_number=number(),
                item_id=self.id,
                output_index=self.index,
                content_index=len(self._parts),
                annotation_index=len(self._annotations) - 1,
                annotation=annotation,
            )
        )
        return out

    def close(self, number: Number, status: ItemStatus) -> list[ev.Event]:
        out = self._close_part(number)
        out.append(ev.ItemDone(sequence_number=number(), output_index=self.index, item=self.item(status)))
        return out

    def _turn_to(self, kind: type[OutputText | Refusal], number: Number) -> list[ev.Event]:
        if self._kind is kind:
            return []
        out = self._close_part(number)
        self._kind = kind
        empty = OutputText(text="") if kind is OutputText else Refusal(refusal="")
        out.append(
            ev.ContentPartAdded(
                sequence_number=number(),
                item_id=self.id,
                output_index=self.index,
                content_index=len(self._parts),
                part=empty,
            )
        )
        return out

    def _close_part(self, number: Number) -> list[ev.Event]:
        if self._kind is None:
            return []
        whole, logprobs = "".join(self._pieces), tuple(self._logprobs)
        out: list[ev.Event] = []
        if self._cite is not None and self._kind is OutputText:
            out = [event for each in self._cite(whole) for event in self.annotation(number, each)]
        place: dict[str, Any] = {"item_id": self.id, "output_index": self.index, "content_index": len(self._parts)}
        done: ev.Event
        part: OutputText | Refusal
        if self._kind is OutputText:
            part = OutputText(text=whole, annotations=tuple(self._annotations), logprobs=logprobs)
            done = ev.TextDone(sequence_number=number(), text=whole, logprobs=logprobs, **place)
        else:
            part = Refusal(refusal=whole)
            done = ev.RefusalDone(sequence_number=number(), refusal=whole, **place)
        self._parts.append(part)
        self._kind, self._pieces, self._logprobs, self._annotations = None, [], [], []
        return [*out, done, ev.ContentPartDone(sequence_number=number(), part=part, **place)]


class ReasoningDraft:
    """A reasoning item: one part of raw text, summary parts, and perhaps a sealed copy."""

    def __init__(self, index: int, item_id: str | None) -> None:
        self.index = index
        self.id = item_id or new_id("rs")
        self.encrypted: str | None = None
        self._raw: list[str] = []
        self._raw_done = False
        self._summaries: list[ContentPart] = []
        self._summary: list[str] | None = None

    def item(self, status: ItemStatus) -> Reasoning:
        return Reasoning(
            id=self.id,
            status=status,
            summary=tuple(self._summaries),
            content=(ReasoningText(text="".join(self._raw)),) if self._raw_done else UNSET,
            encrypted_content=UNSET if self.encrypted is None else self.encrypted,
        )

    def open(self, number: Number) -> list[ev.Event]:
        return [ev.ItemAdded(sequence_number=number(), output_index=self.index, item=self.item("in_progress"))]

    def raw(self, number: Number, delta: str) -> list[ev.Event]:
        place: dict[str, Any] = {"item_id": self.id, "output_index": self.index, "content_index": 0}
        out: list[ev.Event] = []
        if not self._raw:
            part = ReasoningText(text="")
            out.append(ev.ContentPartAdded(sequence_number=number(), part=part, **place))
        self._raw.append(delta)
        out.append(ev.ReasoningDelta(sequence_number=number(), delta=delta, **place))
        return out

    def summary(self, number: Number, delta: str, *, new_part: bool) -> list[ev.Event]:
        out = self._close_summary(number) if new_part else []
        place: dict[str, Any] = {"item_id": self.id, "output_index": self.index, "summary_index": len(self._summaries)}
        if self._summary is None:
            self._summary = []
            part = SummaryText(text="")
            out.append(ev.SummaryPartAdded(sequence_number=number(), part=part, **place))
        if delta:
            self._summary.append(delta)
            out.append(ev.SummaryDelta(sequence_number=number(), delta=delta, **place))
        return out

    def close(self, number: Number, status: ItemStatus) -> list[ev.Event]:
        out = self._close_summary(number) + self._close_raw(number)
        out.append(ev.ItemDone(sequence_number=number(), output_index=self.index, item=self.item(status)))
        return out

    def _close_raw(self, number: Number) -> list[ev.Event]:
        if not self._raw:
            return []
        self._raw_done = True
        whole = "".join(self._raw)
        place: dict[str, Any] = {"item_id": self.id, "output_index": self.index, "content_index": 0}
        return [
            ev.ReasoningDone(sequence_number=number(), text=whole, **place),
            ev.ContentPartDone(sequence_number=number(), part=ReasoningText(text=whole), **place),
        ]

    def _close_summary(self, number: Number) -> list[ev.Event]:
        if self._summary is None:
            return []
        part = SummaryText(text="".join(self._summary))
        place: dict[str, Any] = {"item_id": self.id, "output_index": self.index, "summary_index": len(self._summaries)}
        self._summaries.append(part)
        self._summary = None
        return [
            ev.SummaryDone(sequence_number=number(), text=part.text, **place),
            ev.SummaryPartDone(sequence_number=number(), part=part, **place),
        ]


class CallDraft:
    """A function call. It is announced once its name is known; arguments that come earlier wait."""

    def __init__(self, index: int, *, call_id: str | None, name: str) -> None:
        self.index = index
        self.id = new_id("fc")
        self.call_id = call_id or new_id("call")
        self.name = name
        self._pieces: list[str] = []

    def item(self, status: ItemStatus) -> FunctionCall:
        return FunctionCall(
            id=self.id, call_id=self.call_id, name=self.name, arguments="".join(self._pieces), status=status
        )

    def open(self, number: Number) -> list[ev.Event]:
        return [ev.ItemAdded(sequence_number=number(), output_index=self.index, item=self.item("in_progress"))]

    def arguments(self, number: Number, delta: str) -> list[ev.Event]:
        if not delta:
            return []
        self._pieces.append(delta)
        return [ev.ArgumentsDelta(sequence_number=number(), item_id=self.id, output_index=self.index, delta=delta)]

    def close(self, number: Number, status: ItemStatus) -> list[ev.Event]:
        out = [] if self._pieces or status != "completed" else self.arguments(number, "{}")
        whole = "".join(self._pieces)
        out.append(
            ev.ArgumentsDone(sequence_number=number(), item_id=self.id, output_index=self.index, arguments=whole)
        )
        out.append(ev.ItemDone(sequence_number=number(), output_index=self.index, item=self.item(status)))
        return out
