"""The responses of a conversation as a tree, and going back in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from agentbench import Workbench
from agentbench.errors import UnknownName
from agentbench.protocol import Response
from agentbench.protocol.items import assistant_message, user_message
from agentbench.storage import branches, conversations, responses
from agentbench.storage.branches import Branches, Link, link_of
from agentbench.storage.responses import StoredResponse
from agentbench.storage.unsaved import Outcome, Unsaved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentbench.storage.database import Database

START = datetime(2026, 1, 2, tzinfo=UTC)
CONFIG = {
    "endpoints": {"scripted": {"models": {"m": {"turns": [[{"text": "first"}], [{"text": "second"}]]}}}},
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "m"}],
}


def turn(name: str, parent: str | None, conversation: str, *, user: str = "ann", minute: int = 0) -> StoredResponse:
    """Return a turn of a conversation."""
    return StoredResponse(
        response=Response(id=name, status="completed", model="m", created_at=1, output=(assistant_message(name),)),
        input=(user_message(f"question {name}"),),
        user=user,
        conversation_id=conversation,
        parent=parent,
        endpoint="local",
        created_at=START + timedelta(minutes=minute),
    )


def tree(*pairs: tuple[str, str | None]) -> Branches:
    """Return branches of these responses, each a minute after the one before."""
    return Branches(
        Link(id=name, parent=parent, created_at=START + timedelta(minutes=minute))
        for minute, (name, parent) in enumerate(pairs)
    )


@pytest.mark.anyio
async def test_links_of_a_conversation(database: Database) -> None:
    """Every response of the user's conversation is there with its parent and time, and no other."""
    mine, other = [await database.write(partial(conversations.create, user="ann")) for _ in range(2)]
    turns = [
        turn("a", None, mine.id),
        turn("b", "a", mine.id, minute=1),
        turn("c", "a", mine.id, minute=2),
        turn("d", None, other.id),
        turn("e", "a", mine.id, user="bob"),
    ]
    for each in turns:
        await database.write(partial(responses.save, stored=each))
    found = await database.read(partial(branches.links, conversation_id=mine.id, user="ann"))
    assert sorted(found, key=lambda link: link.id) == [link_of(each) for each in turns[:3]]


def test_siblings() -> None:
    """They follow the same response, oldest first, also at the beginning; who isn't there has none but itself."""
    known = tree(("a", None), ("b", "a"), ("c", "a"), ("d", "b"), ("e", None))
    assert known.siblings("c") == ("b", "c")
    assert known.siblings("a") == known.after(None) == ("a", "e")
    assert known.siblings("x") == ("x",)


def test_a_parent_that_is_gone() -> None:
    """What followed it stands at the beginning."""
    assert tree(("a", None), ("c", "b")).siblings("c") == ("a", "c")


def test_the_newest_leaf() -> None:
    """Of all ends below a response the newest counts; an end is its own."""
    known = tree(("a", None), ("b", "a"), ("c", "a"), ("d", "b"), ("e", "a"))
    assert [known.leaf(each) for each in "abcde"] == ["e", "d", "c", "d", "e"]
    assert ("d" in known, "x" in known, len(known)) == (True, False, 5)


def test_turns_that_wait_to_be_stored(tmp_path: Path) -> None:
    """They are found by their conversation and its user."""
    unsaved = Unsaved([tmp_path / "unsaved"])
    mine = turn("a", None, "conv_1")
    for each in (mine, turn("b", None, "conv_2"), replace(mine, user="bob")):
        unsaved.keep(Outcome(response=each, is_head=True))
    assert unsaved.turns("conv_1", "ann") == [mine]


@pytest.fixture
def bench(database_url: str) -> Iterator[Workbench]:
    """Give a workbench on a database of each kind."""
    with Workbench(CONFIG, database_url=database_url) as bench:
        yield bench


def test_going_back(bench: Workbench) -> None:
    """A conversation goes on from where it was rewound to; the branch that was left can be gone to again."""
    conversation = bench.start_conversation()
    first, second = bench.ask("a", conversation=conversation), bench.ask("b", conversation=conversation)
    bench.rewind(conversation, first.id)
    other = bench.ask("B", conversation=conversation)
    assert [each.response.id for each in bench.turns(conversation)] == [first.id, other.id]
    assert bench.branches(conversation).siblings(other.id) == (second.id, other.id)
    bench.rewind(conversation, second.id)
    assert [each.response.id for each in bench.turns(conversation)] == [first.id, second.id]
    assert [each.response.id for each in bench.turns(conversation, to=other.id)] == [first.id, other.id]


def test_going_back_to_the_beginning(bench: Workbench) -> None:
    """The next question is a first one again, beside the old one, and follows nothing."""
    conversation = bench.start_conversation()
    first = bench.ask("a", conversation=conversation)
    bench.rewind(conversation, None)
    assert bench.turns(conversation) == ()
    again = bench.ask("A", conversation=conversation)
    assert again.output_text == "first"
    beside = bench.ask("Ä", conversation=conversation, past=())
    assert bench.branches(conversation).after(None) == (first.id, again.id, beside.id)
    assert [each.response.id for each in bench.turns(conversation)] == [beside.id]


def test_going_back_to_what_is_not_there(bench: Workbench) -> None:
    """A response of another conversation isn't there, nor is a conversation that nobody began."""
    mine, other = bench.start_conversation(), bench.start_conversation()
    theirs = bench.ask("a", conversation=other)
    with pytest.raises(UnknownName, match=theirs.id):
        bench.rewind(mine, theirs.id)
    with pytest.raises(UnknownName, match="conv_none"):
        bench.rewind("conv_none", None)


def test_the_calls_of_a_conversation(bench: Workbench) -> None:
    """The ledger's rows of every branch come back, and no other conversation's."""
    conversation = bench.start_conversation()
    answers = [bench.ask("a", conversation=conversation, past=()) for _ in range(2)]
    bench.ask("b", conversation=bench.start_conversation())
    assert {row.response_id for row in bench.calls(conversation)} == {each.id for each in answers}
