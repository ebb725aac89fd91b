"""ChatGPT's data export."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from tests.archives.conftest import FILES
from tests.archives.told import answer, question, tree

from agentbench.archives.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.archives.reading import Read


def test_an_answer_of_several_messages_is_one_turn(opened: Callable[[str], Read]) -> None:
    """Thoughts, the code for a tool, what it gave back and the text are one answer's items."""
    [talk] = opened("chatgpt.json").found
    turn = next(turn for turn in talk.turns if turn.response.output_text == "About **85 g**.")
    assert question(turn) == ["user: How many grams are 3 ounces?"]
    assert answer(turn) == [
        "thought: One ounce is 28.35 g.",
        "python(3 * 28.3495)",
        "-> 85.0485",
        "assistant: About **85 g**.",
    ]


def test_branches_stay(opened: Callable[[str], Read]) -> None:
    """An answer that was made again is a branch; the current node says which goes on."""
    [talk] = opened("chatgpt.json").found
    assert tree(talk) == {"About **85 g**.": None, "85 g.": None, "Perhaps 200 g.": "About **85 g**."}
    texts = {turn.response.id: turn.response.output_text for turn in talk.turns}
    assert texts[talk.conversation.head or ""] == "Perhaps 200 g."
    assert {turn.response.model for turn in talk.turns} == {"gpt-5", "gpt-5-thinking"}


def test_what_is_hidden_is_left_out_and_told(opened: Callable[[str], Read]) -> None:
    """Custom instructions are no part of what was said; an image is only named in the file."""
    [talk] = opened("chatgpt.json").found
    assert set(talk.notes) == {"custom instructions are left out", "an image whose content is not there"}


def test_a_broken_entry_is_told_with_its_place(opened: Callable[[str], Read]) -> None:
    """The other entries are read."""
    found = opened("chatgpt.json")
    assert len(found.found) == 1
    assert [each.place for each in found.problems] == ["entry 2"]


def test_the_zip_is_read_as_it_comes() -> None:
    """Only the conversations are unpacked, in however many files they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.write(FILES / "chatgpt.json", "export/conversations-000.json")
        archive.writestr("export/user.json", '{"email": "ann@example.org"}')
    found = read(buffer.getvalue(), "ann")
    assert len(found.found) == 1
    assert [each.place for each in found.problems] == ["export/conversations-000.json, entry 2"]
