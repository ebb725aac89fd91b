"""The grammar of a stream of Open Responses events, checked with no help from the builder.

Owns what the spec says of order, numbers, ids and wholeness (release 2026-04-24, section 4); says nothing of content.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agentbench.protocol import events as ev
from agentbench.protocol.content import ContentPart, OutputText, ReasoningText, Refusal, SummaryText
from agentbench.protocol.items import FunctionCall, Item, Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.protocol import Event

__all__ = ["check_grammar"]

OPENING = ["response.created", "response.queued", "response.in_progress"]
PART_OF_DELTA: dict[type[Event], type[ContentPart]] = {
    ev.TextDelta: OutputText,
    ev.RefusalDelta: Refusal,
    ev.ReasoningDelta: ReasoningText,
}
PARTS_OF_ITEM: dict[type[Item], tuple[type[ContentPart], ...]] = {
    Message: (OutputText, Refusal),
    Reasoning: (ReasoningText,),
}


def check_grammar(events: list[Event]) -> None:
    """Raise AssertionError, naming the event, if `events` is not one whole and well-formed stream."""
    _check_frame(events)
    output = _Output()
    for number, event in enumerate(events):
        try:
            output.take(event)
        except AssertionError as error:
            raise AssertionError(f"event {number} ({_name(event)}): {error}") from None
    assert isinstance(events[-1], ev.TERMINAL)
    output.check_end(events[-1])


def _name(event: Event) -> str:
    return str(event.__struct_config__.tag)


# -- the frame: what comes first and last, and what is numbered how ---------------------------------------------------


def _check_frame(events: list[Event]) -> None:
    names = [_name(event) for event in events]
    first = 3 if names[1:2] == ["response.queued"] else 2
    assert names[:first] in (OPENING, OPENING[::2]), f"the stream opens with {names[:3]}"
    again = [name for name in names[first:] if name in OPENING]
    assert not again, f"{again} come too late"
    numbers = [event.sequence_number for event in events]
    assert numbers == list(range(len(events))), f"sequence numbers have gaps: {numbers}"
    terminals = [place for place, event in enumerate(events) if isinstance(event, ev.TERMINAL)]
    assert terminals == [len(events) - 1], f"terminal events at {terminals}, of {len(events)} events"
    _check_error(events)
    _check_snapshots(events)


def _check_error(events: list[Event]) -> None:
    for event, following in itertools.pairwise(events):
        if isinstance(event, ev.ErrorEvent):
            assert isinstance(following, ev.ResponseFailed), f"{_name(following)} follows an error"
            error = following.response.error
            assert error is not None, "a failed response without its error"
            told, kept = (event.error.code, event.error.message), (error.code, error.message)
            assert told == kept, f"the error event says {told}, the response {kept}"


def _check_snapshots(events: list[Event]) -> None:
    snapshots = [(_name(event), event.response) for event in events if hasattr(event, "response")]
    births = {(response.id, response.created_at) for _, response in snapshots}
    assert len(births) == 1, f"the response changes its id or its time: {births}"
    queued = snapshots[1][0] == "response.queued"
    for name, response in snapshots:
        status = name.removeprefix("response.")
        assert response.status in _statuses(status, queued=queued), f"{name} with the status {response.status}"
        details = {
            "completed": response.completed_at,
            "failed": response.error,
            "incomplete": response.incomplete_details,
        }
        given = [ending for ending, detail in details.items() if detail is not None]
        wanted = [status] * (name not in OPENING and response.status != "cancelled")
        assert given == wanted, f"{name} with the details of {given}"


def _statuses(status: str, *, queued: bool) -> tuple[str, ...]:
    """Return the statuses of a response in an event; the spec has no event for one that was cancelled."""
    if status == "created":
        return ("queued",) if queued else ("in_progress",)
    return ("incomplete", "cancelled") if status == "incomplete" else (status,)


# -- the items --------------------------------------------------------------------------------------------------------


@dataclass
class _Lane:
    """The parts of one item that come one after the other: its content, or its summary."""

    parts: list[ContentPart] = field(default_factory=list)
    kind: type[ContentPart] | None = None
    deltas: list[str] = field(default_factory=list)
    annotations: list[Any] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)
    whole: str | None = None

    def added(self, index: int, part: ContentPart) -> None:
        assert self.kind is None, "a part begins within another"
        assert index == len(self.parts), f"part {index} begins where part {len(self.parts)} should"
        assert _words(part) == "", "a part begins with words in it"
        self.kind, self.deltas, self.annotations, self.logprobs, self.whole = type(part), [], [], [], None

    def grows(self, index: int, kind: type[ContentPart]) -> None:
        assert self.kind is kind, f"{kind.__name__} grows where {self.kind} is open"
        assert index == len(self.parts), f"part {index} grows while part {len(self.parts)} is open"
        assert self.whole is None, "a part grows after its end"

    def delta(self, index: int, kind: type[ContentPart], delta: str) -> None:
        self.grows(index, kind)
        self.deltas.append(delta)

    def told(self, index: int, kind: type[ContentPart], whole: str) -> None:
        self.grows(index, kind)
        assert whole == "".join(self.deltas), f"the whole {whole!r} is not the deltas {self.deltas}"
        self.whole = whole

    def done(self, index: int, part: ContentPart) -> None:
        assert self.whole is not None, "a part is done before its text is"
        assert (index, type(part)) == (len(self.parts), self.kind), f"another part is done: {index}, {part}"
        assert _words(part) == self.whole, f"the part says {_words(part)!r}, its text {self.whole!r}"
        if isinstance(part, OutputText):
            assert list(part.annotations) == self.annotations, "the part's annotations are not those added"
            assert list(part.logprobs) == self.logprobs, "the part's logprobs are not those of the deltas"
        self.parts.append(part)
        self.kind = None


def _words(part: ContentPart) -> str:
    assert isinstance(part, OutputText | ReasoningText | SummaryText | Refusal), f"not a part of an output: {part}"
    return part.refusal if isinstance(part, Refusal) else part.text


@dataclass
class _Growing:
    """One output item between `added` and `done`."""

    added: Item
    content: _Lane = field(default_factory=_Lane)
    summary: _Lane = field(default_factory=_Lane)
    deltas: list[str] = field(default_factory=list)
    arguments: str | None = None

    @property
    def was_whole(self) -> bool:
        """Whether it came whole, so that nothing but `done` may follow."""
        return getattr(self.added, "status", None) != "in_progress"

    def check_done(self, item: Item) -> None:
        assert type(item) is type(self.added), f"{self.added} became {item}"
        for name in ("id", "call_id", "name", "role"):
            before, after = getattr(self.added, name, None), getattr(item, name, None)
            assert before == after, f"the item's {name} changes from {before!r} to {after!r}"
        assert getattr(item, "status", None) != "in_progress", "a done item is still in progress"
        if self.was_whole:
            assert item == self.added, "an item that came whole changes"
        else:
            self._check_grown(item)

    def _check_grown(self, item: Item) -> None:
        assert self.content.kind is None, "a content part is still open"
        assert self.summary.kind is None, "a summary part is still open"
        if isinstance(item, FunctionCall):
            assert self.arguments is not None, "the arguments are not done"
            assert item.arguments == self.arguments, f"{item.arguments!r} is not what came: {self.arguments!r}"
        else:
            assert list(getattr(item, "content", ()) or ()) == self.content.parts, "the content is not what came"
        if isinstance(item, Reasoning):
            assert list(item.summary) == self.summary.parts, "the summary is not what came"


class _Output:
    """All output items, and what may come for each."""

    def __init__(self) -> None:
        self._growing: dict[int, _Growing] = {}
        self._done: dict[int, Item] = {}

    def take(self, event: Event) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(self, event)
        elif isinstance(event, (*ev.TERMINAL, ev.ErrorEvent)):
            assert not self._growing, f"items {list(self._growing)} are not done"

    def check_end(self, terminal: ev.ResponseCompleted | ev.ResponseFailed | ev.ResponseIncomplete) -> None:
        done = tuple(self._done[index] for index in sorted(self._done))
        assert terminal.response.output == done, "the response's output is not the done items"
        assert len({item.id for item in done}) == len(done), "two items have the same id"
        call_ids = [item.call_id for item in done if isinstance(item, FunctionCall)]
        assert len(set(call_ids)) == len(call_ids), f"two calls have the same call_id: {call_ids}"
        if isinstance(terminal, ev.ResponseCompleted):
            assert all(getattr(item, "status", None) != "incomplete" for item in done), "incomplete, yet completed"

    def _added(self, event: ev.ItemAdded) -> None:
        place = len(self._growing) + len(self._done)
        assert event.output_index == place, f"item {event.output_index} is added where item {place} should be"
        item = self._growing[place] = _Growing(event.item)
        if not item.was_whole:
            for name in ("content", "summary", "arguments"):
                assert not getattr(event.item, name, None), f"an item begins with {name}"

    def _item_done(self, event: ev.ItemDone) -> None:
        assert event.output_index in self._growing, f"item {event.output_index} is not open"
        self._growing.pop(event.output_index).check_done(event.item)
        self._done[event.output_index] = event.item

    def _item(self, event: Any) -> _Growing:
        """Return the open item that the event is about."""
        assert event.output_index in self._growing, f"item {event.output_index} is not open"
        item = self._growing[event.output_index]
        assert event.item_id == item.added.id, f"{event.item_id} is not the item's id, {item.added.id}"
        assert not item.was_whole, "news of an item that came whole"
        return item

    def _part_added(self, event: ev.ContentPartAdded) -> None:
        item = self._item(event)
        assert isinstance(event.part, PARTS_OF_ITEM.get(type(item.added), ())), f"{event.part} in {item.added}"
        item.content.added(event.content_index, event.part)

    def _part_done(self, event: ev.ContentPartDone) -> None:
        self._item(event).content.done(event.content_index, event.part)

    def _delta(self, event: ev.TextDelta | ev.RefusalDelta | ev.ReasoningDelta) -> None:
        lane = self._item(event).content
        lane.delta(event.content_index, PART_OF_DELTA[type(event)], event.delta)
        lane.logprobs.extend(getattr(event, "logprobs", ()))

    def _annotation(self, event: ev.AnnotationAdded) -> None:
        lane = self._item(event).content
        lane.grows(event.content_index, OutputText)
        assert event.annotation_index == len(lane.annotations), f"annotation {event.annotation_index} is out of turn"
        lane.annotations.append(event.annotation)

    def _text_done(self, event: ev.TextDone) -> None:
        lane = self._item(event).content
        lane.told(event.content_index, OutputText, event.text)
        assert list(event.logprobs) == lane.logprobs, "the logprobs are not those of the deltas"

    def _refusal_done(self, event: ev.RefusalDone) -> None:
        self._item(event).content.told(event.content_index, Refusal, event.refusal)

    def _reasoning_done(self, event: ev.ReasoningDone) -> None:
        self._item(event).content.told(event.content_index, ReasoningText, event.text)

    def _summary_added(self, event: ev.SummaryPartAdded) -> None:
        item = self._item(event)
        assert isinstance(item.added, Reasoning), f"a summary of {item.added}"
        assert isinstance(event.part, SummaryText), f"{event.part} in a summary"
        item.summary.added(event.summary_index, event.part)

    def _summary_delta(self, event: ev.SummaryDelta) -> None:
        self._item(event).summary.delta(event.summary_index, SummaryText, event.delta)

    def _summary_told(self, event: ev.SummaryDone) -> None:
        self._item(event).summary.told(event.summary_index, SummaryText, event.text)

    def _summary_done(self, event: ev.SummaryPartDone) -> None:
        self._item(event).summary.done(event.summary_index, event.part)

    def _arguments_delta(self, event: ev.ArgumentsDelta) -> None:
        item = self._item(event)
        assert isinstance(item.added, FunctionCall), f"arguments of {item.added}"
        assert item.arguments is None, "arguments grow after their end"
        item.deltas.append(event.delta)

    def _arguments_done(self, event: ev.ArgumentsDone) -> None:
        item = self._item(event)
        assert isinstance(item.added, FunctionCall), f"arguments of {item.added}"
        assert item.arguments is None, "arguments are done twice"
        assert event.arguments == "".join(item.deltas), f"{event.arguments!r} is not the deltas {item.deltas}"
        item.arguments = event.arguments

    _handlers: dict[type[Any], Callable[[_Output, Any], None]] = {
        ev.ItemAdded: _added,
        ev.ItemDone: _item_done,
        ev.ContentPartAdded: _part_added,
        ev.ContentPartDone: _part_done,
        ev.TextDelta: _delta,
        ev.RefusalDelta: _delta,
        ev.ReasoningDelta: _delta,
        ev.AnnotationAdded: _annotation,
        ev.TextDone: _text_done,
        ev.RefusalDone: _refusal_done,
        ev.ReasoningDone: _reasoning_done,
        ev.SummaryPartAdded: _summary_added,
        ev.SummaryPartDone: _summary_done,
        ev.SummaryDelta: _summary_delta,
        ev.SummaryDone: _summary_told,
        ev.ArgumentsDelta: _arguments_delta,
        ev.ArgumentsDone: _arguments_done,
    }
