"""A comparison as it is drawn and as it stays: safe, bounded, and the same in HTML, Markdown and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.inert import faults, text_of
from tests.notebook.payloads import PAYLOADS

from agentbench.notebook.comparing.lanes import Lane
from agentbench.notebook.comparing.record import record_of
from agentbench.notebook.comparison import Comparison
from agentbench.protocol import events as ev
from agentbench.protocol.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Iterable


def said(piece: str) -> ev.TextDelta:
    """Return the event that tells a piece of an answer."""
    return ev.TextDelta(sequence_number=1, item_id="m", output_index=0, content_index=0, delta=piece)


def trial(**fields: Any) -> Trial:
    """Return a trial that answered."""
    usual: dict[str, Any] = {
        "place": 0,
        "prompt": "Why?",
        "status": "completed",
        "answer": "So **it** is.",
        "agent": "a",
    }
    took = {"input_tokens": 3, "output_tokens": 2, "cost": 0.02, "seconds": 1.5, "first_token": 0.25}
    return Trial(**usual | took | fields)


def said_everywhere(texts: Iterable[str], places: int) -> str:
    """Return the HTML of a record that has the texts in every place: answers, errors, names, models and prompts."""
    trials = [
        trial(place=place, answer=answer, prompt=text, agent=text, model=f"x/{text}", status=status, error=text)
        for place in range(places)
        for text in texts
        for answer, status in ((text, "failed"), (None, "skipped"))
    ]
    return record_of(trials, [f"{number} {each.agent}" for number, each in enumerate(trials)]).html


def test_one_prompt() -> None:
    """The answers are whole, each with what it took, and a table has a row each."""
    record = record_of([trial(), trial(status="failed", answer=None, error="No key.", cost=None)], ["one", "two"])
    assert "So <strong>it</strong> is." in record.html
    assert record.markdown.startswith("**one**\n\nSo **it** is.\n\n<sub>3 → 2 tokens · 1.5 s · $0.02</sub>")
    assert "── two\n(Failed: No key.)" in record.plain
    assert "| one | completed | 3 | 2 | \\$0.02 | 1.5 s | 250 ms |" in record.markdown
    assert record.plain.endswith("2 answers, 1 failed · $0.02 + 1 unknown")


def test_many_prompts() -> None:
    """Of many prompts the first are shown, a row each, with sums by answerer."""
    trials = [trial(place=place, prompt=f"Question {place}") for place in range(50)]
    record = record_of(trials, ["one"] * 50)
    assert record.html.count("Question") == 20
    assert "30 more prompts aren't shown; frame() has them all." in text_of(record.html)
    assert "| one | 50 answers | 150 | 100 | \\$1.00 | 1.5 s | 250 ms |" in record.markdown


def test_many_runs() -> None:
    """Of many answers of one the first are shown."""
    record = record_of([trial(run=run) for run in range(1, 9)], ["one"] * 8)
    assert text_of(record.html).count("So it is.") == 5
    assert "Of each, the first 5 answers are shown" in record.plain


def test_a_long_answer_is_cut() -> None:
    """A notebook carries so much of an answer; the trial has it all."""
    made = Comparison([trial(answer="long " * 20_000)], ["one"])
    assert len(made._repr_mimebundle_()["text/html"]) < 25_000
    assert len(str(made.trials[0].answer)) == 100_000


@pytest.mark.parametrize("places", [1, 2], ids=["columns", "table"])
def test_a_record_is_inert(places: int) -> None:
    """Whatever is said, wherever it is said, the HTML has no elements and attributes but those that it has anyway."""
    told, usual = (said_everywhere(texts, places) for texts in (PAYLOADS.values(), ["words"]))
    assert set(faults(told)) - set(faults(usual)) == set()
    assert told.count("</section>") == usual.count("</section>") * len(PAYLOADS)


def test_a_lane_is_inert() -> None:
    """So it is while an answer grows."""
    for payload in PAYLOADS.values():
        lane, half = Lane(), len(payload) // 2
        for piece in (payload[:half], payload[half:]):
            lane.feed([said(piece)])
            assert faults(lane.panel.html) == []


def test_a_lane_tells_how_it_goes() -> None:
    """It waits, thinks, answers, and has ended."""
    now = 0.0
    lane = Lane("run 1", clock=lambda: now)
    assert lane.panel.line == "waiting…"
    lane.feed([ev.ReasoningDelta(sequence_number=1, item_id="r", output_index=0, content_index=0, delta="Hm")])
    now = 2.0
    assert lane.panel.line == "thinking… · 2 s"
    lane.feed([said("So it is.")])
    assert lane.panel.line == "answering… · ~3 tokens · 2 s"
    assert lane.cell == "So it is.…"
    lane.end(trial())
    assert (lane.panel.line, lane.cell) == ("3 → 2 tokens · 1.5 s · $0.02", "So **it** is.")


def test_a_long_lane_shows_its_end() -> None:
    """What is drawn again and again stays small."""
    lane = Lane()
    text = "".join(f"Paragraph {number}.\n\n" for number in range(5_000))
    lane.feed([said(text)])
    html = lane.panel.html
    assert len(html) < 31_000
    assert "Paragraph 4999." in html
