"""A runner for the assistants of each test, on a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.runner.fakes import FakeProvider, runner_of

if TYPE_CHECKING:
    from agentbench.runner import Runner
    from agentbench.storage.database import Database


@pytest.fixture
def provider() -> FakeProvider:
    """Give the provider that answers for every endpoint; a test module may give another one."""
    return FakeProvider()


@pytest.fixture
def runner(provider: FakeProvider, database: Database) -> Runner:
    """Give a runner with the agent `bot` and the models `fake/m` and `fake/n`."""
    return runner_of(provider, database)
