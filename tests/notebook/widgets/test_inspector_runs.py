"""Runs that an inspector finds before their first event, and those that never get there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.notebook.widgets.page_data import unpacked

from agentbench.errors import UpstreamUnavailable
from agentbench.protocol import CreateResponse
from agentbench.protocol import events as ev
from agentbench.protocol.items import user_message
from agentbench.runner.recordings import Trace

if TYPE_CHECKING:
    from agentbench import Workbench


@pytest.fixture
def begun(bench: Workbench) -> Trace:
    """Give a run of which nothing has come yet."""
    trace = Trace("resp_new", CreateResponse(input=(user_message("Why?"),)), "fake/m")
    bench._runner.recordings.begin(trace, user="kernel")
    return trace


def test_a_run_without_events_is_followed(bench: Workbench, begun: Trace) -> None:
    """It is running, has its id and a recording, and shows what came once it is refreshed."""
    inspector = bench.inspect(begun.response_id)
    assert (inspector.recording.response_id, inspector.recording.events) == ("resp_new", ())
    assert (unpacked(inspector.run)["status"], inspector.runs[0]["status"]) == ("running", "running")
    begun.add([ev.ResponseCompleted(sequence_number=0, response=bench.ask("hello"))])
    inspector.refresh()
    assert (unpacked(inspector.run)["status"], inspector.runs[1]["status"]) == ("completed", "completed")


def test_a_run_that_was_refused_has_failed(bench: Workbench, begun: Trace) -> None:
    """It is not running for ever: list and view say that it failed, and why."""
    inspector = bench.inspect(begun.response_id)
    begun.refuse(UpstreamUnavailable("Nobody listens there."))
    inspector.refresh()
    run = unpacked(inspector.run)
    assert (run["status"], run["goes_on"], inspector.runs[0]["status"]) == ("failed", False, "failed")
    assert "Nobody listens there." in inspector.record().plain


def test_a_question_that_nobody_answers_has_a_recording(bench: Workbench) -> None:
    """A refused question is the newest run, and its recording says why it has no events."""
    with pytest.raises(UpstreamUnavailable):
        bench.ask("hello", model="gone/m")
    recording = bench.recording()
    assert (recording.events, recording.source) == ((), "gone/m")
    assert recording.notes[0].startswith("There was no answer: ")
