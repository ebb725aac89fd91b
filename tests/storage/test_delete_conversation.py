"""Whole conversations: deleted with all that belongs to them, summed up, and what waits to be stored among them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.storage.test_branches import START, turn

from agentbench.protocol.values import new_id
from agentbench.storage import background, conversation_sums, conversations, responses, usage
from agentbench.storage.conversation_sums import ConversationSums, together
from agentbench.storage.unsaved import Outcome, Unsaved

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio


def filled(connection: Connection, row: UsageRow) -> tuple[str, str]:
    """Store two conversations of Ann's, the first with a branch and three calls; return their ids."""
    mine, other = (conversations.create(connection, user="ann", title=title).id for title in ("Sky", "Rain"))
    for stored in (turn("a", None, mine), turn("b", "a", mine), turn("c", "a", mine), turn("d", None, other)):
        responses.save(connection, stored)
    calls = [
        replace(row, input_tokens=10, output_tokens=None, cost=0.5),
        replace(row, input_tokens=5, output_tokens=2, cost=None),
        replace(row, user="bob", input_tokens=99),
    ]
    for call in calls:
        usage.append(connection, replace(call, id=new_id("use"), conversation_id=mine))
    return mine, other


async def test_deleting(database: Database, row: UsageRow) -> None:
    """The conversation's responses go with it, nothing else does, and the ledger keeps its rows."""
    mine, other = await database.write(partial(filled, row=row))
    assert await database.write(partial(conversations.delete, conversation_id=mine, user="ann"))
    assert await database.read(partial(conversations.titles, user="ann")) == {other: "Rain"}
    left = await database.read(partial(responses.several, response_ids=["a", "b", "c", "d"], user="ann"))
    assert [each.response.id for each in left] == ["d"]
    assert len(await database.read(usage.rows)) == 3


async def test_deleting_what_is_not_mine(database: Database, row: UsageRow) -> None:
    """Another user's conversation stays as it is, and so does one that isn't there."""
    mine, _ = await database.write(partial(filled, row=row))
    for key, user in ((mine, "bob"), ("conv_none", "ann")):
        assert not await database.write(partial(conversations.delete, conversation_id=key, user=user))
    assert len(await database.read(partial(responses.several, response_ids=["a", "b", "c"], user="ann"))) == 3


async def test_sums(database: Database, row: UsageRow) -> None:
    """Turns of all branches and the user's calls are summed up; calls of unknown cost are counted."""
    mine, other = await database.write(partial(filled, row=row))
    found = await database.read(partial(conversation_sums.sums, conversation_ids=[mine, other, "x"], user="ann"))
    assert found == {mine: ConversationSums(3, 2, 15, 2, 0.5, 1), other: ConversationSums(turns=1)}


async def test_many_responses(sqlite: Database) -> None:
    """More are asked for than one statement takes."""
    await sqlite.write(
        lambda connection: responses.save(connection, replace(turn("a", None, ""), conversation_id=None))
    )
    names = [*(f"x{number}" for number in range(40_000)), "a"]
    found = await sqlite.read(partial(responses.several, response_ids=names, user="ann"))
    assert [each.response.id for each in found] == ["a"]


async def test_a_conversation_in_which_some_process_works(database: Database, row: UsageRow) -> None:
    """It is busy while that process gives signs; other conversations aren't."""
    mine, other = await database.write(partial(filled, row=row))
    await database.write(partial(background.begin, response_id="b", now=START))
    states = [
        await database.read(partial(background.is_busy, conversation_id=key, since=since))
        for key, since in ((mine, START), (other, START), (mine, START.replace(year=START.year + 1)))
    ]
    assert states == [True, False, False]


async def test_what_waits_is_dropped(row: UsageRow) -> None:
    """Of a conversation that is dropped only the ledger's rows wait on; other conversations and users lose nothing."""
    unsaved = Unsaved([])
    mine, theirs = turn("a", None, "conv_1"), turn("b", None, "conv_1", user="bob")
    begun = conversations.new(user="ann")
    call = replace(row, conversation_id="conv_1")
    unsaved.keep(Outcome(response=mine, is_head=True, rows=(call,)))
    unsaved.keep(Outcome(response=theirs))
    unsaved.keep(Outcome(conversation=begun))
    assert unsaved.begun("ann") == ["conv_1", begun.id]
    assert unsaved.rows("conv_1", "ann") == [call]
    unsaved.drop("conv_1", "ann")
    unsaved.drop(begun.id, "ann")
    assert (unsaved.begun("ann"), unsaved.begun("bob")) == ([], ["conv_1"])
    assert (unsaved.turns("conv_1", "ann"), unsaved.rows("conv_1", "ann")) == ([], [call])


def test_what_waits_counts(row: UsageRow) -> None:
    """What is known is added; what nobody knows stays unknown."""
    calls = [replace(row, input_tokens=1, cost=0.25), row]
    assert together(ConversationSums(3, 2, 15, None, 0.5, 1), 1, calls) == ConversationSums(4, 4, 16, None, 0.75, 2)
    assert together(None, 0, [row]) == ConversationSums(0, 1, None, None, None, 1)
