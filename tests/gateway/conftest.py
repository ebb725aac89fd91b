"""A loop on its own thread, and the application on a fake provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.runner.fakes import FakeProvider, runner_of

from agentbench.auth.accounts import Accounts
from agentbench.gateway.app import create_app
from agentbench.gateway.crossing import LoopThread
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as notebooks do."""
    return "asyncio"


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """Give a loop, and stop it."""
    loop = LoopThread()
    yield loop
    loop.stop()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty database."""
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield database
    database.close()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    """Give the accounts in it."""
    return Accounts(database)


@pytest.fixture
def provider() -> FakeProvider:
    """Give the provider that the application asks."""
    return FakeProvider()


@pytest.fixture
def app(tmp_path: Path, provider: FakeProvider) -> Iterator[ASGIApp]:
    """Give the application."""
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield create_app(runner_of(provider, database))
    database.close()
