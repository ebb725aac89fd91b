"""Providers that keep what they are told, and runners that tell them; nothing global is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.telemetry.collected import Collected

from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as the workbench does."""
    return "asyncio"


@pytest.fixture
def collected() -> Iterator[Collected]:
    """Give what collects spans and metrics, and shut it at the end."""
    collected = Collected()
    yield collected
    collected.shutdown()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty database, and close it."""
    database = Database(f"sqlite:///{tmp_path / 'telemetry.db'}")
    yield database
    database.close()
