"""The output items of a stream, and what may come for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from agentbench.protocol.grammar.lanes import Lane, Part, Words
from agentbench.protocol.grammar.places import Places
from agentbench.protocol.grammar.report import same, shown
from agentbench.protocol.grammar.shapes import check_item, check_part, has_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.protocol.grammar.report import Report

__all__ = ["Output"]

_Object = dict[str, Any]
_GROWING = ("content", "summary", "arguments")
_SUMMARY = "response.reasoning_summary"
_STABLE = ("type", "role", "call_id", "name")
_HOLDS = {
    "content": ("message", "reasoning"),
    "summary": ("reasoning",),
    "arguments": ("function_call",),
}
"""The types of the items that have a thing that grows."""


class _Item:
    """One output item between `added` and `done`; `seen` is false where its beginning wasn't."""

    def __init__(self, raw: _Object, *, seen: bool = True) -> None:
        self.raw = raw
        self.seen = seen
        self.kind = raw.get("type")
        self.whole = seen and raw.get("status") in ("completed", "incomplete")
        self.content = Lane("content")
        self.summary = Lane("summary")
        self.arguments = Words(seen=seen)
        self.done: _Object | None = None


class Output:
    """All output items."""

    def __init__(self, report: Report) -> None:
        self.places = Places()
        self._report = report
        self._items: dict[int, _Item] = {}
        self._next = 0
        self._ids: dict[str, set[str]] = {"id": set(), "call_id": set()}
        self._incomplete: int | None = None

    def take(self, kind: str, event: _Object) -> None:
        """Take an event; one that is about no item, or lacks what can't be worked out, is passed over."""
        if (handler := self._handlers.get(kind)) is not None and has_keys(kind, event):
            handler(self, event)

    @property
    def begun(self) -> bool:
        """Whether an item was added."""
        return bool(self._items)

    # -- items --------------------------------------------------------------------------------------------------

    def _added(self, event: _Object) -> None:
        index, raw, report = event["output_index"], event["item"], self._report
        check_item(raw, "item", report)
        self.places.note(event)
        known = self._items.get(index)
        if index != self._next and not (known is not None and not known.seen):
            report.add("output-index", f"An item is added at output_index {shown(index)}, expected {self._next}.")
        self._next = max(self._next, index + 1)
        if self._incomplete is not None:
            report.add(
                "incomplete-item-last", f"Item {index} begins after item {self._incomplete}, which is incomplete."
            )
        self._note_ids(raw)
        if raw.get("status") == "in_progress" and (early := [key for key in _GROWING if raw.get(key)]):
            report.add("item-begins-empty", f"Item {index} is in progress and has {', '.join(early)} already.")
        self._items[index] = _Item(raw)

    def _note_ids(self, raw: _Object) -> None:
        for key, rule in (("id", "item-ids-unique"), ("call_id", "call-ids-unique")):
            value = raw.get(key)
            if not isinstance(value, str) or (key == "call_id" and raw.get("type") != "function_call"):
                continue
            if value in self._ids[key]:
                self._report.add(rule, f"The {key} {shown(value)} was another item's already.")
            self._ids[key].add(value)

    def _done(self, event: _Object) -> None:
        index, raw, report = event["output_index"], event["item"], self._report
        check_item(raw, "item", report)
        item = self._find(index, raw.get("id"))
        if item is None:
            return
        item.done = raw
        if raw.get("status") == "in_progress":
            report.add("item-done-status", f"Item {index} is done, yet its status is in_progress.")
        elif raw.get("status") == "incomplete":
            self._incomplete = index
        if not item.seen:
            return
        for key in _STABLE:
            if not same(item.raw.get(key), raw.get(key)):
                report.differs("item-kind-stable", f"item {index} {key}", item.raw.get(key), raw.get(key))
        self._compare(index, item, raw)

    def _compare(self, index: int, item: _Item, raw: _Object) -> None:
        if item.whole:
            if not same(item.raw, raw):
                self._report.add(
                    "whole-item-final", f"Item {index} was added as a whole, and is done with other values."
                )
        elif raw.get("type") == "function_call":
            self._compare_arguments(index, item, raw)
        elif raw.get("type") in ("message", "reasoning"):
            item.content.close(raw.get("content"), self._report)
            item.summary.close(raw.get("summary"), self._report)

    def _compare_arguments(self, index: int, item: _Item, raw: _Object) -> None:
        told, final = item.arguments.told, raw.get("arguments")
        if told is None:
            self._report.add("arguments-done", f"Call {index} is done before its arguments were told whole.")
        elif told != final:
            self._report.differs("arguments-equal-done", f"call {index} arguments", told, final)

    def _find(self, index: int, item_id: object) -> _Item | None:
        """Return an open item; one that was never added is reported once, and taken as if it were."""
        item, report = self._items.get(index), self._report
        if item is None:
            report.add("item-added-first", f"Item {shown(index)} was not added before.")
            item = self._items[index] = _Item({"id": item_id}, seen=False)
            self._next = max(self._next, index + 1)
        if item.done is not None:
            report.add("nothing-after-item-done", f"Item {index} was done already.")
            return None
        if not same(item_id, item.raw.get("id")):
            report.differs("item-id-stable", f"item {index} id", item.raw.get("id"), item_id)
        return item

    # -- what items are made of ---------------------------------------------------------------------------------

    def _growing(self, event: _Object, what: str) -> _Item | None:
        """Return the open item that something comes for."""
        item = self._find(event["output_index"], event["item_id"])
        if item is None:
            return None
        index = event["output_index"]
        if isinstance(item.kind, str) and item.kind not in _HOLDS[what] and ":" not in item.kind:
            self._report.add("events-fit-item", f"Item {index} is a {shown(item.kind)}, which has no {what}.")
        if item.whole:
            self._report.add("whole-item-final", f"Item {index} was added as a whole, and still grows.")
            item.whole = False
        return item

    def _lane(self, event: _Object) -> tuple[Lane, int] | None:
        name = "summary" if event["type"].startswith(_SUMMARY) else "content"
        item = self._growing(event, name)
        if item is None:
            return None
        return (item.summary, event["summary_index"]) if name == "summary" else (item.content, event["content_index"])

    def _part(self, event: _Object) -> tuple[Part, str] | None:
        found = self._lane(event)
        if found is None:
            return None
        lane, index = found
        part = lane.find(index, self._report)
        return None if part is None else (part, lane.label(index))

    def _part_added(self, event: _Object) -> None:
        check_part(event["part"], "part", self._report)
        if (found := self._lane(event)) is not None:
            found[0].added(found[1], event["part"], self._report)

    def _part_done(self, event: _Object) -> None:
        check_part(event["part"], "part", self._report)
        if (found := self._part(event)) is not None:
            found[0].finish(event["part"], found[1], self._report)

    def _delta(self, event: _Object, kind: str) -> None:
        if (found := self._part(event)) is not None:
            part, label = found
            part.check_kind(kind, label, self._report)
            part.words.delta(event["delta"], label, self._report)

    def _words_done(self, event: _Object, kind: str) -> None:
        if (found := self._part(event)) is not None:
            part, label = found
            part.check_kind(kind, label, self._report)
            words = event["refusal" if kind == "refusal" else "text"]
            part.words.whole(words, label, "text-done", self._report)

    def _annotation(self, event: _Object) -> None:
        if (found := self._part(event)) is not None:
            part, label = found
            part.check_kind("output_text", label, self._report)
            if event["annotation_index"] != len(part.annotations):
                at, expected = shown(event["annotation_index"]), len(part.annotations)
                self._report.add("annotation-index", f"{label}: expected annotation {expected}, got {at}.")
            part.annotations.append(event["annotation"])

    def _arguments(self, event: _Object) -> None:
        if (item := self._growing(event, "arguments")) is not None:
            item.arguments.delta(event["delta"], f"call {event['output_index']} arguments", self._report)

    def _arguments_done(self, event: _Object) -> None:
        if (item := self._growing(event, "arguments")) is not None:
            what = f"call {event['output_index']} arguments"
            item.arguments.whole(event["arguments"], what, "arguments-done", self._report)

    # -- the end ------------------------------------------------------------------------------------------------

    def check_end(self, response: _Object) -> None:
        """Compare the last response with the items that came."""
        report = self._report
        if waiting := [index for index, item in self._items.items() if item.done is None]:
            report.add("items-done", f"Items {', '.join(map(str, waiting[:8]))} are not done.")
        if self._incomplete is not None and response.get("status") == "completed":
            report.add("incomplete-item", f"Item {self._incomplete} is incomplete, yet the response is completed.")
        output = response.get("output")
        if not isinstance(output, list | tuple):
            return
        items = [self._items[index] for index in sorted(self._items)]
        for index, raw in enumerate(output):
            done = items[index].done if index < len(items) else None
            if done is None or not same(done, raw):
                self._check_last(index, raw, came=done is not None)
        if len(output) < len(items):
            report.add("output-equals-items", f"{len(items)} items came, the response has {len(output)}.")

    def _check_last(self, index: int, raw: object, *, came: bool) -> None:
        what = "is not as it was done" if came else "never came as an item that is done"
        self._report.add("output-equals-items", f"response output[{index}] {what}.")
        if isinstance(raw, dict):
            check_item(raw, f"response output[{index}]", self._report)
        else:
            self._report.add("key-types", f"response output[{index}]: expected an object, got {shown(raw)}.")

    _handlers: ClassVar[dict[str, Callable[[Output, _Object], None]]] = {
        "response.output_item.added": _added,
        "response.output_item.done": _done,
        "response.content_part.added": _part_added,
        "response.content_part.done": _part_done,
        "response.output_text.delta": lambda self, event: self._delta(event, "output_text"),
        "response.output_text.done": lambda self, event: self._words_done(event, "output_text"),
        "response.output_text.annotation.added": _annotation,
        "response.refusal.delta": lambda self, event: self._delta(event, "refusal"),
        "response.refusal.done": lambda self, event: self._words_done(event, "refusal"),
        "response.reasoning.delta": lambda self, event: self._delta(event, "reasoning"),
        "response.reasoning.done": lambda self, event: self._words_done(event, "reasoning"),
        "response.reasoning_summary_part.added": _part_added,
        "response.reasoning_summary_part.done": _part_done,
        "response.reasoning_summary_text.delta": lambda self, event: self._delta(event, "summary"),
        "response.reasoning_summary_text.done": lambda self, event: self._words_done(event, "summary"),
        "response.function_call_arguments.delta": _arguments,
        "response.function_call_arguments.done": _arguments_done,
    }
