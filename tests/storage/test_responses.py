"""Stored responses and the walk along their links."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import IntegrityError

from agentbench.protocol import Response
from agentbench.protocol.items import FunctionCall, assistant_message, user_message
from agentbench.storage import conversations, responses
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


def turn(name: str, parent: str | None = None, user: str = "ann") -> StoredResponse:
    """Return a turn: a question, a function call and an answer."""
    call = FunctionCall(id="fc_1", call_id="call_1", name="look", arguments='{"at": "안녕\\u0000"}')
    output = (call, assistant_message(f"answer {name} 🙂"))
    return StoredResponse(
        response=Response(id=name, status="completed", model="smollm2", created_at=1, output=output),
        input=(user_message(f"question {name}"),),
        user=user,
        parent=parent,
        endpoint="local",
        cell_id="cell",
        cell_run="run",
        created_at=datetime.now(UTC),
    )


async def save(database: Database, *turns: StoredResponse) -> None:
    """Store turns."""
    for each in turns:
        await database.write(partial(responses.save, stored=each))


async def chain(database: Database, head: str, user: str = "ann") -> list[str]:
    """Return the ids along the links."""
    found = await database.read(lambda c: responses.chain(c, head, user))
    return [each.response.id for each in found]


async def test_a_response_comes_back_as_it_went_in(database: Database) -> None:
    """Its items are values again, equal to those that were stored."""
    stored = turn("resp_1")
    await save(database, stored)
    assert await database.read(lambda c: responses.get(c, "resp_1", "ann")) == stored


async def test_a_response_is_hidden_from_others(database: Database) -> None:
    """For another user it doesn't exist, neither to read, nor to go on from, nor to delete."""
    await save(database, turn("resp_1"))
    assert await database.read(lambda c: responses.get(c, "resp_1", "bob")) is None
    assert await chain(database, "resp_1", "bob") == []
    assert await database.write(lambda c: responses.delete(c, "resp_1", "bob")) is False


async def test_saving_again_replaces(database: Database) -> None:
    """A response that went on is stored in place of what was there."""
    first = turn("resp_1")
    later = replace(first, response=replace(first.response, status="failed"))
    await save(database, first, later)
    assert await database.read(lambda c: responses.get(c, "resp_1", "ann")) == later


async def test_a_chain_is_oldest_first(database: Database) -> None:
    """The walk follows parents, whatever order they were stored in, and leaves other branches out."""
    await save(database, turn("z"), turn("b", "m"), turn("m", "z"), turn("x", "m"), turn("a", "b"))
    assert await chain(database, "a") == ["z", "m", "b", "a"]
    assert await chain(database, "x") == ["z", "m", "x"]


async def test_a_chain_ends_at_another_users_response(database: Database) -> None:
    """Nobody reads another's turns by naming one as the parent of their own."""
    await save(database, turn("theirs", user="bob"), turn("mine", "theirs"), turn("next", "mine"))
    assert await chain(database, "next") == ["mine", "next"]


async def test_a_deleted_response_is_gone(database: Database) -> None:
    """It can be deleted once."""
    await save(database, turn("resp_1"))
    assert await database.write(lambda c: responses.delete(c, "resp_1", "ann")) is True
    assert await database.write(lambda c: responses.delete(c, "resp_1", "ann")) is False
    assert await database.read(lambda c: responses.get(c, "resp_1", "ann")) is None


async def test_a_response_needs_its_conversation(database: Database) -> None:
    """A conversation must be there before its responses."""
    with pytest.raises(IntegrityError):
        await save(database, replace(turn("resp_1"), conversation_id="conv_none"))
    made = await database.write(partial(conversations.create, user="ann"))
    stored = replace(turn("resp_1"), conversation_id=made.id)
    await save(database, stored)
    assert await database.read(lambda c: responses.get(c, "resp_1", "ann")) == stored


async def test_find_item(database: Database) -> None:
    """An item is found by its id in the user's inputs and outputs; the id is no pattern."""
    first, theirs = turn("one"), turn("two", user="bob")
    await save(database, first, theirs)
    wanted = [first.input[0], first.response.output[0], first.response.output[1]]
    found = [await database.read(partial(responses.find_item, item_id=item.id, user="ann")) for item in wanted]
    assert found == wanted
    for item_id in (theirs.input[0].id, "", "%", "msg%", "fc__", '"', "one"):
        assert await database.read(partial(responses.find_item, item_id=item_id, user="ann")) is None
