"""A conversation to read, and the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.scripts import CONFIG

from agentbench import Workbench
from agentbench.errors import AnswerFailed
from agentbench.notebook.sanitize import literal
from agentbench.notebook.transcript import ConversationList, Transcript

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench of the scripted models."""
    with Workbench(CONFIG) as bench:
        yield bench


def said(bench: Workbench, *questions: str, **options: Any) -> Transcript:
    """Ask the questions in one conversation and return its transcript."""
    talk = bench.start_conversation()
    for question in questions:
        bench.ask(question, agent="counter", conversation=talk, **options)
    return Transcript(bench.turns(talk))


def test_a_transcript_reads_in_order(bench: Workbench) -> None:
    """Each question is quoted above its answer, as text and as Markdown."""
    transcript = said(bench, "One?", "Two?")
    assert len(transcript) == 2
    assert repr(transcript) == "> One?\n\nfirst\n\n> Two?\n\nsecond"
    assert transcript._repr_markdown_() == "> One?\n\nfirst\n\n---\n\n> Two?\n\nsecond"


def test_a_question_of_several_lines_is_quoted_whole(bench: Workbench) -> None:
    """Every line of a question is in the quote, as text and as Markdown."""
    transcript = said(bench, "One?\n\nOr two?")
    assert repr(transcript).startswith("> One?\n> \n> Or two?\n\nfirst")
    assert transcript._repr_markdown_().startswith("> One?\n> \n> Or two?\n\nfirst")


def test_json_is_fenced(bench: Workbench) -> None:
    """An answer in JSON is code in the transcript."""
    transcript = said(bench, "Where?", model="scripted/json", schema={"type": "object"})
    assert '```json\n{"city": "Oslo"}\n```' in transcript._repr_markdown_()


def test_a_transcript_becomes_a_frame(bench: Workbench) -> None:
    """A turn is a row."""
    frame = said(bench, "One?", "Two?").frame()
    assert list(frame.columns) == ["time", "agent", "model", "question", "answer", "status"]
    assert list(frame["question"]) == ["One?", "Two?"]
    assert list(frame["answer"]) == ["first", "second"]
    assert set(frame["agent"]) == {"counter"}


def test_nothing_said_is_said() -> None:
    """An empty conversation shows a sentence, not nothing."""
    assert repr(Transcript(())) == Transcript(())._repr_markdown_() == "Nothing was said yet."


def test_a_failed_turn_is_not_part_of_it(bench: Workbench) -> None:
    """What broke off is not what a conversation goes on from."""
    talk = bench.start_conversation()
    with pytest.raises(AnswerFailed):
        bench.ask("Go.", model="scripted/broken", conversation=talk)
    assert len(Transcript(bench.turns(talk))) == 0


def test_a_title_stands_above(bench: Workbench) -> None:
    """As text and as Markdown in which nothing of it is live; also above nothing."""
    transcript = Transcript(said(bench, "One?").turns, title="*Sky* <b>")
    assert repr(transcript) == "*Sky* <b>\n\n> One?\n\nfirst"
    assert transcript._repr_markdown_().startswith(f"**{literal('*Sky* <b>')}**\n\n---\n\n> One?")
    assert repr(Transcript((), title="Sky")) == "Sky\n\nNothing was said yet."


def test_the_list_marks_the_current_conversation(bench: Workbench) -> None:
    """Conversations are listed with title and agent; an arrow marks the one in use."""
    old = bench.start_conversation("Clouds", agent="bot")
    new = bench.start_conversation("Rain")
    found = bench.conversations()
    table = ConversationList(found, bench.took(found), old)
    assert [[*row[:3], row[-1]] for row in table.rows] == [
        ["1", "Rain", "", new.id],
        ["2 ←", "Clouds", "bot", old.id],
    ]
