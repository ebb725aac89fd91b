"""From a driver's error to a `StorageError` that says what to do. Never shows a password."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError

from agentbench.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

__all__ = ["collided", "database_name", "explained"]

SQLITE_ADVICE = {
    sqlite3.SQLITE_BUSY: "is locked by another process. Close that one, or try again",
    sqlite3.SQLITE_LOCKED: "is locked by another process. Close that one, or try again",
    sqlite3.SQLITE_FULL: "can't grow: the disk is full. Free some space and try again",
    sqlite3.SQLITE_READONLY: "can't be written. Check its permissions, or name another folder in AGENTBENCH_HOME",
    sqlite3.SQLITE_CANTOPEN: "can't be opened. Check that its folder exists and may be written",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database. Move that file away",
    sqlite3.SQLITE_CORRUPT: "is damaged. Put a backup in its place, or move that file away",
}

POSTGRESQL_DISK_FULL = "53100"

POSTGRESQL_COLLISIONS = {"40P01", "40001", "23503", "23505"}
"""Deadlock, serialization failure; a row that was deleted, or made, by another process between two statements."""


def database_name(url: URL) -> str:
    """Return what messages call this database: the file's path, or the URL with its password masked."""
    if url.drivername == "sqlite":
        return str(url.database)
    # The query part is left out: libpq takes passwords there too.
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn what goes wrong with the database itself into a `StorageError`; a job's own errors pass."""
    try:
        yield
    except DBAPIError as error:
        if not _concerns_database(error):
            raise
        raise StorageError(f"The database {database_name(url)} {_advice(error)}.") from error


def collided(error: BaseException) -> bool:
    """Tell whether a job failed that may succeed, or find a better reason to fail, when it is run once more."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in POSTGRESQL_COLLISIONS


def _concerns_database(error: DBAPIError) -> bool:
    # SQLite reports a damaged file as the bare base class; its other subclasses are faults of a statement.
    return isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError


def _advice(error: DBAPIError) -> str:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the low byte is the primary code
        return SQLITE_ADVICE.get(code) or f"failed: {cause}. Check its disk and try again"
    state = getattr(cause, "sqlstate", None)
    if state == POSTGRESQL_DISK_FULL:
        return "can't grow: its disk is full. Free some space and try again"
    reason = str(cause).partition("\n")[0]
    if state is None:  # no server said anything: the connection failed
        return f"can't be reached: {reason}. Check the server and AGENTBENCH_DATABASE_URL"
    return f"failed: {reason}. Check the server and try again"
