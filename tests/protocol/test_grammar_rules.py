"""Each rule of the grammar, with a stream that breaks it; and what the check makes of garbage."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.protocol.streams import full_stream

from agentbench.protocol import CreateResponse, EventBuilder, Usage, draft
from agentbench.protocol.grammar import RULES, Violation, check, rules_table

if TYPE_CHECKING:
    from collections.abc import Callable

Events = list[dict[str, Any]]

FULL: Events = [msgspec.json.decode(msgspec.json.encode(event)) for event in full_stream()]
TEXT, CALL, ARGUMENTS = "response.output_text", "function_call", "response.function_call_arguments"
ADDED, DONE, PART = "response.output_item.added", "response.output_item.done", "response.content_part"
CREATED, RUNNING, QUEUED = "response.created", "response.in_progress", "response.queued"
COMPLETED = "response.completed"


def stream() -> Events:
    """Return a fresh copy of a good stream with every kind of item."""
    copy: Events = msgspec.json.decode(msgspec.json.encode(FULL))
    return copy


def place(events: Events, kind: str, item: str | None = None) -> int:
    """Return the place of the first event of a kind, about an item of a type if one is named."""
    return next(
        index
        for index, event in enumerate(events)
        if event["type"] == kind and (item is None or event["item"]["type"] == item)
    )


def numbered(events: Events) -> Events:
    """Return the events with sequence numbers that have no gap."""
    return [event | {"sequence_number": number} for number, event in enumerate(events)]


def edited(kind: str, item: str | None = None, /, **changes: Any) -> Events:
    """Return the stream with keys of the first event of a kind changed."""
    events = stream()
    events[place(events, kind, item)] |= changes
    return events


def within(kind: str, key: str, item: str | None = None, /, **changes: Any) -> Events:
    """Return the stream with keys of an object in the first event of a kind changed."""
    events = stream()
    events[place(events, kind, item)][key] |= changes
    return events


def without(kind: str, item: str | None = None) -> Events:
    """Return the stream without the first event of a kind."""
    events = stream()
    del events[place(events, kind, item)]
    return numbered(events)


def twice(kind: str, item: str | None = None) -> Events:
    """Return the stream with the first event of a kind twice."""
    events = stream()
    index = place(events, kind, item)
    return numbered([*events[: index + 1], *events[index:]])


def cut_short(kind: str, **changes: Any) -> Events:
    """Return the stream with its last event made into one of another kind."""
    events = stream()
    events[-1]["type"] = kind
    events[-1]["response"] |= {"status": kind.removeprefix("response."), "completed_at": None, **changes}
    return events


def with_error(*, failed: bool) -> Events:
    """Return the stream with an error before its last event."""
    error = {"type": "error", "error": {"type": "t", "code": "c", "message": "m", "param": None}}
    events = cut_short("response.failed", error={"code": "c", "message": "m"}) if failed else stream()
    return numbered([*events[:-1], error, events[-1]])


def same_ids(key: str, *items: str) -> Events:
    """Return the stream with the id of its first item of a type given to the next."""
    events = stream()
    indexes = [index for index, event in enumerate(events) if event["type"] == ADDED and event["item"]["type"] in items]
    events[indexes[1]]["item"][key] = events[indexes[0]]["item"][key]
    return events


def usage(**changes: Any) -> Events:
    """Return the stream with other tokens."""
    events = stream()
    events[-1]["response"]["usage"] |= changes
    return events


def after(kind: str, *moved: str, item: str | None = None) -> Events:
    """Return the stream with the first events of some kinds moved behind the first of another."""
    events = stream()
    taken = [events.pop(place(events, each)) for each in moved]
    index = place(events, kind, item) + 1
    return numbered(events[:index] + taken + events[index:])


def arguments_of_a_thought() -> Events:
    """Return the stream with arguments where an item of reasoning is open."""
    events = stream()
    index = place(events, f"{PART}.added")
    delta = {key: events[index][key] for key in ("item_id", "output_index")} | {"delta": "{"}
    return numbered([*events[:index], {"type": f"{ARGUMENTS}.delta", **delta}, *events[index:]])


BAD: dict[str, Callable[[], Any]] = {
    "event-object": lambda: [*stream()[:-1], "response.completed", stream()[-1]],
    "known-type": lambda: edited(f"{TEXT}.delta", type="response.output_text.more"),
    "required-keys": lambda: [{k: v for k, v in event.items() if k != "item_id"} for event in stream()],
    "key-types": lambda: edited(f"{TEXT}.delta", delta=5),
    "known-values": lambda: within(COMPLETED, "response", truncation="sometimes"),
    "ids-not-empty": lambda: within(ADDED, "item", CALL, name=""),
    "sequence-numbers": lambda: edited(f"{TEXT}.delta", sequence_number=999),
    "created-first": lambda: without(CREATED),
    "lifecycle-order": lambda: without(RUNNING),
    "one-terminal": lambda: stream()[:-1],
    "nothing-after-terminal": lambda: after(COMPLETED, f"{TEXT}.delta"),
    "status-fits-event": lambda: within(COMPLETED, "response", status="failed"),
    "response-stable": lambda: within(RUNNING, "response", id="resp_other"),
    "output-empty-at-first": lambda: within(RUNNING, "response", output=[{"type": "message"}]),
    "times-in-seconds": lambda: within(RUNNING, "response", created_at=1_700_000_000_000),
    "completed-at": lambda: within(COMPLETED, "response", completed_at=None),
    "error-when-failed": lambda: cut_short("response.failed"),
    "details-when-incomplete": lambda: cut_short("response.incomplete"),
    "usage-sum": lambda: usage(total_tokens=1),
    "usage-parts": lambda: usage(input_tokens_details={"cached_tokens": 99}),
    "error-then-failed": lambda: with_error(failed=False),
    "known-items": lambda: within(ADDED, "item", type="thought"),
    "item-statuses": lambda: within(ADDED, "item", CALL, status="searching"),
    "output-index": lambda: edited(ADDED, CALL, output_index=7),
    "item-added-first": lambda: without(ADDED, CALL),
    "item-begins-empty": lambda: within(ADDED, "item", CALL, arguments="{}"),
    "whole-item-final": lambda: within(DONE, "item", "function_call_output", output="Sun"),
    "item-ids-unique": lambda: same_ids("id", CALL),
    "call-ids-unique": lambda: same_ids("call_id", CALL),
    "item-id-stable": lambda: edited(f"{TEXT}.delta", item_id="msg_other"),
    "item-kind-stable": lambda: within(DONE, "item", CALL, name="other"),
    "events-fit-item": arguments_of_a_thought,
    "item-done-status": lambda: within(DONE, "item", CALL, status="in_progress"),
    "nothing-after-item-done": lambda: after(DONE, f"{ARGUMENTS}.delta", item=CALL),
    "items-done": lambda: without(DONE, CALL),
    "incomplete-item-last": lambda: within(DONE, "item", "message", status="incomplete"),
    "incomplete-item": lambda: within(DONE, "item", CALL, status="incomplete"),
    "output-equals-items": lambda: within(COMPLETED, "response", output=[]),
    "part-index": lambda: edited(f"{PART}.added", content_index=3),
    "part-added-first": lambda: without(f"{PART}.added"),
    "part-begins-empty": lambda: within(f"{PART}.added", "part", text="Well, "),
    "deltas-fit-part": lambda: edited(f"{TEXT}.delta", type="response.refusal.delta"),
    "nothing-after-text-done": lambda: after(f"{TEXT}.done", f"{TEXT}.delta"),
    "text-done": lambda: without(f"{TEXT}.done"),
    "deltas-equal-done": lambda: edited(f"{TEXT}.done", text="Busan"),
    "part-kind-stable": lambda: within(f"{PART}.done", "part", type="output_text", annotations=[]),
    "part-equals-done": lambda: within(f"{PART}.done", "part", text="other"),
    "nothing-after-part-done": lambda: after(f"{PART}.done", "response.reasoning.done"),
    "parts-done": lambda: without(f"{PART}.done"),
    "item-equals-parts": lambda: within(DONE, "item", "message", content=[]),
    "annotation-index": lambda: edited(f"{TEXT}.annotation.added", annotation_index=4),
    "annotations-kept": lambda: edited(f"{TEXT}.annotation.added", annotation=None),
    "arguments-done": lambda: without(f"{ARGUMENTS}.done"),
    "arguments-equal-done": lambda: within(DONE, "item", CALL, arguments="{}"),
}


def broken(events: Any) -> set[str]:
    """Return the names of the rules that a stream breaks."""
    return {violation.rule for violation in check(events)}


def test_a_good_stream() -> None:
    """A stream of the builder's, with every kind of item, breaks no rule."""
    assert check(stream()) == ()


