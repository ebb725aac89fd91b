"""Our own archives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from agentbench.archives import archive
from agentbench.archives.reading import read
from agentbench.archives.values import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.archives.reading import Read
    from agentbench.archives.values import Archived


@pytest.fixture
def talk(opened: Callable[[str], Read]) -> Archived:
    """Give a conversation of Ann's with branches, calls and reasoning."""
    return opened("librechat.json").found[0]


def test_it_is_read_back_to_the_same(talk: Archived) -> None:
    """Conversation and turns are equal, item by item; for another user they are that one's."""
    [again] = read(archive.text([talk]), "ann").found
    assert (again.conversation, again.turns) == (talk.conversation, talk.turns)
    [others] = read(archive.text([talk]), "bob").found
    assert {others.conversation.user, *(turn.user for turn in others.turns)} == {"bob"}


def test_it_says_nothing_that_nobody_said(talk: Archived) -> None:
    """Neither the user nor the cell is in the file, nor what a caller told of a user."""
    secret = replace(talk.turns[0].response, safety_identifier="hidden-1", prompt_cache_key="hidden-2")
    turn = replace(talk.turns[0], user="hidden-3", cell_id="hidden-4", cell_run="hidden-5", response=secret)
    talk = replace(talk, conversation=replace(talk.conversation, user="hidden-6"), turns=(turn,))
    assert "hidden" not in archive.text([talk])


def test_a_broken_turn_is_left_out(talk: Archived) -> None:
    """What followed it follows the turn before, and that is told."""
    raw = msgspec.json.decode(archive.text([talk]))
    turns = raw["conversations"][0]["turns"]
    place = next(n for n, turn in enumerate(turns) if turn["response"]["id"] == talk.conversation.head)
    turns[place]["response"]["status"] = "odd"
    [again] = read(msgspec.json.encode(raw), "ann").found
    assert len(again.turns) == len(talk.turns) - 1
    assert {turn.parent for turn in again.turns} == {None}
    assert again.conversation.head is None
    assert again.notes == ("a turn that can't be read is left out",)


def test_a_newer_version_is_refused() -> None:
    """It says which version there is."""
    with pytest.raises(Malformed, match="version 2"):
        read('{"object": "agentbench.archive", "version": 2}', "ann")


def test_a_broken_conversation_is_told_with_its_place(talk: Archived) -> None:
    """The others are read."""
    raw = msgspec.json.decode(archive.text([talk]))
    raw["conversations"].insert(0, {"turns": []})
    found = read(msgspec.json.encode(raw), "ann")
    assert [each.place for each in found.problems] == ["conversation 1"]
    assert len(found.found) == 1
