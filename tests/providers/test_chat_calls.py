"""Tool calls in Chat Completions, which every server tells apart in its own way."""

from __future__ import annotations

import pytest
from tests.providers.replay import chat

SEOUL, JEJU = '{"city":"Seoul"}', '{"city":"Jeju"}'


def piece(index: int | None = 0, call_id: str | None = None, **function: object) -> dict[str, object]:
    """Return one piece of a tool call."""
    given = {"index": index, "id": call_id, "function": function}
    return {key: value for key, value in given.items() if value is not None}


def calls(*pieces: dict[str, object] | list[dict[str, object]]) -> list[tuple[str, str, str]]:
    """Return the id, name and arguments of the calls that these pieces make, one chunk a piece or list."""
    deltas: list[dict[str, object]] = [{"tool_calls": each if isinstance(each, list) else [each]} for each in pieces]
    answer = chat(*deltas, finish="tool_calls")
    assert answer.status == "completed"
    return [(call.call_id, call.name, call.arguments) for call in answer.function_calls]


def test_in_pieces() -> None:
    """The first piece has id and name, all have some of the arguments."""
    made = calls(
        piece(0, "a", name="look", arguments=""), piece(0, arguments='{"city":'), piece(0, arguments='"Seoul"}')
    )
    assert made == [("a", "look", SEOUL)]


def test_interleaved() -> None:
    """Pieces of two calls may alternate; their index tells them apart."""
    made = calls(
        [piece(0, "a", name="look"), piece(1, "b", name="time")],
        piece(1, arguments='{"z'),
        piece(0, arguments=SEOUL[:7]),
        piece(1, arguments='":1}'),
        piece(0, arguments=SEOUL[7:]),
    )
    assert made == [("a", "look", SEOUL), ("b", "time", '{"z":1}')]


def test_one_index_many_ids() -> None:
    """Where all calls have one index, a new id begins the next call."""
    made = calls(
        piece(0, "a", name="look", arguments=SEOUL),
        piece(0, "b", name="look", arguments="{"),
        piece(0, "b", arguments="}"),
        piece(0, "c", name="time", arguments="{}"),
    )
    assert made == [("a", "look", SEOUL), ("b", "look", "{}"), ("c", "time", "{}")]


@pytest.mark.parametrize("call_id", ["", None])
def test_one_index_no_ids(call_id: str | None) -> None:
    """Where calls have one index and no ids, whole arguments under a name are a call; each gets an id."""
    made = calls(piece(0, call_id, name="look", arguments=SEOUL), piece(0, call_id, name="look", arguments=JEJU))
    assert [call[1:] for call in made] == [("look", SEOUL), ("look", JEJU)]
    assert made[0][0] != made[1][0]


def test_no_index() -> None:
    """Where calls have no index, a name begins a call and what follows belongs to it."""
    made = calls(
        [piece(None, "a", name="look", arguments=SEOUL), piece(None, "b", name="look", arguments=JEJU[:5])],
        piece(None, arguments=JEJU[5:]),
    )
    assert made == [("a", "look", SEOUL), ("b", "look", JEJU)]


def test_no_index_one_a_chunk() -> None:
    """Calls without an index may come one a chunk."""
    made = calls(piece(None, "a", name="look", arguments=SEOUL), piece(None, "b", name="look", arguments=JEJU))
    assert made == [("a", "look", SEOUL), ("b", "look", JEJU)]


def test_id_changes() -> None:
    """A new id alone begins nothing: some servers make one up for each piece."""
    made = calls(piece(0, "a", name="look", arguments=SEOUL[:5]), piece(0, "b", arguments=SEOUL[5:]))
    assert made == [("a", "look", SEOUL)]


@pytest.mark.parametrize("call_id", ["a", None])
def test_name_repeated(call_id: str | None) -> None:
    """A name or id that comes again with each piece is the same call."""
    made = calls(
        piece(0, call_id, name="look", arguments='{"city":'),
        piece(0, call_id, name="look", arguments='"Seoul"'),
        piece(0, call_id, name="look", arguments="}"),
    )
    assert [call[1:] for call in made] == [("look", SEOUL)]


def test_arguments_before_name() -> None:
    """Arguments that come before their name wait for it."""
    made = calls(piece(0, "a", arguments=SEOUL[:5]), piece(0, name="look", arguments=SEOUL[5:]))
    assert [call[1:] for call in made] == [("look", SEOUL)]


def test_arguments_as_an_object() -> None:
    """Arguments that come as JSON become text."""
    assert calls(piece(0, "a", name="look", arguments={"city": "Seoul"})) == [("a", "look", SEOUL)]


@pytest.mark.parametrize("arguments", [None, "", {}])
def test_no_arguments(arguments: object) -> None:
    """A call without arguments has an empty object of them."""
    assert calls(piece(0, "a", name="now", arguments=arguments)) == [("a", "now", "{}")]


def test_no_name() -> None:
    """A call that never gets a name fails the response: nothing could be called."""
    answer = chat({"tool_calls": [piece(0, "a", arguments="{}")]}, finish="tool_calls")
    assert answer.error is not None
    assert answer.error.message == "The upstream sent a function call without a name."


def test_text_and_calls() -> None:
    """Text before, between and after calls stays where it was."""
    answer = chat({"content": "a"}, {"tool_calls": [piece(0, "x", name="now")]}, {"content": "b"}, finish="tool_calls")
    assert [type(item).__name__ for item in answer.output] == ["Message", "FunctionCall", "Message"]


def test_cut_in_the_middle() -> None:
    """Arguments cut off by the token limit stay as they are, and the call is incomplete."""
    answer = chat({"tool_calls": [piece(0, "a", name="look", arguments='{"ci')]}, finish="length")
    (call,) = answer.function_calls
    assert (answer.status, call.status, call.arguments) == ("incomplete", "incomplete", '{"ci')
