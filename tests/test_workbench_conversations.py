"""Conversations from Python: found, summed up, drawn as trees, branched and deleted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from agentbench import Workbench
from agentbench.auth.principal import KERNEL
from agentbench.errors import AnswerFailed, InvalidRequest, StorageError, UnknownName
from agentbench.protocol.assistants.requests import CreateMessage, CreateThread
from agentbench.workbench.tree_lines import MOST_LINES, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.storage.conversations import Conversation

CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {
            "models": {
                "m": [{"text": "Yes."}, {"usage": {"input_tokens": 5, "output_tokens": 1}}],
                "broken": [{"text": "Half"}, {"error": "It fell over."}],
                "slow": [{"text": "So"}, {"wait": 60}],
            },
        }
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "m"}],
}


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench whose model says yes."""
    with Workbench(CONFIG) as bench:
        yield bench


@pytest.fixture
def sky(bench: Workbench) -> Conversation:
    """Give a conversation that was asked a, b, went back and was asked c, then a question that failed."""
    talk = bench.start_conversation("The sky")
    first = bench.ask("a", conversation=talk)
    bench.ask("b", conversation=talk)
    bench.rewind(talk, first.id)
    bench.ask("c", conversation=talk)
    with pytest.raises(AnswerFailed):
        bench.ask("d", conversation=talk, model="scripted/broken")
    return talk


# -- finding --------------------------------------------------------------------------------------------------------


def test_a_conversation_is_found_by_its_names(bench: Workbench, sky: Conversation) -> None:
    """By its id, its title whatever the case, or a part of that; the whole title goes before a part of others."""
    longer = bench.start_conversation("The sky at night")
    for name in (sky.id, "the  SKY"):
        assert bench.find_conversation(name).id == sky.id
    assert bench.find_conversation("night").id == longer.id


def test_an_ambiguous_name(bench: Workbench, sky: Conversation) -> None:
    """The candidates are named, so many of them at least that one sees what to write."""
    others = [bench.start_conversation(f"Sky {number}") for number in range(6)]
    with pytest.raises(InvalidRequest) as caught:
        bench.find_conversation("sky")
    assert caught.value.message.startswith(f"7 conversations are called 'sky': 'Sky 5' ({others[5].id}), ")
    assert caught.value.message.endswith(" and 2 more. Name one by its id.")
    assert sky.id not in caught.value.message


def test_a_name_that_nobody_has(bench: Workbench, sky: Conversation) -> None:
    """The nearest title is suggested; nothing at all names nothing."""
    assert sky.title == "The sky"
    with pytest.raises(UnknownName, match=r"There is no conversation 'The skyy'\. Did you mean 'The sky'\?"):
        bench.find_conversation("The skyy")
    with pytest.raises(UnknownName):
        bench.find_conversation("")


# -- sums and trees -------------------------------------------------------------------------------------------------


def test_what_conversations_took(bench: Workbench, sky: Conversation) -> None:
    """All branches count, failures among them; a new conversation took nothing."""
    took, none = bench.took([sky, bench.start_conversation()])
    assert (took.turns, took.calls, took.unknown) == (4, 4, 0)
    assert (took.output_tokens, took.cost) == (3 + 1, 0)
    assert (none.turns, none.cost) == (0, None)


def test_a_tree(bench: Workbench, sky: Conversation) -> None:
    """Turns are numbered as they came; the branch that goes on runs straight down, others stand further in."""
    assert repr(bench.tree(sky)).splitlines() == [
        "The sky (4 turns, 2 branches)",
        "● 1  a  · bot",
        "  └ ○ 2  b  · bot",
        "● 3  c  · bot · ← here",
        "○ 4  d  · bot · failed",
        "Go on after a turn: %agent branch NUMBER",
    ]


def test_a_tree_as_a_frame(bench: Workbench, sky: Conversation) -> None:
    """A turn is a row, with the one that it follows and whether it is in the branch that goes on."""
    frame = bench.tree(sky).frame()
    assert list(frame["after"]) == [0, 1, 1, 3]
    assert list(frame["question"]) == ["a", "b", "c", "d"]
    assert list(frame["current"]) == [True, False, True, False]
    assert list(frame["status"]) == ["completed"] * 3 + ["failed"]


def test_a_tree_in_a_notebook(bench: Workbench) -> None:
    """As HTML a branch is an item of a list, and nothing that was asked is live; as Markdown it is a block of text."""
    talk = bench.start_conversation("<b>")
    for question in ("<i>", "```"):
        bench.ask(question, conversation=talk, past=())
    shown = bench.tree(talk)._repr_mimebundle_()
    assert "<ul><li>1. &lt;i&gt; <small>· bot</small></li></ul><strong>2. ```</strong>" in shown["text/html"]
    assert "&lt;b&gt;" in shown["text/html"]
    assert shown["text/markdown"] == f"````text\n{shown['text/plain']}\n````"


