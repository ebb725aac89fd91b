"""Logs of Responses: streams of other servers, recordings of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tests.archives.conftest import FILES
from tests.archives.told import answer, question
from tests.notebook.turns import turn

from agentbench.archives.reading import read
from agentbench.protocol.recording import Recording, rebuilt

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.archives.reading import Read


def recorded(question: str, answer: str, **options: str) -> str:
    """Return a recording's lines."""
    request = {"input": [{"role": "user", "content": question}]}
    return rebuilt(turn(question, answer, **options).response, source="e/m", request=request).to_jsonl()


def test_a_stream_of_another_server_is_read(opened: Callable[[str], Read]) -> None:
    """Its answer, model and id are taken; that the log has no question is told."""
    [talk] = opened("events.sse").found
    assert answer(talk.turns[0])[-1] == "assistant: Hello there."
    assert (talk.turns[0].response.model, talk.conversation.title) == ("gpt-5", "Hello there.")
    assert talk.notes == ("an answer whose question the log does not have",)


def test_a_recording_has_its_question() -> None:
    """What was asked is in a recording of ours, and the answer is as it was."""
    [talk] = read(recorded("Why?", "Because.", model="e/m"), "ann").found
    assert question(talk.turns[0]) == ["user: Why?"]
    assert answer(talk.turns[0]) == ["assistant: Because."]
    assert talk.turns[0].response.model == "e/m"


def test_responses_that_follow_each_other_are_one_conversation() -> None:
    """Each recording is a turn; one that follows none begins a conversation of its own."""
    one = recorded("One?", "First.", id="resp_a")
    two = recorded("Two?", "Second.", id="resp_b", previous_response_id="resp_a")
    [talk, other] = read(one + two + recorded("Else?", "Other.", id="resp_c"), "ann").found
    assert [turn.response.output_text for turn in talk.turns] == ["First.", "Second."]
    assert talk.turns[1].parent == talk.turns[0].response.id == talk.turns[1].response.previous_response_id
    assert len(other.turns) == 1


def test_a_log_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    """What came is kept as an answer that stopped early."""
    text = (FILES / "events.sse").read_text().partition("event: response.completed")[0]
    [talk] = read(text, "ann").found
    assert talk.turns[0].response.output_text == "Hello there."
    assert talk.turns[0].response.status == "incomplete"
    assert "an answer whose end the log does not have" in talk.notes


def test_a_broken_line_is_told_and_the_rest_is_read() -> None:
    """The place is the line's number."""
    lines = recorded("Why?", "Because.").splitlines()
    lines.insert(2, '{"seconds": 1, "event": {"ty')
    found = read("\n".join(lines), "ann")
    assert [each.place for each in found.problems] == ["line 3"]
    assert found.found[0].turns[0].response.output_text == "Because."


def test_a_whole_response_is_read() -> None:
    """Without any events."""
    [talk] = read(msgspec.json.encode(turn("?", "Yes.").response), "ann").found
    assert talk.turns[0].response.output_text == "Yes."


def test_the_same_log_has_the_same_ids() -> None:
    """So that reading it again adds nothing."""
    text = Recording(source="x", events=({"type": "response.output_text.delta", "delta": "Hi"},)).to_jsonl()
    [one], [other] = read(text, "ann").found, read(text, "ann").found
    assert one.conversation.id == other.conversation.id
    assert one.turns[0].response.id == other.turns[0].response.id
