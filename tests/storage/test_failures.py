"""What the user reads when the database doesn't work."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, text

from agentbench.errors import StorageError
from agentbench.storage import engine
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from pathlib import Path


def touch(connection: Connection) -> None:
    """Do as little as can be done."""
    connection.execute(text("SELECT 1"))


def failure(url: str) -> str:
    """Return the message that opening this database gives."""
    with closing(Database(url)) as database, pytest.raises(StorageError) as caught:
        database.read_now(touch)
    return caught.value.message


def test_a_locked_database_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that holds the lock for too long is the reason given."""
    monkeypatch.setattr(engine, "LOCK_WAIT_S", 0.05)
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        message = failure(f"sqlite:///{tmp_path}/a.db")
    assert message == (f"The database {tmp_path}/a.db is locked by another process. Close that one, or try again.")


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    """A database whose folder isn't there can't be opened, and the path is named."""
    assert f"{tmp_path}/none/a.db can't be opened" in failure(f"sqlite:///{tmp_path}/none/a.db")


def test_another_kind_of_file_is_told(tmp_path: Path) -> None:
    """A file that is something else is left alone."""
    (tmp_path / "a.db").write_text("Dear diary, " * 1000)
    assert "a.db is not a SQLite database" in failure(f"sqlite:///{tmp_path}/a.db")


def test_passwords_are_masked() -> None:
    """A server that can't be reached is named without the password, in whatever part of the URL that was."""
    message = failure("postgresql://ann:geheim@127.0.0.1:1/bench?password=verborgen")
    assert message.startswith("The database postgresql://ann:***@127.0.0.1:1/bench can't be reached: ")
    assert "geheim" not in message
    assert "verborgen" not in message


def test_a_mistake_of_the_job_passes(database: Database) -> None:
    """What isn't the database's fault isn't blamed on it."""
    with pytest.raises(ZeroDivisionError):
        database.read_now(lambda _: 1 // 0)
