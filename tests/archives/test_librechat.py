"""LibreChat's exports, as a list and as a tree."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from tests.archives.told import answer, question, tree

from agentbench.archives.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.archives.reading import Read

FORMS = ("librechat.json", "librechat_tree.json")


@pytest.mark.parametrize("name", FORMS)
def test_branches_stay(opened: Callable[[str], Read], name: str) -> None:
    """An answer that was asked for again, and what follows it, are branches; the list and the tree say the same."""
    [talk] = opened(name).found
    assert tree(talk) == {
        "Rooibos: it has none.": None,
        "Rooibos, with **0 mg**.": None,
        "It looks like": "Rooibos, with **0 mg**.",
        "": "Rooibos, with **0 mg**.",
    }


def test_both_forms_are_the_same_conversation(opened: Callable[[str], Read]) -> None:
    """The ids don't depend on the form, so that importing the other form adds nothing."""
    [one], [other] = (opened(name).found for name in FORMS)
    assert {turn.response.id for turn in one.turns} == {turn.response.id for turn in other.turns}
    assert one.conversation.id == other.conversation.id


def test_title_model_and_times_stay(opened: Callable[[str], Read]) -> None:
    """A conversation keeps its title, its endpoint and model, and when it was."""
    [talk] = opened("librechat.json").found
    assert talk.conversation.title == "Teas without caffeine"
    assert talk.conversation.created_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert {(turn.endpoint, turn.response.model) for turn in talk.turns} == {("openAI", "gpt-4o")}


def test_parts_become_items(opened: Callable[[str], Read]) -> None:
    """Thoughts, calls with their results and text are items in their order; the prompt prefix was told first."""
    [talk] = opened("librechat.json").found
    turn = next(turn for turn in talk.turns if "0 mg" in turn.response.output_text)
    assert question(turn) == ["system: You know all about tea.", "user: Which tea has the least caffeine?"]
    assert answer(turn) == [
        "thought: Herbal infusions hold none.",
        'lookup({"tea":"rooibos"})',
        "-> 0 mg",
        "assistant: Rooibos, with **0 mg**.",
    ]


def test_it_goes_on_from_the_last_answer(opened: Callable[[str], Read]) -> None:
    """A question that nobody answered is kept, and the conversation goes on from before it."""
    [talk] = opened("librechat.json").found
    head = next(turn for turn in talk.turns if turn.response.id == talk.conversation.head)
    assert head.response.output_text == "Rooibos, with **0 mg**."
    assert "a question without an answer" in talk.notes


def test_what_is_missing_is_told(opened: Callable[[str], Read]) -> None:
    """An image of which the file has only the name is named in its place, and noted."""
    [talk] = opened("librechat.json").found
    turn = next(turn for turn in talk.turns if turn.response.output_text == "It looks like")
    assert question(turn) == ["user: What is in this cup?\n(image: /images/u/cup.png)\n"]
    assert "an image whose content is not there" in talk.notes
    assert turn.response.status == "incomplete"


def test_a_tree_of_ten_thousand_levels_is_read() -> None:
    """Depth is no matter, although each message lies in the one before."""
    text = "[]"
    for number in range(9_999, -1, -1):
        asks = "true" if number % 2 == 0 else "false"
        text = f'[{{"messageId":"m{number}","isCreatedByUser":{asks},"text":"t{number}","children":{text}}}]'
    [talk] = read(f'{{"conversationId":"c","messagesTree":{text}}}', "ann").found
    assert len(talk.turns) == 5_000
    assert question(talk.turns[-1]) == ["user: t9998"]
