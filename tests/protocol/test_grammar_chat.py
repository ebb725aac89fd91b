"""The rules of chat completion chunks and of server-sent frames, each with a stream that breaks it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agentbench.protocol.grammar import (
    CHAT_RULES,
    FRAME_RULES,
    check_chat,
    check_frames,
    check_recording,
    summary,
    violation_rows,
)
from agentbench.protocol.grammar.frames import data_of
from agentbench.protocol.recording import Frame, Recording

DONE = "[DONE]"
HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def chunk(delta: dict[str, Any], finish: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return a chunk with one choice."""
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **changes}


def call(index: int | None, call_id: str | None, arguments: Any = "", **changes: Any) -> dict[str, Any]:
    """Return a chunk with a piece of a tool call; one with an id begins it."""
    begun = {"id": call_id, "type": "function"} if call_id else {}
    function = {"name": "f", "arguments": arguments} if call_id else {"arguments": arguments}
    place = {} if index is None else {"index": index}
    return chunk({"tool_calls": [{**place, **begun, "function": function, **changes}]})


ROLE, HELLO, STOP = chunk({"role": "assistant", "content": ""}), chunk({"content": "Hello"}), chunk({}, "stop")
CALLED = chunk({}, "tool_calls")
COUNTED = {**HEAD, "choices": [], "usage": USAGE}
GOOD = [ROLE, HELLO, STOP, COUNTED, DONE]
ERROR = {"error": {"message": "Oh."}}

BAD: dict[str, list[Any]] = {
    "chunk-object": [ROLE, 5, *GOOD[1:]],
    "chunk-keys": [ROLE, {"choices": HELLO["choices"]}, *GOOD[2:]],
    "chunk-kind": [ROLE, {**HELLO, "object": "chat.completion"}, *GOOD[2:]],
    "chunk-head-stable": [ROLE, {**HELLO, "id": "chatcmpl-2"}, *GOOD[2:]],
    "choice-keys": [ROLE, {**HELLO, "choices": [{}]}, *GOOD[2:]],
    "role-first": GOOD[1:],
    "delta-types": [ROLE, chunk({"content": ["Hello"]}), *GOOD[2:]],
    "finish-once": [ROLE, HELLO, COUNTED, DONE],
    "nothing-after-finish": [ROLE, STOP, HELLO, COUNTED, DONE],
    "calls-have-finish": [ROLE, CALLED, COUNTED, DONE],
    "call-index": [ROLE, call(1, "call_1"), CALLED, COUNTED, DONE],
    "call-begins-whole": [ROLE, call(0, None, "{}"), CALLED, COUNTED, DONE],
    "call-id-stable": [ROLE, call(0, "call_1"), call(1, "call_1"), CALLED, COUNTED, DONE],
    "call-arguments": [ROLE, call(0, "call_1", {"x": 1}), CALLED, COUNTED, DONE],
    "usage-chunk": [ROLE, STOP, DONE],
    "usage-counts": [ROLE, STOP, {**COUNTED, "usage": {**USAGE, "total_tokens": 9}}, DONE],
    "error-ends": [ROLE, ERROR, HELLO, DONE],
    "done-last": [ROLE, STOP, COUNTED],
}


def broken(chunks: list[Any], *, with_usage: bool = True) -> set[str]:
    """Return the names of the rules that a stream breaks."""
    return {violation.rule for violation in check_chat(chunks, with_usage=with_usage)}


@pytest.mark.parametrize(
    "chunks",
    [
        GOOD,
        [ROLE, call(0, "call_1"), call(0, None, "{}"), call(1, "call_2", "{}"), CALLED, COUNTED, DONE],
        [ROLE, HELLO, ERROR, DONE],
        [ROLE, STOP, {**COUNTED, "usage": None}, DONE],
    ],
)
def test_good_chunks(chunks: list[Any]) -> None:
    """Text, calls, an error, and a usage that nobody knows break no rule."""
    assert broken(chunks) == set()


def test_usage_that_was_not_asked_for() -> None:
    """Without the wish for it, the usage may be left out."""
    assert broken([ROLE, STOP, DONE], with_usage=False) == set()


def test_usage_with_every_chunk() -> None:
    """Servers that count along the way are told so once."""
    chunks = [{**each, "usage": USAGE} for each in (ROLE, HELLO, STOP)]
    assert [each.index for each in check_chat([*chunks, DONE])] == [0]


def test_every_rule_has_its_stream() -> None:
    """The table has a stream for each rule."""
    assert list(BAD) == [rule.name for rule in CHAT_RULES]


@pytest.mark.parametrize("rule", BAD)
def test_chunks_that_break_a_rule(rule: str) -> None:
    """The rule is named, and what is said are rules that there are."""
    found = broken(BAD[rule])
    assert rule in found
    assert found <= set(BAD)


