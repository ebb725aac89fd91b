"""How function calls are put together, whatever order their pieces come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.protocol.streams import finished, kinds, only

from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCall

if TYPE_CHECKING:
    from agentbench.protocol import EventBuilder


def told(builder: EventBuilder) -> list[tuple[str, str, str]]:
    """Return the call_id, name and arguments of the response's calls."""
    return [(call.call_id, call.name, call.arguments) for call in builder.response.function_calls]


def test_a_call(builder: EventBuilder) -> None:
    """A call is announced with its name and no arguments, grows, and is done."""
    events = builder.start() + builder.call(0, name="f", call_id="c1", arguments="{") + builder.call(0, arguments="}")
    events = finished(builder, events)
    assert kinds(events[2:-1]) == ["ItemAdded", "ArgumentsDelta", "ArgumentsDelta", "ArgumentsDone", "ItemDone"]
    added = only(events, ev.ItemAdded)[0].item
    assert added == FunctionCall(id=added.id, call_id="c1", name="f", arguments="", status="in_progress")
    assert told(builder) == [("c1", "f", "{}")]


def test_interleaved_calls(builder: EventBuilder) -> None:
    """Calls that grow side by side are told apart by their keys."""
    events = builder.start() + builder.call("a", name="f", call_id="c1") + builder.call("b", name="g", call_id="c2")
    for key, piece in [("a", "[1"), ("b", "[3"), ("a", ",2]"), ("b", "]")]:
        events += builder.call(key, arguments=piece)
    events = finished(builder, events)
    assert [event.output_index for event in only(events, ev.ArgumentsDelta)] == [0, 1, 0, 1]
    assert told(builder) == [("c1", "f", "[1,2]"), ("c2", "g", "[3]")]


def test_text_beside_a_call(builder: EventBuilder) -> None:
    """A call stays open while text comes, and its place in the output stays."""
    events = builder.start() + builder.text("A") + builder.call(0, name="f", arguments="[") + builder.text("B")
    finished(builder, events + builder.call(0, arguments="]"))
    assert [type(item).__name__ for item in builder.response.output] == ["Message", "FunctionCall", "Message"]
    assert builder.response.function_calls[0].arguments == "[]"


def test_arguments_before_the_name(builder: EventBuilder) -> None:
    """A call waits for its name; the id and the arguments that came before it are kept."""
    early = builder.start() + builder.call(0, call_id="c1", arguments="[1") + builder.call(0, arguments=",2")
    assert len(early) == 2
    finished(builder, early + builder.call(0, name="f", arguments=",3]"))
    assert told(builder) == [("c1", "f", "[1,2,3]")]


def test_a_repeated_name(builder: EventBuilder) -> None:
    """A server that repeats name and id with each piece means one call."""
    events = builder.start()
    for piece in ("[1", ",2", "]"):
        events += builder.call(0, name="f", call_id="c1", arguments=piece)
    events = finished(builder, events)
    assert len(only(events, ev.ItemAdded)) == 1
    assert told(builder) == [("c1", "f", "[1,2]")]


def test_no_arguments(builder: EventBuilder) -> None:
    """A call without arguments has the empty object, and says so in a delta."""
    events = finished(builder, builder.start() + builder.call(0, name="f"))
    assert [event.delta for event in only(events, ev.ArgumentsDelta)] == ["{}"]
    assert builder.response.function_calls[0].arguments == "{}"


def test_no_call_id(builder: EventBuilder) -> None:
    """A call without an id gets one."""
    finished(builder, builder.start() + builder.call(0, name="f") + builder.call(1, name="f", call_id=""))
    first, second = builder.response.function_calls
    assert first.call_id.startswith("call_")
    assert second.call_id.startswith("call_")


def test_a_call_id_used_twice(builder: EventBuilder) -> None:
    """Servers that count each answer's calls from 0 use an id twice; the second call gets another."""
    events = builder.start() + builder.call(0, name="f", call_id="c1") + builder.close_items()
    finished(builder, events + builder.call(0, name="f", call_id="c1"))
    first, second = builder.response.function_calls
    assert first.call_id == "c1"
    assert second.call_id != "c1"


def test_a_call_done_early(builder: EventBuilder) -> None:
    """A call that is done frees its key for another, and ending an unknown one does nothing."""
    events = builder.start() + builder.call(0, name="f", call_id="c1") + builder.call_done(0) + builder.call_done(9)
    assert kinds(events)[-1] == "ItemDone"
    finished(builder, events + builder.call(0, name="g", call_id="c2", arguments="[]"))
    assert told(builder) == [("c1", "f", "{}"), ("c2", "g", "[]")]


def test_waiting_ends_with_the_upstream_call(builder: EventBuilder) -> None:
    """What waits for a name is forgotten when the upstream call is over."""
    events = builder.start() + builder.call(0, call_id="c1", arguments="[1") + builder.close_items()
    finished(builder, events + builder.call(0, name="f", call_id="c2", arguments="[2]"))
    assert told(builder) == [("c2", "f", "[2]")]


def test_a_nameless_call(builder: EventBuilder) -> None:
    """A call whose name never comes fails the response; the items before it are kept."""
    finished(builder, builder.start() + builder.text("A") + builder.call(0, arguments="{}"))
    assert builder.response.error is not None
    assert (builder.response.status, builder.response.error.code) == ("failed", "upstream_garbled")
    assert builder.response.output_text == "A"


def test_a_nameless_call_that_was_cut(builder: EventBuilder) -> None:
    """A call that was cut before its name came is left out."""
    events = builder.start() + builder.call(0, arguments="")
    builder.cut("max_output_tokens")
    finished(builder, events)
    assert (builder.response.status, builder.response.output) == ("incomplete", ())
