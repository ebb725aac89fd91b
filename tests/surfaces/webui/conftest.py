"""People who ask a gateway over a library of files. What they have is theirs alone, so that many tests share it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.runner.fakes import FakeProvider, catalog, runner_of
from tests.surfaces.webui.library_app import Person, WordEmbedder

from agentbench.config.retrieval import RetrievalSettings
from agentbench.gateway.app import create_app
from agentbench.protocol.values import new_id
from agentbench.retrieval.library import Library
from agentbench.storage import users
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from starlette.types import ASGIApp

    from agentbench.config.remote import Role
    from agentbench.runner import Runner

SETTINGS = RetrievalSettings(largest_file=1024 * 1024, wait_for_processing=20)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run async tests and fixtures of a module on one event loop."""
    return "asyncio"


@pytest.fixture(scope="module")
def words() -> WordEmbedder:
    """Give the library's embedder."""
    return WordEmbedder()


@pytest.fixture
def embedder(words: WordEmbedder) -> Iterator[WordEmbedder]:
    """Give it to a test that breaks it."""
    yield words
    words.broken = None


@pytest.fixture(scope="module")
async def runner(tmp_path_factory: pytest.TempPathFactory, words: WordEmbedder) -> AsyncIterator[Runner]:
    """Give a runner with a library."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('library') / 'library.db'}")
    runner = runner_of(FakeProvider(), database, msgspec.structs.replace(catalog(), retrieval=SETTINGS))
    runner.library = Library(database, embedder=lambda _: words, settings=lambda: runner.catalog.retrieval)
    runner.grounding._library = runner.library  # answers look into it too
    yield runner
    await runner.library.aclose()
    database.close()


@pytest.fixture(scope="module")
def app(runner: Runner) -> ASGIApp:
    """Give the gateway."""
    return create_app(runner)


@pytest.fixture
async def ann(app: ASGIApp, runner: Runner) -> AsyncIterator[Person]:
    """Give a user nobody has seen before."""
    async with await _person(app, runner, "USER") as person:
        yield person


@pytest.fixture
async def bob(app: ASGIApp, runner: Runner) -> AsyncIterator[Person]:
    """Give another user."""
    async with await _person(app, runner, "USER") as person:
        yield person


@pytest.fixture
async def root(app: ASGIApp, runner: Runner) -> AsyncIterator[Person]:
    """Give an administrator."""
    async with await _person(app, runner, "ADMIN") as person:
        yield person


async def _person(app: ASGIApp, runner: Runner, role: Role) -> Person:
    user = new_id("user")
    email = f"{user}@example.org"
    await runner.database.write(lambda connection: users.add(connection, email=email, role=role, user_id=user))
    return Person(app, user, role)