def test_every_rule_has_its_stream() -> None:
    """The table below has a stream for each rule, and rules have one name each."""
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))
    assert list(BAD) == names


@pytest.mark.parametrize("rule", BAD)
def test_a_stream_that_breaks_a_rule(rule: str) -> None:
    """The rule is named, with the event, and all that is said is about rules that there are."""
    found = check(BAD[rule]())
    assert rule in {violation.rule for violation in found}
    assert {violation.rule for violation in found} <= set(BAD)
    assert all(violation.message.endswith(".") for violation in found)


def test_what_is_said() -> None:
    """A violation tells the event, what was expected and what came."""
    events = edited(f"{TEXT}.delta", sequence_number=999)
    at = place(events, f"{TEXT}.delta")
    assert check(events)[0] == Violation(
        rule="sequence-numbers", index=at, message=f"sequence_number: expected {at}, got 999."
    )


def test_a_missing_beginning_is_told_once() -> None:
    """An item that was never added is one violation, not one for each of its events."""
    events = without(ADDED, "message")
    assert [violation.rule for violation in check(events)].count("item-added-first") == 1


def test_other_rules_stay_quiet() -> None:
    """A value that changes within an event breaks one rule only."""
    assert broken(edited(f"{TEXT}.delta", item_id="msg_other")) == {"item-id-stable"}
    assert broken(usage(total_tokens=1)) == {"usage-sum"}
    assert broken(within(COMPLETED, "response", completed_at=None)) == {"completed-at"}


