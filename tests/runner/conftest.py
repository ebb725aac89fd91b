"""A database of its own for each test of the runner."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.talks import talk_of

from agentbench.storage import conversations
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.runner.talks import Make, Talk


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as the workbench does."""
    return "asyncio"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty database, and close it."""
    database = Database(f"sqlite:///{tmp_path / 'runner.db'}")
    yield database
    database.close()


@pytest.fixture
async def make(database: Database) -> AsyncIterator[Make]:
    """Give `talk_of` with a new conversation; titles that are still being made at the end are dropped."""
    conversation = await database.write(partial(conversations.create, user="kernel"))
    talks: list[Talk] = []

    def made(*args: Any, **options: Any) -> Talk:
        talks.append(talk_of(database, conversation, *args, **options))
        return talks[-1]

    yield made
    for talk in talks:
        for task in talk.runner.titles._tasks:
            task.cancel()
        await talk.runner.titles.settled()
