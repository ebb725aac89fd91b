"""`%agent open`, `branch`, `tree` and `delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.notebook.kernel import Kernel, started
from tests.notebook.test_chat_magic import SET_UP, displayed, value

import agentbench
from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.notebook.conftest import Shell


@pytest.fixture
def talked(shell: Shell) -> Shell:
    """Give a shell in which two conversations were listed: Sky, 2, of two turns, and Rain, 1, the current one."""
    shell.run("%agent use counter\n%agent new Sky\n%agent chat a\n%agent chat b\n%agent new Rain\n%agent chat c")
    shell.run("%agent history --all")
    return shell


def questions(shell: Shell) -> list[str]:
    """Return what was asked in the current conversation."""
    return list(shell.run("%agent history").frame()["question"])


# -- open -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["2", "Sky", "sk", "'sky'"])
def test_open(talked: Shell, name: str) -> None:
    """It goes on in the conversation of that number or title, and shows what was said there."""
    assert repr(talked.run(f"%agent open {name}")).startswith("Sky\n\n> a\n\nfirst")
    talked.run("%agent chat d")
    assert questions(talked) == ["a", "b", "d"]


def test_numbers_are_those_of_the_last_list(talked: Shell) -> None:
    """A conversation that is newer than the list changes no number; a later list does."""
    talked.run("%agent new Wind\n%agent chat d")
    assert repr(talked.run("%agent open 1")).startswith("Rain")
    talked.run("%agent history --all -n 1\n%agent open 1")
    assert questions(talked) == ["d"]


BAD = {
    "%agent open": (InvalidRequest, "Say which conversation: %agent open NUMBER"),
    "%agent open 9": (InvalidRequest, "There is no conversation 9 now. List them: %agent history --all"),
    "%agent open Skyy": (UnknownName, "Did you mean 'Sky'?"),
    "%agent tree none": (UnknownName, "There is no conversation 'none'."),
    "%agent delete": (InvalidRequest, "Say which conversation: %agent delete NUMBER"),
    "%agent delete Sk": (InvalidRequest, "'Sk' is a part of the title 'Sky'. To delete that one"),
    "%agent branch 7": (UnknownName, "There is no turn '7'."),
    "%agent branch last": (UnknownName, "There is no turn 'last'."),
}


@pytest.mark.parametrize(("cell", "error"), BAD.items(), ids=BAD)
def test_what_is_not_there(talked: Shell, cell: str, error: tuple[type[Exception], str]) -> None:
    """What is wrong is said in one line, and nothing changes."""
    raised = talked.fail(cell)
    assert (type(raised), error[1] in str(raised)) == (error[0], True), raised
    assert questions(talked) == ["c"]
    assert len(talked.run("%agent history --all").rows) == 2


def test_there_is_no_list_yet(shell: Shell) -> None:
    """A number counts only once there was a list."""
    shell.run("%agent chat a")
    assert "There is no conversation 1 now." in str(shell.fail("%agent open 1"))


def test_nothing_was_asked_yet(shell: Shell) -> None:
    """There is no tree, and nothing to go back in."""
    for command in ("tree", "branch"):
        assert str(shell.fail(f"%agent {command}")).startswith("There is no conversation yet.")


# -- tree and branch ------------------------------------------------------------------------------------------------


def test_branch(talked: Shell) -> None:
    """Alone it goes back before the last question, with a number after that turn; the next question goes on there."""
    talked.run("%agent open Sky")
    assert talked.run("%agent branch").rows[1] == ["the next question follows", "turn 1: a"]
    talked.run("%agent chat B")
    assert questions(talked) == ["a", "B"]
    assert talked.run("%agent branch 2").rows[1][1] == "turn 2: b"
    assert questions(talked) == ["a", "b"]
    assert talked.run("%agent branch 0").rows[1][1] == "nothing: it begins anew"
    assert questions(talked) == []


def test_tree(talked: Shell) -> None:
    """It shows this conversation, or one that is named."""
    talked.run("%agent open Sky\n%agent branch\n%agent chat B")
    assert "  └ ○ 2  b  · counter" in repr(talked.run("%agent tree"))
    assert repr(talked.run("%agent tree Rain")).startswith("Rain (1 turn)\n● 1  c  · counter · ← here")


# -- delete ---------------------------------------------------------------------------------------------------------


def test_delete(talked: Shell) -> None:
    """It says what is gone; the current conversation goes on, and the ledger keeps its rows."""
    gone = talked.run("%agent delete 2")
    assert gone.rows[0][:2] == ["Sky", "2"]
    assert [row[1] for row in talked.run("%agent history --all").rows] == ["Rain"]
    assert len(talked.run("%agent usage")) == 3
    assert questions(talked) == ["c"]


def test_a_number_whose_conversation_is_gone(talked: Shell) -> None:
    """The others keep their numbers until the next list."""
    talked.run("%agent delete 1")
    assert "There is no conversation 1 now." in str(talked.fail("%agent delete 1"))
    assert talked.run("%agent delete 2").rows[0][0] == "Sky"


@pytest.mark.parametrize("cell", ["%agent delete RAIN", "bench.delete(bench.find_conversation('Rain'))"])
def test_deleting_the_current_conversation(talked: Shell, cell: str) -> None:
    """The next question begins a new one, also where Python deleted it."""
    talked.ip.user_ns["bench"] = agentbench.get_workbench()
    talked.run(cell)
    assert questions(talked) == []
    talked.run("%agent chat --to answer d")
    assert talked.ip.user_ns["answer"].text == "first"
    assert questions(talked) == ["d"]


# -- in a kernel ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """Start a kernel with the magics loaded and the scripted models in use."""
    with started(tmp_path_factory.mktemp("kernel"), SET_UP) as kernel:
        yield kernel


@pytest.fixture
def kernel(running: Kernel) -> Kernel:
    """Give the kernel with a new conversation and an agent whose answers count its turns."""
    assert running.run("%agent new\n%agent use counter").reply["status"] == "ok"
    return running


def test_cells_that_run_again(kernel: Kernel) -> None:
    """A cell that branches does so once, however often it runs; one that asks goes back before its earlier question."""
    kernel.run("%agent chat a", cell_id="a")
    kernel.run("%agent chat b", cell_id="b")
    for _ in range(2):
        kernel.run("%agent branch", cell_id="branch")
        assert value(kernel, "questions()") == "['a']"
    kernel.run("%agent chat B", cell_id="B")
    kernel.run("%agent branch", cell_id="branch")
    kernel.run("%agent chat B!", cell_id="B")
    assert value(kernel, "questions()") == "['a', 'B!']"
    kernel.run("%agent chat b", cell_id="b")
    assert value(kernel, "questions()") == "['a', 'B!', 'b']"


def test_a_chat_whose_conversation_is_deleted(kernel: Kernel) -> None:
    """The widget is empty then, and its next question begins a conversation that the session is in too."""
    kernel.run("%agent new Sky\n%agent chat a")
    [_, record] = displayed(kernel, "%agent chat --to chat")
    assert "> a\n\nfirst" in record["text/plain"]
    kernel.run("%agent delete Sky")
    assert value(kernel, "chat.turns, chat.conversation_id, session.conversation") == "([], '', None)"
    assert value(kernel, "chat.ask('b').text, chat.title, questions()") == "('first', 'b', ['b'])"


def test_a_chat_that_did_not_hear_of_it(kernel: Kernel) -> None:
    """Where Python deleted the conversation, the next question of the widget begins another one all the same."""
    kernel.run("%agent new Sky\n%agent chat --to chat\n_ = chat.ask('a')")
    kernel.run("_ = bench.delete(chat.conversation)")
    assert value(kernel, "chat.ask('b').text, len(chat.turns), questions()") == "('first', 1, ['b'])"


def test_a_chat_that_branches(kernel: Kernel) -> None:
    """What a cell goes back to, the widget shows."""
    kernel.run("%agent chat --to chat\n_ = chat.ask('a'); _ = chat.ask('b')")
    kernel.run("%agent branch")
    assert value(kernel, "[each['question']['text'] for each in chat.turns]") == "['a']"
