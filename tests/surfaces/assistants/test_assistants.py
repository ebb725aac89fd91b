"""Assistants through the openai SDK: made, listed, changed and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

if TYPE_CHECKING:
    from openai.types.beta import Assistant

    from agentbench import Workbench

pytestmark = [
    pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning"),
    pytest.mark.parametrize("client", ["served"], indirect=True, scope="module"),
]


def test_made(client: openai.OpenAI) -> None:
    """It echoes what it was made of, and comes back as it is."""
    made = client.beta.assistants.create(
        model="gpt-4-turbo-preview",
        name="Math tutor",
        description="Helps.",
        instructions="Explain each step.",
        tools=[{"type": "file_search"}, {"type": "function", "function": {"name": "now"}}],
        metadata={"team": "blue"},
        temperature=0.5,
        response_format={"type": "text"},
    )
    assert (made.object, made.model, made.name, made.description) == (
        "assistant",
        "gpt-4-turbo-preview",
        "Math tutor",
        "Helps.",
    )
    assert (made.metadata, made.temperature, made.top_p) == ({"team": "blue"}, 0.5, 1.0)
    assert [tool.type for tool in made.tools] == ["file_search", "function"]
    assert client.beta.assistants.retrieve(made.id) == made


def test_changed(client: openai.OpenAI) -> None:
    """What isn't named stays, and a null clears."""
    made = client.beta.assistants.create(model="bot", name="one", description="first", metadata={"a": "b"})
    changed = client.beta.assistants.update(made.id, name="two", description=None, metadata={})
    assert (changed.id, changed.model, changed.name, changed.description) == (made.id, "bot", "two", None)
    assert changed.metadata == {}
    assert client.beta.assistants.retrieve(made.id) == changed


def test_deleted(client: openai.OpenAI) -> None:
    """It is gone, and a second time there is nothing to delete."""
    made = client.beta.assistants.create(model="bot")
    gone = client.beta.assistants.delete(made.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "assistant.deleted", True)
    for call in (client.beta.assistants.retrieve, client.beta.assistants.delete):
        with pytest.raises(openai.NotFoundError, match=made.id):
            call(made.id)


@pytest.fixture(scope="module")
def five(client: openai.OpenAI) -> list[Assistant]:
    """Give five assistants, the oldest first."""
    return [client.beta.assistants.create(model="bot", name=f"n{number}") for number in range(5)]


def test_pages(client: openai.OpenAI, five: list[Assistant]) -> None:
    """The SDK goes from page to page, newest first."""
    first = client.beta.assistants.list(limit=2)
    assert first.has_more
    found = [each.id for each in first]
    assert found[:5] == [each.id for each in reversed(five)]
    assert len(found) == len(set(found))
    assert found[::-1] == [each.id for each in client.beta.assistants.list(limit=2, order="asc")]


def test_cursors(client: openai.OpenAI, five: list[Assistant]) -> None:
    """A page begins after one id, or ends before one."""
    ids = [each.id for each in five]
    after = client.beta.assistants.list(order="asc", after=ids[1], limit=2)
    before = client.beta.assistants.list(order="asc", before=ids[3], limit=2)
    between = client.beta.assistants.list(order="asc", after=ids[0], before=ids[4])
    assert [[each.id for each in page.data] for page in (after, before)] == [ids[2:4], ids[1:3]]
    assert ([each.id for each in between.data], between.has_more) == (ids[1:4], False)


@pytest.mark.anyio
async def test_async(bench: Workbench, client: openai.OpenAI, five: list[Assistant]) -> None:
    """The asynchronous client goes through the same pages."""
    whole = [each.id for each in client.beta.assistants.list(limit=100)]
    async with bench.async_openai() as other:
        assert [each.id async for each in other.beta.assistants.list(limit=2)] == whole
    assert whole[:5] == [each.id for each in reversed(five)]
