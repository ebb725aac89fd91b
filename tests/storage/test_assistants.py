"""Stored assistants."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.storage.asked import some_assistant

from agentbench.protocol.assistants.tools import (
    CodeInterpreter,
    FileSearch,
    FunctionSpec,
    FunctionTool,
    SearchResources,
    ToolResources,
)
from agentbench.storage import assistants
from agentbench.storage.database import Database
from agentbench.storage.paging import Page

if TYPE_CHECKING:
    from agentbench.storage.assistants import StoredAssistant

pytestmark = pytest.mark.anyio


async def add(database: Database, *made: StoredAssistant) -> None:
    """Store assistants, one after the other."""
    for each in made:
        await database.write(partial(assistants.add, stored=each))


async def listed(database: Database, **options: Any) -> list[str]:
    """Return the ids of the first page, oldest first."""
    found = await database.read(partial(assistants.page, page=Page(order="asc"), **options))
    return [each.assistant.id for each in found]


async def test_an_assistant_comes_back(database: Database) -> None:
    """All that is known of it is as it was stored; after it is deleted it isn't there."""
    tools = (CodeInterpreter(), FileSearch(), FunctionTool(function=FunctionSpec(name="f", parameters={"a": [1]})))
    resources = ToolResources(file_search=SearchResources(vector_store_ids=("coll_1",)))
    made = some_assistant(name="보조", tools=tools, tool_resources=resources, metadata={"a": "b\0"}, temperature=None)
    await add(database, made)
    assert await database.read(partial(assistants.get, assistant_id=made.assistant.id)) == made
    assert await database.write(partial(assistants.delete, assistant_id=made.assistant.id))
    assert not await database.write(partial(assistants.delete, assistant_id=made.assistant.id))
    assert await database.read(partial(assistants.get, assistant_id=made.assistant.id)) is None


async def test_a_changed_assistant_keeps_its_place(database: Database) -> None:
    """A change shows in its name and its values, not in the order of the list; one that is gone doesn't come back."""
    await add(database, some_assistant("a", name="old"), some_assistant("b"))
    changed = some_assistant("a", name="new", description="d")
    await database.write(partial(assistants.save, stored=changed))
    await database.write(partial(assistants.save, stored=some_assistant("gone")))
    assert await database.read(partial(assistants.get, assistant_id="a")) == changed
    assert await database.read(partial(assistants.by_name, name="old", author="ann")) is None
    assert await listed(database) == ["a", "b"]


async def test_lists_of_assistants(database: Database) -> None:
    """They can be of one author's, only some, or all but some."""
    await add(database, *(some_assistant(each, user=f"user {each}") for each in "abc"))
    assert await listed(database) == ["a", "b", "c"]
    assert await listed(database, author="user b") == ["b"]
    assert await listed(database, only=("c", "a", "z")) == ["a", "c"]
    assert await listed(database, without=("a", "z")) == ["b", "c"]


async def test_the_newest_of_a_name(database: Database) -> None:
    """A name means the author's newest assistant that is called so."""
    made = [some_assistant(each, name="bot\0") for each in "abc"]
    await add(database, *made, some_assistant("d", name="bot\0", user="bob"))
    assert await database.read(partial(assistants.by_name, name="bot\0", author="ann")) == made[-1]
    assert await database.read(partial(assistants.by_name, name="Bot", author="ann")) is None


async def test_two_that_change_an_assistant(database_url: str, database: Database) -> None:
    """Whoever locks it before reading it loses nothing of what another process writes."""

    def count(connection: Any) -> None:
        assistants.lock(connection, "a")
        found = assistants.get(connection, "a")
        assert found is not None
        number = int(found.assistant.metadata["n"]) + 1
        changed = replace(found.assistant, metadata={"n": str(number)})
        assistants.save(connection, replace(found, assistant=changed))

    await add(database, some_assistant("a", metadata={"n": "0"}))
    with closing(Database(database_url)) as other:
        await asyncio.gather(*(each.write(count) for _ in range(10) for each in (database, other)))
    found = await database.read(partial(assistants.get, assistant_id="a"))
    assert found is not None
    assert found.assistant.metadata == {"n": "20"}
