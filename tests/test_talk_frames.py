"""DataFrames of what was said: conversations, responses, items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.test_frames import records

from agentbench import Workbench, frames

if TYPE_CHECKING:
    from collections.abc import Iterator

SAYS = [{"text": "Hi."}, {"usage": {"input_tokens": 3, "output_tokens": 2}}]
TALK = {"endpoints": {"scripted": {"models": {"m": SAYS}}}}


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench with one conversation of two turns."""
    with Workbench(TALK) as bench:
        talk = bench.start_conversation("A talk")
        for question in ("Hello?", "Again?"):
            bench.ask(question, model="scripted/m", conversation=talk)
        yield bench


def test_conversations(bench: Workbench) -> None:
    """One row a conversation."""
    frame = frames.conversations_frame(bench.conversations())
    assert records(frame, "title", "titled_by") == [("A talk", "person")]
    assert str(frame.dtypes["updated_at"]) == "datetime64[us, UTC]"


def test_responses(bench: Workbench) -> None:
    """One row a turn, with its tokens and its text."""
    turns = bench.turns(bench.conversations()[0])
    frame = frames.responses_frame(turns)
    assert records(frame, "parent", "input_tokens", "output_tokens", "text") == [
        (None, 3, 2, "Hi."),
        (turns[0].response.id, 3, 2, "Hi."),
    ]


def test_items(bench: Workbench) -> None:
    """One row an item of both sides; of a response alone, those that came out."""
    turns = bench.turns(bench.conversations()[0])
    said = [("input", "user", "Hello?"), ("output", "assistant", "Hi.")]
    assert records(frames.items_frame(turns[:1]), "side", "role", "text") == said
    assert records(frames.items_frame(turns[0].response), "side", "role", "text") == said[1:]
    assert len(frames.items_frame(turns)) == 4


@pytest.mark.parametrize("make", [frames.conversations_frame, frames.responses_frame, frames.items_frame])
def test_nothing_said(make: Any) -> None:
    """The columns are there, with their dtypes, though there is no row."""
    frame = make([])
    assert len(frame) == 0
    assert {str(dtype) for dtype in frame.dtypes} > {"string", "category"}
