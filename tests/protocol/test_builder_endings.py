"""How a response begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.grammar import check_grammar
from tests.protocol.streams import finished, kinds, only

from agentbench.protocol import Usage
from agentbench.protocol import events as ev
from agentbench.protocol.response import IncompleteDetails, ResponseError

if TYPE_CHECKING:
    from agentbench.protocol import EventBuilder


def test_an_empty_answer(builder: EventBuilder) -> None:
    """A response without items is created, in progress and completed."""
    events = finished(builder, builder.start())
    assert kinds(events) == ["ResponseCreated", "ResponseInProgress", "ResponseCompleted"]
    assert [event.sequence_number for event in events] == [0, 1, 2]


def test_the_first_snapshots(builder: EventBuilder) -> None:
    """The first snapshots are the draft as it was given."""
    given = builder.response
    assert [event.response for event in builder.start() if isinstance(event, ev.ResponseCreated)] == [given]
    assert (given.status, given.output, given.usage) == ("in_progress", (), None)


def test_completed(builder: EventBuilder) -> None:
    """A completed response says when, in whole seconds, and has no error."""
    finished(builder, builder.start() + builder.text("Hi"))
    response = builder.response
    assert (response.status, response.completed_at, response.error) == ("completed", 1000, None)


def test_cut(builder: EventBuilder) -> None:
    """A response that was cut is incomplete, and so is the item that was being written."""
    events = builder.start() + builder.reasoning("Hm.") + builder.text("Once upon")
    builder.cut("max_output_tokens")
    events = finished(builder, events)
    assert [getattr(item, "status", None) for item in builder.response.output] == ["completed", "incomplete"]
    assert builder.response.incomplete_details == IncompleteDetails(reason="max_output_tokens")
    assert (kinds(events)[-1], builder.response.completed_at) == ("ResponseIncomplete", None)


def test_cut_calls(builder: EventBuilder) -> None:
    """Arguments that were cut stay as they came: nobody mistakes them for an empty object."""
    events = builder.start() + builder.call(0, name="f", arguments='{"a') + builder.call(1, name="g")
    builder.cut("max_output_tokens")
    finished(builder, events)
    assert [(each.status, each.arguments) for each in builder.response.function_calls] == [
        ("incomplete", '{"a'),
        ("incomplete", ""),
    ]


def test_cut_after_stop(builder: EventBuilder) -> None:
    """The bad news counts: a stop doesn't undo a cut, a cut undoes a stop, and the first reason stays."""
    builder.stop()
    builder.cut("content_filter")
    builder.cut("max_output_tokens")
    builder.stop()
    assert builder.outcome == "incomplete"
    assert builder.response.incomplete_details == IncompleteDetails(reason="content_filter")


def test_fail(builder: EventBuilder) -> None:
    """A failure is told twice: by an error event, and by the failed response right after it."""
    events = builder.start() + builder.text("Once upon")
    builder.fail("The upstream broke off.", code="upstream_error", kind="upstream")
    events = finished(builder, events)
    assert kinds(events)[-3:] == ["ItemDone", "ErrorEvent", "ResponseFailed"]
    error = only(events, ev.ErrorEvent)[0].error
    assert error == ev.ErrorPayload(type="upstream", code="upstream_error", message="The upstream broke off.")
    assert builder.response.error == ResponseError(code="upstream_error", message="The upstream broke off.")
    assert getattr(builder.response.output[0], "status", None) == "incomplete"


def test_fail_twice(builder: EventBuilder) -> None:
    """The first failure counts, whatever came before or comes after."""
    builder.cut("max_output_tokens")
    builder.fail("First.")
    builder.fail("Second.")
    builder.cut("content_filter")
    assert builder.outcome == "failed"
    assert builder.response.error == ResponseError(code="server_error", message="First.")
    assert builder.response.incomplete_details is None


def test_dropped(builder: EventBuilder) -> None:
    """A stream that ends with no outcome was dropped, which is a failure."""
    events = builder.start() + builder.text("Once upon") + builder.finish()
    check_grammar(events)
    assert builder.response.error is not None
    assert (builder.outcome, builder.response.error.code) == ("failed", "upstream_dropped")


def test_finish_twice(builder: EventBuilder) -> None:
    """Finishing again adds nothing."""
    finished(builder, builder.start())
    assert builder.finished
    assert builder.finish() == []


def test_usage_adds_up(builder: EventBuilder) -> None:
    """The usage of several upstream calls is their sum; of one call, the last that it told."""
    events = builder.start()
    builder.usage(Usage.of(10, 1))
    builder.usage(Usage.of(10, 20, cached=3, cache_write=4, reasoning=5))
    builder.stop()
    events += builder.next_call()
    assert builder.total_usage == Usage.of(10, 20, cached=3, cache_write=4, reasoning=5)
    builder.usage(Usage.of(1, 2, cached=1, cache_write=1, reasoning=1))
    finished(builder, events)
    assert builder.response.usage == Usage.of(11, 22, cached=4, cache_write=5, reasoning=6)


def test_several_upstream_calls(builder: EventBuilder) -> None:
    """Between two upstream calls every item is closed, and the keys of function calls begin anew."""
    events = builder.start() + builder.text("A") + builder.call(0, name="f", arguments="[1]")
    builder.stop()
    events += builder.next_call()
    assert len(only(events, ev.ItemDone)) == 2
    finished(builder, events + builder.text("B") + builder.call(0, name="g", arguments="[2]"))
    assert builder.response.output_text == "AB"
    assert [call.arguments for call in builder.response.function_calls] == ["[1]", "[2]"]


def test_a_later_call_that_is_dropped(builder: EventBuilder) -> None:
    """That one upstream call ended well says nothing of the next."""
    events = builder.start() + builder.text("A")
    builder.stop()
    events += builder.next_call() + builder.text("B") + builder.finish()
    check_grammar(events)
    assert builder.response.status == "failed"
    assert [getattr(item, "status", None) for item in builder.response.output] == ["completed", "incomplete"]


@pytest.mark.parametrize(("ending", "status"), [("none", "failed"), ("cut", "incomplete"), ("fail", "failed")])
def test_no_call_after_a_bad_end(builder: EventBuilder, ending: str, status: str) -> None:
    """A call that was dropped, cut or failed decides the response, whatever a next one says."""
    events = builder.start() + builder.text("A")
    if ending != "none":
        getattr(builder, ending)("max_output_tokens")
    finished(builder, events + builder.next_call() + builder.text("B"))
    assert builder.response.status == status


def test_no_usage(builder: EventBuilder) -> None:
    """Tokens that nobody counted are unknown, not zero."""
    finished(builder, builder.start() + builder.text("Hi"))
    assert builder.response.usage is None
