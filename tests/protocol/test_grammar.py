"""Whether the checker that other tests trust sees what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.grammar import check_grammar
from tests.protocol.streams import full_stream, kinds

from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol import events as ev
from agentbench.protocol.content import OutputText, SummaryText
from agentbench.protocol.items import FunctionCall, Message

if TYPE_CHECKING:
    from agentbench.protocol import Event

STREAM = full_stream()


def renumbered(events: list[Event]) -> list[Event]:
    """Return the events with sequence numbers that have no gap."""
    return [msgspec.structs.replace(event, sequence_number=number) for number, event in enumerate(events)]


def passes(events: list[Event]) -> bool:
    """Tell whether the events, numbered anew, are a good stream."""
    try:
        check_grammar(renumbered(events))
    except AssertionError:
        return False
    return True


def changed(kind: type[Event], **changes: Any) -> list[Event]:
    """Return the stream with the first event of a kind changed."""
    place = kinds(STREAM).index(kind.__name__)
    return [*STREAM[:place], msgspec.structs.replace(STREAM[place], **changes), *STREAM[place + 1 :]]


def test_a_good_stream() -> None:
    """A whole stream passes, also with a response that was queued."""
    queued = msgspec.structs.replace(draft(CreateResponse(), model="m"), status="queued")
    builder = EventBuilder(queued)
    created = builder.start()[0]
    assert isinstance(created, ev.ResponseCreated)
    running = msgspec.structs.replace(queued, status="in_progress")
    completed = msgspec.structs.replace(queued, status="completed", completed_at=queued.created_at)
    check_grammar(
        [
            created,
            ev.ResponseQueued(sequence_number=1, response=queued),
            ev.ResponseInProgress(sequence_number=2, response=running),
            ev.ResponseCompleted(sequence_number=3, response=completed),
        ]
    )
    check_grammar(STREAM)


def test_no_events() -> None:
    """No stream at all is not a stream."""
    with pytest.raises(AssertionError, match="the stream opens with"):
        check_grammar([])


def test_a_missing_event() -> None:
    """Each event is needed: without it, the others do not fit together."""
    assert [event for place, event in enumerate(STREAM) if passes(STREAM[:place] + STREAM[place + 1 :])] == []


def test_an_event_that_comes_twice() -> None:
    """No event may come again."""
    assert [event for place, event in enumerate(STREAM) if passes([*STREAM[:place], event, *STREAM[place:]])] == []


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (changed(ev.TextDelta, sequence_number=99), "sequence numbers have gaps"),
        (changed(ev.ItemAdded, output_index=1), "item 1 is added where item 0 should be"),
        (
            changed(ev.TextDelta, item_id="msg_x"),
            r"event \d+ \(response.output_text.delta\): msg_x is not",
        ),
        (changed(ev.TextDelta, output_index=9), "item 9 is not open"),
        (changed(ev.TextDelta, content_index=1), "part 1 grows while part 0 is open"),
        (changed(ev.TextDelta, delta="x"), "is not the deltas"),
        (changed(ev.TextDelta, logprobs=()), "the logprobs are not those of the deltas"),
        (changed(ev.RefusalDone, refusal="x"), "is not the deltas"),
        (changed(ev.ReasoningDelta, delta="x"), "is not the deltas"),
        (changed(ev.SummaryDelta, delta="x"), "is not the deltas"),
        (changed(ev.SummaryPartDone, part=SummaryText(text="x")), "the part says 'x'"),
        (changed(ev.SummaryPartAdded, summary_index=1), "part 1 begins where part 0 should"),
        (changed(ev.ContentPartAdded, part=OutputText(text="")), "OutputText.* in Reasoning"),
        (changed(ev.AnnotationAdded, annotation_index=1), "annotation 1 is out of turn"),
        (changed(ev.ArgumentsDelta, delta="x"), "is not the deltas"),
        (changed(ev.ArgumentsDone, arguments="x"), "is not the deltas"),
    ],
)
def test_an_event_that_does_not_fit(events: list[Event], message: str) -> None:
    """A wrong number, place or text is named, with the event."""
    with pytest.raises(AssertionError, match=message):
        check_grammar(events)


@pytest.mark.parametrize("change", [{"id": "fc_x"}, {"call_id": "call_x"}, {"name": "x"}, {"status": "in_progress"}])
def test_a_call_that_changes(change: dict[str, str]) -> None:
    """A call keeps its ids and name from added to done, and is final then."""
    events = list(STREAM)
    place, done = next(
        (place, event)
        for place, event in enumerate(events)
        if isinstance(event, ev.ItemDone) and isinstance(event.item, FunctionCall)
    )
    events[place] = msgspec.structs.replace(done, item=msgspec.structs.replace(done.item, **change))
    with pytest.raises(AssertionError, match=f"item's {next(iter(change))} changes|still in progress"):
        check_grammar(events)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"output": ()}, "the response's output is not the done items"),
        ({"id": "resp_x"}, "the response changes its id"),
        ({"status": "failed"}, "with the status failed"),
        ({"completed_at": None}, "with the details of"),
    ],
)
def test_a_response_that_does_not_fit(change: dict[str, Any], message: str) -> None:
    """The last snapshot holds what the stream told."""
    last = STREAM[-1]
    assert isinstance(last, ev.ResponseCompleted)
    response = msgspec.structs.replace(last.response, **change)
    with pytest.raises(AssertionError, match=message):
        check_grammar([*STREAM[:-1], msgspec.structs.replace(last, response=response)])


def test_an_error_within_the_stream() -> None:
    """After an error nothing may come but the failed response."""
    error = ev.ErrorEvent(sequence_number=0, error=ev.ErrorPayload(type="t", code="c", message="m"))
    with pytest.raises(AssertionError, match=r"response\.completed follows an error"):
        check_grammar(renumbered([*STREAM[:-1], error, STREAM[-1]]))


def test_an_incomplete_item_in_a_completed_response() -> None:
    """A completed response has no incomplete item."""
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    events = builder.start() + builder.item(Message(id="msg_1", role="assistant", status="incomplete", content=()))
    builder.stop()
    with pytest.raises(AssertionError, match="incomplete, yet completed"):
        check_grammar(events + builder.finish())


@pytest.mark.parametrize("change", [{"id": "fc_1"}, {"call_id": "call_1"}])
def test_ids_used_twice(change: dict[str, str]) -> None:
    """No two items share an id, and no two calls a call_id."""
    call = FunctionCall(id="fc_1", call_id="call_1", name="f", arguments="{}")
    other = msgspec.structs.replace(call, **{"id": "fc_2", "call_id": "call_2", **change})
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    events = builder.start() + builder.item(call) + builder.item(other)
    builder.stop()
    with pytest.raises(AssertionError, match="have the same"):
        check_grammar(events + builder.finish())
