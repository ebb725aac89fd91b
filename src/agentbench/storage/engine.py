"""From a database URL to SQLAlchemy engines with the settings that agentbench relies on.

Owns the dialects' differences in connecting; knows no table.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from sqlite3 import SQLITE_BUSY, OperationalError
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from agentbench.errors import MissingExtra, StorageError

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import URL, Connection, Engine

__all__ = ["open_reader", "open_writer", "parse_url"]

READERS = 8
"""Read connections of one database; a read takes milliseconds, so a few serve many callers."""

LOCK_WAIT_S = 5.0
CONNECT_WAIT_S = 10


def parse_url(text: str) -> URL:
    """Return the URL with the driver that agentbench uses, and a file's path in full.

    `postgres://` is taken as `postgresql://`.
    """
    url = _split(text)
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite":
        raise StorageError(f"agentbench can't use {url.drivername} databases. Use SQLite or PostgreSQL.")
    if not url.database or url.database == ":memory:":
        raise StorageError("A SQLite database needs a file. Write sqlite:///path/to/file.db.")
    # In full, as a notebook may change its working directory between two connections.
    return url.set(database=str(Path(url.database).expanduser().absolute()))


def _split(text: str) -> URL:
    url = None
    with suppress(ArgumentError, ValueError):
        url = make_url(text)
    # An @ left in the host is the end of a password, which no message may show.
    if url is None or "@" in (url.host or ""):
        raise StorageError(
            "The database URL can't be read. Write sqlite:///path/to/file.db or postgresql://user:password@host/name,"
            " with %40 for an @ in the password."
        )
    return url


def open_writer(url: URL) -> Engine:
    """Return the engine of the one connection that writes."""
    if url.drivername != "sqlite":
        return _postgresql(url, pool_size=1)
    engine = _sqlite(url, pool_size=1, begin="BEGIN IMMEDIATE")
    event.listen(engine, "connect", _prepare_sqlite_writer)
    return engine


def open_reader(url: URL) -> Engine:
    """Return the engine of the connections that read: they refuse to write, and a transaction sees one moment."""
    if url.drivername != "sqlite":
        engine = _postgresql(url, pool_size=READERS)
        return engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    engine = _sqlite(url, pool_size=READERS, begin="BEGIN")
    event.listen(engine, "connect", _prepare_sqlite_reader)
    return engine


def _postgresql(url: URL, *, pool_size: int) -> Engine:
    patient = url.update_query_dict({"connect_timeout": str(CONNECT_WAIT_S), **url.query})
    try:
        # The ping replaces a connection that the server closed in the meantime, by a restart for example.
        return create_engine(patient, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, hide_parameters=True)
    except ImportError as error:
        raise MissingExtra("postgres", "PostgreSQL") from error


def _sqlite(url: URL, *, pool_size: int, begin: str) -> Engine:
    # The driver must not begin transactions by itself: it would begin them deferred, and a deferred one that reads
    # and then writes fails at once when another process wrote in between.
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"isolation_level": None, "timeout": LOCK_WAIT_S},
    )

    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", begin_transaction)
    return engine


def _prepare_sqlite_writer(connection: sqlite3.Connection, _record: object) -> None:
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _prepare_sqlite_reader(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on, which SQLite refuses without waiting while another process does the same."""
    give_up = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except OperationalError as error:
            if error.sqlite_errorcode != SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.02)
        else:
            return
