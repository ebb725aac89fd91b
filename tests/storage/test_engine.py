"""From URLs to connections."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from agentbench.errors import MissingExtra, StorageError
from agentbench.storage.engine import open_writer, parse_url

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench.storage.database import Database


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_spoken_through_psycopg(scheme: str) -> None:
    """Each usual way to write a PostgreSQL URL gets the same driver."""
    assert parse_url(f"{scheme}://ann@host/bench").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_sqlite_needs_a_file(url: str) -> None:
    """A database in memory is refused: threads can't share it."""
    with pytest.raises(StorageError, match="needs a file"):
        parse_url(url)


def test_a_files_path_is_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook that changes its directory later still has the same database."""
    monkeypatch.chdir(tmp_path)
    assert parse_url("sqlite:///a.db").database == str(tmp_path / "a.db")


def test_other_databases_are_refused() -> None:
    """The message names the two that can be used."""
    with pytest.raises(StorageError, match=r"mysql databases\. Use SQLite or PostgreSQL"):
        parse_url("mysql://host/bench")


@pytest.mark.parametrize("url", ["postgresql://ann:geh@eim@host/bench", "postgresql:/ann:geheim@host", "geheim"])
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    """No part of a password shows, even where its @ breaks the URL apart; the message says how to write that."""
    with pytest.raises(StorageError, match=r"can't be read\. Write .* %40 for an @") as caught:
        parse_url(url)
    assert "eim" not in str(caught.value)


def test_missing_psycopg_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the driver the message says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"agentbench\[postgres\]"):
        open_writer(parse_url("postgresql://host/bench"))


@pytest.mark.parametrize(("pragma", "expected"), [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)])
def test_sqlite_writes_safely(sqlite: Database, pragma: str, expected: object) -> None:
    """A commit is on the disk before it is acknowledged, and readers don't wait for it."""
    with sqlite._opened().writer.begin() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == expected


def test_reading_connections_refuse_to_write(database: Database) -> None:
    """A job that writes must go through `write`."""
    with pytest.raises(Exception, match=r"can't be written|read-only"):
        database.read_now(lambda connection: connection.execute(text("DELETE FROM usage")))
