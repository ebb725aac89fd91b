"""`%agent history --all`: the list of conversations, with what each took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import agentbench
from agentbench.notebook.transcript import ConversationList
from agentbench.storage.conversation_sums import ConversationSums
from agentbench.storage.conversations import new

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell


def test_the_list(shell: Shell) -> None:
    """Each conversation has a number, its title, agent, turns, tokens and cost; the current one is marked."""
    shell.run("%agent chat One?\n%agent chat Two?\n%agent new\n%agent chat -a counter Three?")
    listed = shell.run("%agent history --all")
    assert listed.columns == ["", "title", "agent", "turns", "tokens", "cost", "last used", "conversation"]
    three, one = listed.rows
    assert three[:4] == ["1 ←", "Three?", "counter", "1"]
    assert one[:4] == ["2", "One?", "bot", "2"]
    assert (one[4], one[5]) == ("6 → 4", "$0")
    assert [row[-1] for row in listed.rows] == [each.id for each in agentbench.get_workbench().conversations()]


def test_the_list_as_a_frame(shell: Shell) -> None:
    """Numbers are numbers there."""
    shell.run("%agent chat One?")
    frame = shell.run("%agent history --all").frame()
    assert frame[["number", "turns", "calls", "input_tokens", "output_tokens"]].iloc[0].tolist() == [1, 1, 1, 3, 2]
    assert str(frame.dtypes["cost"]) == "Float64"
    assert str(frame.dtypes["updated_at"]) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    ("took", "shown"),
    [
        (ConversationSums(), ("0", "", "")),
        (ConversationSums(2, 2, 1200, None, None, 2), ("2", "1,200 → ?", "unknown")),
        (ConversationSums(1, 3, 5, 6, 0.5, 1), ("1", "5 → 6", "at least $0.50")),
    ],
)
def test_what_nobody_knows(took: ConversationSums, shown: tuple[str, ...]) -> None:
    """Tokens and cost that aren't known are no numbers, and a sum over some of them is a least."""
    [row] = ConversationList([new(user="u")], [took], None).rows
    assert tuple(row[3:6]) == shown


def test_nothing_was_said(shell: Shell) -> None:
    """An empty list says so."""
    assert shell.run("%agent history --all").note == "Nothing was said yet."


def test_one_of_the_list(shell: Shell) -> None:
    """A conversation is shown by its number or by a part of its title."""
    shell.run("%agent chat One?\n%agent new\n%agent chat Two?\n%agent history --all")
    for name in ("2", "one", "'One?'"):
        assert repr(shell.run(f"%agent history {name}")).startswith("> One?")