@pytest.mark.parametrize("rule", ["usage-chunk", "finish-once", "call-id-stable", "done-last"])
def test_other_ways_to_break_a_rule(rule: str) -> None:
    """Usage beside choices, a second reason to finish, an id that changes, and what comes after the end."""
    other: dict[str, list[Any]] = {
        "usage-chunk": [ROLE, {**STOP, "usage": USAGE}, DONE],
        "finish-once": [ROLE, STOP, STOP, COUNTED, DONE],
        "call-id-stable": [ROLE, call(0, "call_1"), call(0, "call_2"), CALLED, COUNTED, DONE],
        "done-last": [*GOOD, HELLO],
    }
    assert broken(other[rule]) == {rule}


def test_garbage_in_chunks() -> None:
    """Whatever stands in the keys, nothing is raised."""
    for value in [None, True, 10**5000, 1.5, "", [], [[]], [None], {}, {"x": []}]:
        check_chat([value, {"choices": [value], "usage": value, "error": value}])
        check_chat([chunk({"tool_calls": value, "content": value, "role": value})])
        for key in ("index", "delta", "finish_reason"):
            check_chat([{**HEAD, "choices": [{"index": 0, "delta": {}, key: value}]}])
        for key in ("index", "id", "function", "type"):
            check_chat([chunk({"tool_calls": [{"index": 0, key: value}]})])


def frame(event: dict[str, Any]) -> str:
    """Return an event as a server-sent frame."""
    return f"event: {event['type']}\ndata: {msgspec.json.encode(event).decode()}"


EVENT = frame({"type": "response.created"})
BAD_FRAMES = {
    "frame-json": [EVENT, "data: {broken", "data: [DONE]"],
    "frame-event": [EVENT.replace("event: response.created", "event: message"), "data: [DONE]"],
    "frame-id": [f"id: 7\n{EVENT}", "data: [DONE]"],
    "frame-done": [EVENT],
}


def test_frames() -> None:
    """Good frames, and comments between them, break no rule; the table has a stream for each."""
    assert check_frames([": ping", EVENT, ": ping", "data: [DONE]"]) == ()
    assert list(BAD_FRAMES) == [rule.name for rule in FRAME_RULES]


@pytest.mark.parametrize("text", ["\u2028", "\u2029", "\x85", "\x0c", "\x1e"])
def test_only_line_ends_end_a_line(text: str) -> None:
    """What Python takes for a line's end too is text within the data."""
    assert check_frames([frame({"type": "response.x", "delta": f"a{text}b"}), "data: [DONE]"]) == ()
    assert data_of(f"data: a{text}b") == f"a{text}b"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_three_line_ends_end_a_line(end: str) -> None:
    """The fields of a frame are told apart by each of them."""
    assert check_frames([EVENT.replace("\n", end), "data: [DONE]"]) == ()


@pytest.mark.parametrize("rule", BAD_FRAMES)
def test_frames_that_break_a_rule(rule: str) -> None:
    """Each frame that isn't as the spec has it is told, and no other rule."""
    assert {violation.rule for violation in check_frames(BAD_FRAMES[rule])} == {rule}


def recording(*texts: str, **more: Any) -> Recording:
    """Return a recording of frames, the last after three seconds."""
    frames = tuple(Frame(seconds=3, text=text) for text in texts)
    return Recording(source="here", events=(), frames=frames, **more)


def test_a_recording_of_chat() -> None:
    """Its chunks are checked as chunks; the usage must come only if it was asked for."""
    texts = [f"data: {msgspec.json.encode(each).decode()}" for each in (ROLE, STOP)]
    request = {"stream_options": {"include_usage": True}}
    found = check_recording(recording(*texts, "data: [DONE]", spoken="chat", request=request))
    assert [violation.rule for violation in found] == ["usage-chunk"]
    assert check_recording(recording(*texts, "data: [DONE]", spoken="chat")) == ()


def test_a_summary() -> None:
    """It counts what came, the seconds and the violations; the table shows five different ones of each rule."""
    run = recording(": ping", "data: 5", "data: 6", "data: [DONE]", spoken="chat")
    found = check_chat([5] * 9)
    assert summary(run, found) == "2 chunks, 3.0 s, 11 violations"
    assert summary(Recording(source="", events=({},)), ()) == "1 event, no violation"
    rows = violation_rows(found)
    assert rows[:2] == [("chunk-object", "0", "Expected an object, got 5."), ("chunk-object", "", "… and 8 more.")]
    assert len(violation_rows(check_chat(range(9)))) == 8  # five different ones, how many more, and two of the end


def test_a_rebuilt_recording() -> None:
    """What was made from a stored response has nothing to check."""
    assert check_recording(Recording(source="", events=({},), rebuilt=True)) == ()
