"""Conversations into files and out of them, from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.notebook.scripts import CONFIG

from agentbench import Workbench
from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.storage.conversations import Conversation

FILES = Path(__file__).parent / "archives" / "files"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """Give a workbench of the scripted models."""
    with Workbench(CONFIG, home=tmp_path / "one") as bench:
        yield bench


@pytest.fixture
def talk(bench: Workbench) -> Conversation:
    """Give a conversation with two branches."""
    made = bench.start_conversation("Rain", agent="counter")
    first = bench.ask("One?", agent="counter", conversation=made)
    bench.ask("Two?", agent="counter", conversation=made)
    bench.rewind(made, first.id)
    bench.ask("Else?", agent="counter", conversation=made, temperature=0.5)
    found = bench.conversation(made.id)
    assert found is not None
    return found


def test_an_archive_moves_a_conversation(bench: Workbench, talk: Conversation, tmp_path: Path) -> None:
    """Another database has the same turns of all branches then, and no calls in its ledger; it can be gone on in."""
    file = bench.export_conversation(talk, tmp_path / "talk.json")
    with Workbench(CONFIG, home=tmp_path / "two") as other:
        [found] = other.import_conversations(file)
        assert found == talk
        assert other.archived(found) == bench.archived(talk)
        assert len(other.usage()) == 0
        assert other.ask("More?", agent="counter", conversation=found).output_text == "third"


def test_importing_again_says_so(bench: Workbench) -> None:
    """Nothing is doubled."""
    first = bench.import_conversations(FILES / "chatgpt.json")
    again = bench.import_conversations(FILES / "chatgpt.json")
    assert (first.turns, again.turns, again.present) == (3, 0, 1)
    assert list(first) == list(again)
    assert len(bench.conversations()) == 1
    assert "1 conversation had nothing new." in repr(again)


def test_all_that_happened_is_said(bench: Workbench) -> None:
    """What was read, what isn't as it was, and what could not be read, with its place."""
    assert repr(bench.import_conversations(FILES / "chatgpt.json")).splitlines() == [
        "1 conversation from ChatGPT: 3 new turns.",
        "Note: custom instructions are left out (1).",
        "Note: an image whose content is not there (1).",
        "Not read: entry 2: it has no mapping, so no messages.",
    ]


def test_an_agent_that_is_not_here_is_told(bench: Workbench, talk: Conversation, tmp_path: Path) -> None:
    """The default one goes on, and the note says which is missing."""
    text = bench.export_conversation(talk, tmp_path / "talk.json").read_text()
    with Workbench(CONFIG, home=tmp_path / "two") as other:
        found = other.import_conversations(text.replace('"counter"', '"gone"').encode())
        assert found[0].agent is None
        assert found.notes == {"the agent 'gone' isn't here, the default one goes on": 1}
        assert other.ask("More?", conversation=found[0]).output_text == "Hello **world**"


def test_branches_can_be_gone_on_in(bench: Workbench) -> None:
    """Imported branches are branches like others."""
    [found] = bench.import_conversations(FILES / "open_webui.json")
    known = bench.branches(found)
    [crimson, red] = sorted(known.after(None), key=lambda key: bench.turns(found, to=key)[0].response.output_text)
    assert known.leaf(crimson) == found.head
    bench.rewind(found, red)
    bench.ask("And now?", conversation=found)
    assert [turn.response.output_text for turn in bench.turns(found)] == ["Red.", "Hello **world**"]


def test_many_conversations_are_one_call(bench: Workbench) -> None:
    """Several transactions' worth are all there, in the order of the file."""
    chats = [{"id": f"c{n}", "messages": [{"role": "user", "content": f"Q{n}"}]} for n in range(120)]
    found = bench.import_conversations(msgspec.json.encode(chats))
    assert [each.title for each in found] == [f"Q{n}" for n in range(120)]


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_a_file_that_cannot_be_read_is_told(bench: Workbench, name: str) -> None:
    """With its reason."""
    with pytest.raises(InvalidRequest, match="can't be read: "):
        bench.import_conversations(name)


def test_a_file_of_another_kind_is_told(bench: Workbench, tmp_path: Path) -> None:
    """The error names the formats that are known."""
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(InvalidRequest, match=r"x\.json can't be imported: .*Open WebUI"):
        bench.import_conversations(tmp_path / "x.json")


def test_lines_hold_a_branch_each(bench: Workbench, talk: Conversation, tmp_path: Path) -> None:
    """The current branch alone, or all of them."""
    one = bench.export_conversation(talk, tmp_path / "a.jsonl").read_text().splitlines()
    both = bench.export_conversation(talk, tmp_path / "b.jsonl", branches=True).read_text().splitlines()
    assert both[:1] == one
    assert [msgspec.json.decode(each)["messages"][-2]["content"] for each in both] == ["Else?", "Two?"]


def test_markdown_is_for_readers(bench: Workbench, talk: Conversation, tmp_path: Path) -> None:
    """Title, questions and answers are there; of other branches it is told that they are."""
    text = bench.export_conversation(talk, tmp_path / "talk.md").read_text()
    assert text.startswith("# Rain\n")
    assert "> One?\n\nfirst" in text
    assert "Two?" not in text
    assert "1 more of its branches" in text
    assert "## Branch 2" in bench.export_conversation(talk, tmp_path / "talk.md", branches=True).read_text()


def test_what_cannot_be_exported_is_told(bench: Workbench, talk: Conversation, tmp_path: Path) -> None:
    """A conversation that isn't there, a suffix that nobody knows, a folder that isn't there."""
    with pytest.raises(UnknownName, match="conv_gone"):
        bench.export_conversation("conv_gone", tmp_path / "x.json")
    with pytest.raises(InvalidRequest, match=r"x\.pdf: It must end in"):
        bench.export_conversation(talk, tmp_path / "x.pdf")
    with pytest.raises(InvalidRequest, match="No such file or directory"):
        bench.export_conversation(talk, tmp_path / "nowhere" / "x.md")