def test_an_empty_tree(bench: Workbench) -> None:
    """It says that nothing was said."""
    assert repr(bench.tree(bench.start_conversation("Sky"))) == "Sky (nothing was said yet)"


def test_a_long_conversation_is_shortened() -> None:
    """What is left out is counted; where the conversation goes on and where branches part is shown."""
    after = {number: number - 1 for number in range(1, 1001)} | {1001: 500}
    lines = lines_of(after, range(1, 1001))
    shown = {line.number for line in lines if not line.left_out}
    assert len(shown) == MOST_LINES
    assert {1, 500, 501, 1001, 1000, 995} <= shown
    assert sum(line.left_out for line in lines) + len(shown) == 1001


def test_a_tree_of_many_branches() -> None:
    """A turn that was asked again and again, and each of those again, takes no recursion and few columns."""
    after = {number: number - 1 for number in range(1, 3000)} | {number: number - 3000 for number in range(3001, 6000)}
    lines = lines_of(after, [1])
    assert max(line.depth for line in lines) < 10
    assert lines[0].number == 1 or lines[0].number == 0


# -- branching ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after", "here"), [(2, 2), (0, 0), (None, 1)])
def test_going_on_after_a_turn(bench: Workbench, sky: Conversation, after: int | None, here: int) -> None:
    """It goes on after the turn of that number, at the beginning, or before the last question; all turns stay."""
    tree = bench.branch(sky, after)
    assert (tree.here, len(tree)) == (here, 4)
    bench.ask("e", conversation=sky)
    assert bench.tree(sky).by_number[5].after == here


def test_going_on_after_a_response(bench: Workbench, sky: Conversation) -> None:
    """A turn is named by its response too."""
    assert bench.branch(sky, bench.tree(sky).by_number[2].response_id).here == 2


@pytest.mark.parametrize(
    ("after", "message"),
    [(9, "There is no turn '9'."), (4, "Turn 4 has no answer, so nothing can follow it. The turn before it is 3.")],
)
def test_nothing_can_follow(bench: Workbench, sky: Conversation, after: int, message: str) -> None:
    """A turn that isn't there or has failed is refused, and the conversation goes on where it did."""
    with pytest.raises(InvalidRequest, match=message.replace(".", r"\.")):
        bench.branch(sky, after)
    assert bench.tree(sky).here == 3


def test_there_is_nothing_before_the_beginning(bench: Workbench) -> None:
    """A conversation in which nothing was asked has no last question."""
    with pytest.raises(InvalidRequest, match="at its beginning"):
        bench.branch(bench.start_conversation())


# -- deleting -------------------------------------------------------------------------------------------------------


def test_deleting(bench: Workbench, sky: Conversation) -> None:
    """All its turns are gone, the ledger's rows are not, and it can't be asked any more."""
    assert bench.delete(sky) == 4
    assert (bench.conversation(sky.id), bench.conversations(), len(bench.usage())) == (None, [], 4)
    with pytest.raises(UnknownName):
        bench.ask("e", conversation=sky)
    with pytest.raises(UnknownName):
        bench.delete(sky)


def test_deleting_while_an_answer_comes(bench: Workbench) -> None:
    """It is refused until the answer has ended, as that would bring the conversation back."""
    talk = bench.start_conversation()
    stream = bench.stream("a", conversation=talk, model="scripted/slow")
    begun = threading.Event()

    def read() -> None:
        for _ in stream:
            begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(10)
    with pytest.raises(InvalidRequest, match="still coming"):
        bench.delete(talk)
    stream.stop()
    reader.join()
    assert bench.delete(talk) == 1


def test_deleting_a_thread(bench: Workbench) -> None:
    """A thread of the Assistants API goes as a whole, not only its conversation."""
    assistants = bench._runner.assistants
    portal = bench._open_loop().portal
    thread = portal.call(
        assistants.create_thread, KERNEL, CreateThread(messages=(CreateMessage(role="user", content="Hi"),))
    )
    bench.delete(thread.id)
    with pytest.raises(UnknownName):
        portal.call(assistants.thread, KERNEL, thread.id)


def test_what_waits_to_be_stored(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation that the database doesn't take is listed, drawn and counted, and deleted once that works again."""
    with monkeypatch.context() as patch:

        async def refuse(*_: object, **__: object) -> None:
            raise StorageError("The disk is full.")

        patch.setattr(bench._database, "write", refuse)
        talk = bench.start_conversation("The sky")
        bench.ask("a", conversation=talk)
        monkeypatch.setattr(bench._database, "_flush", lambda: None)
        assert [each.id for each in bench.conversations()] == [talk.id]
        assert (bench.find_conversation("sky").id, len(bench.tree(talk))) == (talk.id, 1)
        assert bench.took([talk])[0][:4] == (1, 1, 5, 1)
        with pytest.raises(StorageError):
            bench.delete(talk)
    assert bench.delete(talk) == 1
    assert (bench.conversations(), len(bench._database.unsaved), len(bench.usage())) == ([], 0, 1)
