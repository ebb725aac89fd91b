"""Conversations and who may see them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from agentbench.storage import conversations

if TYPE_CHECKING:
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def create(database: Database, user: str = "ann", title: str | None = None) -> Conversation:
    """Start a conversation."""
    return await database.write(partial(conversations.create, user=user, title=title, agent="helper"))


async def test_a_conversation_is_found_by_its_user(database: Database) -> None:
    """It comes back as it was made."""
    made = await create(database, title="안녕")
    assert made.id.startswith("conv_")
    assert await database.read(lambda c: conversations.get(c, made.id, "ann")) == made


async def test_a_conversation_is_hidden_from_others(database: Database) -> None:
    """For another user it doesn't exist."""
    made = await create(database)
    assert await database.read(lambda c: conversations.get(c, made.id, "bob")) is None
    assert await database.read(lambda c: conversations.recent(c, "bob", 10)) == []


async def test_the_last_used_comes_first(database: Database) -> None:
    """A new turn brings a conversation to the top, and no more come than were asked for."""
    first, _, third = [await create(database) for _ in range(3)]
    await database.write(lambda c: conversations.move_head(c, first.id, "resp_1"))
    found = await database.read(lambda c: conversations.recent(c, "ann", 2))
    assert [each.id for each in found] == [first.id, third.id]


async def test_head_and_title_change(database: Database) -> None:
    """Only what is meant changes, and the time of the last change with it."""
    made, other = await create(database), await create(database)
    await database.write(lambda c: conversations.move_head(c, made.id, "resp_1"))
    await database.write(lambda c: conversations.rename(c, made.id, "Plans"))
    found = await database.read(lambda c: conversations.get(c, made.id, "ann"))
    assert found is not None
    assert (found.head, found.title, found.agent, found.created_at) == ("resp_1", "Plans", "helper", made.created_at)
    assert found.updated_at > made.updated_at
    assert await database.read(lambda c: conversations.get(c, other.id, "ann")) == other


async def test_a_suggested_title(database: Database) -> None:
    """It replaces another that was suggested, or none, and counts as no use of the conversation."""
    made = await create(database)
    for title, by in (("Why is it?", "words"), ("The sky", "model"), ("Why not?", "words"), (None, None)):
        assert await database.write(partial(conversations.suggest_title, conversation_id=made.id, title=title, by=by))
        found = await database.read(lambda c: conversations.get(c, made.id, "ann"))
        assert found is not None
        assert (found.title, found.titled_by, found.updated_at) == (title, by, made.updated_at)


async def test_a_suggestion_against_a_person(database: Database) -> None:
    """A title that a person gave, at the beginning or later, stays; so does what isn't there."""
    begun, renamed = await create(database, title="Plans"), await create(database)
    await database.write(lambda c: conversations.rename(c, renamed.id, "Plans"))
    for key in (begun.id, renamed.id, "conv_none"):
        assert not await database.write(
            partial(conversations.suggest_title, conversation_id=key, title="x", by="model")
        )
    found = await database.read(lambda c: conversations.recent(c, "ann", 2))
    assert {(each.title, each.titled_by) for each in found} == {("Plans", "person")}


async def test_a_suggestion_against_a_model(database: Database) -> None:
    """A model's title stays where that is asked for; one in words, or none, does not."""
    made = await create(database)
    for title, by, is_taken in (("Why?", "words", True), ("The sky", "model", True), ("Who?", "words", False)):
        job = partial(
            conversations.suggest_title, conversation_id=made.id, title=title, by=by, keep=("person", "model")
        )
        assert await database.write(job) is is_taken
