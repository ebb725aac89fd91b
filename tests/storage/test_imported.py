"""Conversations from files, beside those that are here, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from agentbench.protocol import Response
from agentbench.protocol.items import assistant_message, user_message
from agentbench.storage import conversations, imported, responses, tables
from agentbench.storage.conversations import Conversation
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.storage.database import Database
    from agentbench.storage.imported import TakenIn

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def talk(head: str | None, **values: Any) -> Conversation:
    """Return a conversation of Ann's."""
    given = {"id": "conv_1", "user": "ann", "title": "T", "created_at": NOW, "updated_at": NOW}
    return Conversation(**given | {"head": head, **values})


def turn(key: str, parent: str | None = None, **values: Any) -> StoredResponse:
    """Return a turn of it, with text that PostgreSQL takes only as JSON."""
    said = (assistant_message(f"{key} \x00"),)
    response = Response(id=key, created_at=0, model="m", output=said, previous_response_id=parent)
    given = {"user": "ann", "conversation_id": "conv_1", "endpoint": "e", "created_at": NOW}
    return StoredResponse(response=response, input=(user_message(key),), parent=parent, **given | values)


async def take_in(database: Database, conversation: Conversation, turns: Sequence[StoredResponse]) -> TakenIn:
    """Take a conversation in."""
    return await database.write(partial(imported.take_in, conversation=conversation, turns=turns))


async def test_it_is_stored_as_it_is(database: Database) -> None:
    """Conversation and turns are read back equal, and the ledger has no row."""
    turns = (turn("resp_1"), turn("resp_2", "resp_1"))
    taken = await take_in(database, talk("resp_2"), turns)
    assert (taken.conversation, taken.added, taken.present) == (talk("resp_2"), 2, 0)
    assert await database.read(partial(responses.chain, head="resp_2", user="ann")) == turns
    assert (
        await database.read(lambda connection: connection.scalar(select(func.count()).select_from(tables.usage))) == 0
    )


async def test_again_adds_nothing(database: Database) -> None:
    """What is here stays as it is, with a title that a person has given since."""
    await take_in(database, talk("resp_1"), [turn("resp_1")])
    await database.write(partial(conversations.rename, conversation_id="conv_1", title="Mine"))
    taken = await take_in(database, talk("resp_1"), [turn("resp_1")])
    assert (taken.conversation.title, taken.added, taken.present) == ("Mine", 0, 1)


async def test_what_is_new_is_added_and_gone_on_from(database: Database) -> None:
    """A file that has grown brings its new turns."""
    await take_in(database, talk("resp_1"), [turn("resp_1")])
    taken = await take_in(database, talk("resp_2"), [turn("resp_1"), turn("resp_2", "resp_1")])
    assert (taken.conversation.head, taken.added) == ("resp_2", 1)
    found = await database.read(partial(conversations.get, conversation_id="conv_1", user="ann"))
    assert found is not None
    assert found.head == "resp_2"


async def test_a_conversation_that_went_on_here_stays_where_it_is(database: Database) -> None:
    """New turns of the file are a branch then."""
    await take_in(database, talk("resp_1"), [turn("resp_1")])
    await take_in(database, talk("resp_own"), [turn("resp_1"), turn("resp_own", "resp_1")])
    taken = await take_in(database, talk("resp_2"), [turn("resp_1"), turn("resp_2", "resp_1")])
    assert (taken.conversation.head, taken.added) == ("resp_own", 1)


async def test_ids_of_others_give_way(database: Database) -> None:
    """Another user's conversation and responses stay; links between turns are kept, and again adds nothing."""
    theirs = talk("resp_1", user="bob")
    await take_in(database, theirs, [turn("resp_1", user="bob")])
    mine = [turn("resp_1"), turn("resp_2", "resp_1")]
    taken = await take_in(database, talk("resp_2"), mine)
    assert taken.conversation.id != "conv_1"
    chain = await database.read(partial(responses.chain, head=taken.conversation.head or "", user="ann"))
    assert [each.response.output for each in chain] == [each.response.output for each in mine]
    assert chain[1].parent == chain[0].response.id == chain[1].response.previous_response_id
    assert (await take_in(database, talk("resp_2"), mine)).added == 0
    assert await database.read(partial(conversations.get, conversation_id="conv_1", user="bob")) == theirs


async def test_a_response_of_another_conversation_gives_way(database: Database) -> None:
    """The same user may have it in two conversations."""
    await take_in(database, talk("resp_1"), [turn("resp_1")])
    other = replace(talk("resp_1"), id="conv_2")
    taken = await take_in(database, other, [replace(turn("resp_1"), conversation_id="conv_2")])
    assert taken.added == 1
    assert taken.conversation.head not in (None, "resp_1")
