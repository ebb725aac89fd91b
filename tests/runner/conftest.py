"""A database of its own for each test of the runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


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