def test_an_extension() -> None:
    """Events, items and keys of extensions are allowed; an own event needs its number."""
    events = stream()
    own = {"type": "acme:progress", "percent": 5}
    assert check(numbered([*events[:5], own, *events[5:]])) == ()
    assert broken([*events[:5], own, *numbered(events)[5:]]) == {"required-keys", "sequence-numbers"}
    events[0]["response"]["acme"] = True
    assert check(events) == ()


def test_an_error_and_its_failure() -> None:
    """An error that response.failed follows is as it should be."""
    assert broken(with_error(failed=True)) == set()
    assert "error-then-failed" in broken(with_error(failed=True)[:-1])


def test_no_events() -> None:
    """Nothing at all lacks its first and its last event."""
    assert broken([]) == {"created-first", "one-terminal"}


def test_indexes_that_are_left_out() -> None:
    """A server without indexes and numbers breaks that rule alone: what it says is still put together."""
    events = stream()
    for event in events:
        for key in ("sequence_number", "output_index"):
            event.pop(key, None)
    assert broken(events) == {"required-keys"}


def test_an_item_of_an_extension() -> None:
    """It needs an id and a status, and may have any other keys."""
    own = {"type": "acme:search", "id": "s_1", "status": "searching", "query": "x"}
    places = (place(stream(), RUNNING) + 1, len(FULL))
    for item, expected in ((own, set()), ({"type": "acme:search"}, {"required-keys"})):
        events = stream()
        for kind in (DONE, ADDED):
            events.insert(places[0], {"type": kind, "output_index": 0, "item": item})
        for event in events[places[0] + 2 :]:
            if "output_index" in event:
                event["output_index"] += 1
        events[-1]["response"]["output"].insert(0, item)
        assert broken(numbered(events)) == expected


def test_openai_names() -> None:
    """An event under OpenAI's own name is told with the name of the spec, and read like it."""
    events = stream()
    for event in events:
        event["type"] = event["type"].replace("response.reasoning.", "response.reasoning_text.")
    found = check(events)
    assert {violation.rule for violation in found} == {"known-type"}
    assert "Open Responses calls it response.reasoning.delta." in found[0].message


def deep() -> Any:
    """Return a value that is nested deeper than Python likes to compare."""
    value: Any = {}
    for _ in range(100_000):
        value = {"x": value}
    return value


def test_garbage() -> None:
    """Whatever stands in the keys of an event, nothing is raised."""
    values = [None, True, -1, 10**5000, 1.5, float("nan"), "", "\ud800", [], [[]], {}, {"type": []}, deep()]
    for value in values:
        check([value])
        for event in FULL:
            for key in event:
                check([*FULL[:4], {**event, key: value}, FULL[-1]])


def test_garbage_within() -> None:
    """Nor whatever stands in the items, parts and responses."""
    for value in [None, -1, "x", [], [None], ["x"], {}, [{"type": {}}], [{"annotations": [5]}]]:
        for event in FULL:
            for outer in ("response", "item", "part"):
                for key in event.get(outer, ()):
                    check([*FULL[:4], {**event, outer: {**event[outer], key: value}}, *FULL[5:]])


def test_a_long_stream_is_checked_fast() -> None:
    """Time grows with the length of the stream: 40,000 events take a second at most, also where all are wrong."""
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    made = builder.start()
    for _ in range(40_000):
        made += builder.text("word ")
    builder.usage(Usage.of(1, 2))
    builder.stop()
    events = [msgspec.to_builtins(event) for event in made + builder.finish()]
    bad = [{**event, "item_id": "other", "sequence_number": 0} for event in events]
    begun = time.process_time()
    assert check(events) == ()
    assert len(check(bad)) > 80_000
    assert time.process_time() - begun < 2


def test_the_table_for_the_docs() -> None:
    """It has a line for each rule."""
    lines = rules_table().splitlines()
    assert len(lines) == len(RULES) + 2
    assert lines[2].startswith("| `event-object` | Each event is a JSON object")
