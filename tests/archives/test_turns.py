"""From trees of messages to turns, whatever is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.archives.told import question, tree

from agentbench.archives.turns import archived, clean_title
from agentbench.archives.values import Archived, Said, Talk
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, assistant_message, user_message


def said(key: str, parent: str | None, text: str | None = None, **options: Any) -> Said:
    """Return a message; those that begin with a question mark ask."""
    asks = key.startswith("?")
    items = (user_message(text or key) if asks else assistant_message(text or key),)
    return Said(**{"id": key, "parent": parent, "role": "user" if asks else "assistant", "items": items} | options)


def made(*messages: Said, **options: Any) -> Archived:
    """Return the conversation of these messages."""
    return archived(Talk(program="p", key="k", said=messages, **options), "ann")


def test_messages_may_come_in_any_order() -> None:
    """An answer may stand before its question."""
    assert tree(made(said("b", "?2"), said("?2", "a"), said("a", "?1"), said("?1", None))) == {"a": None, "b": "a"}


def test_several_questions_are_one_turns() -> None:
    """What was asked in a row belongs to the answer."""
    [turn] = made(said("?1", None), said("?2", "?1"), said("a", "?2")).turns
    assert question(turn) == ["user: ?1", "user: ?2"]


def test_a_circle_is_cut() -> None:
    """Messages that follow each other in a circle are all read, and it is told."""
    talk = made(said("?1", "a"), said("a", "?1"), said("b", "b"))
    assert tree(talk) == {"a": None, "b": None}
    assert "messages that follow each other in a circle" in talk.notes


def test_a_missing_parent_is_the_beginning() -> None:
    """What follows a message that isn't there begins the conversation, and it is told."""
    talk = made(said("a", "gone"))
    assert tree(talk) == {"a": None}
    assert talk.notes == ("a message that follows one that is not there",)


def test_two_messages_of_one_id_both_stay() -> None:
    """The later one gets another id."""
    talk = made(said("a", None, "one"), said("a", None, "two"))
    assert tree(talk) == {"one": None, "two": None}
    assert talk.notes == ("two messages of one id",)


def test_the_newest_answer_goes_on() -> None:
    """Where nothing says what is current; a question without an answer is no place to go on from."""
    at = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    talk = made(said("a", None, at=at[1]), said("b", None, at=at[0]), said("?1", None, at=at[2]))
    assert talk.conversation.head == talk.turns[0].response.id
    assert talk.turns[2].response.status == "incomplete"


def test_a_call_without_a_result_leaves_the_answer_incomplete() -> None:
    """No provider takes it again; a result without a call gets one."""
    call = FunctionCall(id="f", call_id="c", name="f", arguments="{}")
    result = FunctionCallOutput(id="o", call_id="d", output="1")
    [turn, other] = made(said("a", None, items=(call,)), said("b", None, items=(result,))).turns
    assert turn.response.status == "incomplete"
    assert [item.call_id for item in other.response.output if isinstance(item, FunctionCall)] == ["d"]


def test_ten_thousand_messages_in_a_row_are_turns() -> None:
    """In order, each after the one before."""
    keys = [f"{'?' if n % 2 == 0 else ''}{n}" for n in range(10_000)]
    talk = made(*(said(key, keys[n - 1] if n else None) for n, key in enumerate(keys)))
    assert len(talk.turns) == 5_000
    assert all(turn.parent == before.response.id for before, turn in zip(talk.turns, talk.turns[1:], strict=False))


def test_times_go_up_where_none_are_told() -> None:
    """A turn is newer than the one that it follows."""
    [one, two] = made(said("?1", None), said("a", "?1"), said("?2", "a"), said("b", "?2")).turns
    assert one.created_at < two.created_at


def test_a_title_is_one_line() -> None:
    """Of a length that lists can show, with nothing in it that can't be shown."""
    assert clean_title("a\x00\n b\u202e") == "a b"
    assert clean_title(" \n") is None
    assert len(clean_title("x" * 1_000) or "") == 200
