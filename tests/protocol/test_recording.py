"""Recordings: what is kept of a run, and the files that it goes to and comes from."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from tests.protocol.streams import full_stream

from agentbench.errors import InvalidRequest
from agentbench.protocol import events as ev
from agentbench.protocol.recording import Frame, Recording, event_object, rebuilt

EVENTS = full_stream()
LOG = [{"type": "response.created", "response": {"id": "resp_1"}}, {"type": "error"}]


@pytest.fixture
def recording() -> Recording:
    """Give a recording in which every field is set."""
    return Recording.of(
        EVENTS,
        [place / 8 for place, _ in enumerate(EVENTS)],
        source="scripted/big",
        request={"model": "big"},
        frames=(Frame(seconds=0.5, text="data: {}\n\n"),),
        spoken="chat",
        started_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
        notes=("The server was slow.",),
    )


def test_events_are_their_json_objects(recording: Recording) -> None:
    """Each event is what it is on the wire."""
    assert list(recording.events) == [msgspec.json.decode(msgspec.json.encode(event)) for event in EVENTS]


def test_the_response_is_told_by_an_event(recording: Recording) -> None:
    """The id is the response's; without an event that tells it there is none."""
    assert isinstance(EVENTS[0], ev.ResponseCreated)
    assert recording.response_id == EVENTS[0].response.id
    assert Recording(source="a log", events=({"response": None}, {"response": {"id": 3}})).response_id is None


def test_a_file_gives_back_what_went_in(recording: Recording) -> None:
    """Nothing is lost on the way: neither times, frames, notes nor the request."""
    assert Recording.from_jsonl(recording.to_jsonl()) == recording


@pytest.mark.parametrize("text", ["\u2028", "\x85", "\x0c", "a\r\nb", "\U0001f600", '"\\'])
def test_any_text_survives(text: str) -> None:
    """What some take for a line's end is text within an event."""
    recording = Recording(source=text, events=({"type": "x", "delta": text},))
    assert Recording.from_jsonl(recording.to_jsonl()) == recording


def test_times_that_nobody_measured_stay_unknown() -> None:
    """Without times there are none later either."""
    recording = Recording(source="a", events=({"type": "x"},))
    assert Recording.from_jsonl(recording.to_jsonl()).times == ()


def test_a_plain_log_has_an_event_a_line() -> None:
    """Empty lines don't count, and Windows' line ends are line ends."""
    text = "\r\n\r\n".join(msgspec.json.encode(event).decode() for event in LOG)
    assert Recording.from_jsonl(text).events == tuple(LOG)


def test_a_server_sent_stream_is_a_log() -> None:
    """Its data lines hold the events; names, ids, comments and the end are passed over."""
    frames = [f"event: {each['type']}\nid: 1\ndata: {msgspec.json.encode(each).decode()}\n" for each in LOG]
    text = "\n".join([": hello\nretry: 10\n", *frames, "data: [DONE]\n"])
    assert Recording.from_jsonl(text).events == tuple(LOG)


def test_a_log_without_all_times_has_none() -> None:
    """A time that is missing makes the others useless: nobody knows whose they are."""
    text = '{"seconds": 0.5, "event": {"type": "a"}}\n{"event": {"type": "b"}}'
    assert Recording.from_jsonl(text).times == ()


@pytest.mark.parametrize("line", ["hello", "[1]", "data: 7", '{"a": ', "[" * 100_000])
def test_a_wrong_line_is_named(line: str) -> None:
    """The error tells the number of the line, whatever is in it."""
    with pytest.raises(InvalidRequest, match=r"^Line 2 is no JSON object\."):
        Recording.from_jsonl('{"type": "a"}\n' + line)


def test_a_wrong_head_is_refused() -> None:
    """A first line that says what it is but not rightly is no recording."""
    with pytest.raises(InvalidRequest, match="This is no recording"):
        Recording.from_jsonl('{"object": "agentbench.recording", "source": 3}')


def test_a_response_is_made_into_its_events() -> None:
    """They begin and end as a stream does, with every item whole in between, and say what they lack."""
    last = EVENTS[-1]
    assert isinstance(last, ev.ResponseCompleted)
    made = rebuilt(last.response, source="scripted/big")
    items = [event["item"] for event in made.events if event["type"] == "response.output_item.done"]
    assert items == event_object(last)["response"]["output"]
    assert made.events[0]["response"]["output"] == []
    assert made.events[-1]["type"] == "response.completed"
    assert (made.rebuilt, made.times, len(made.notes)) == (True, (), 1)


def test_a_cancelled_response_ends_incomplete() -> None:
    """There is no event for a response that was cancelled."""
    last = EVENTS[-1]
    assert isinstance(last, ev.ResponseCompleted)
    cancelled = msgspec.structs.replace(last.response, status="cancelled")
    assert rebuilt(cancelled, source="a").events[-1]["type"] == "response.incomplete"
