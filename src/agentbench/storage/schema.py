"""Brings a database to the schema of `tables.py`: a new one at once, an older one by the revisions that it lacks.

The revisions lie in `migrations/versions/`, and alembic runs them; it is imported for a database that lacks some.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, insert, inspect, select, text

from agentbench.errors import StorageError
from agentbench.storage.tables import metadata, version

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["HEAD", "configuration", "migrate", "upgrade"]

HEAD = "0018"
"""The newest revision, which is what `tables.py` shows."""

ADVISORY_LOCK = 0x6167656E74  # "agent"; any number will do, so long as all versions use the same one
BEFORE_ALEMBIC = "agentbench_migrations"

_alembic = Lock()  # it keeps what it works on in global variables


def migrate(connection: Connection) -> None:
    """Bring the database to this version's schema, inside the caller's transaction, which undoes all if it fails.

    A second process waits: for SQLite's `BEGIN IMMEDIATE`, or here for PostgreSQL's lock.
    """
    if _revision(connection) == HEAD:
        return None
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    tables = set(inspect(connection).get_table_names())
    if BEFORE_ALEMBIC in tables:
        _take_over(connection)
    elif version.name not in tables:
        return _make(connection, tables)
    found = _revision(connection) or ""
    if found > HEAD:
        raise StorageError("The database was made by a newer agentbench. Upgrade: pip install --upgrade agentbench")
    if found < HEAD:
        upgrade(connection)
    return None


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Run the revisions that the database lacks, up to this one."""
    from alembic import command

    with _alembic:
        command.upgrade(configuration(connection), revision)


def configuration(connection: Connection | None = None) -> Config:
    """Return what alembic's commands want to know; without a connection they can look at the revisions only."""
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "agentbench.storage:migrations")
    return config


def _revision(connection: Connection) -> str | None:
    """Return the revision that the database is at; None if it doesn't say."""
    if not inspect(connection).has_table(version.name):
        return None
    return connection.scalar(select(version.c.version_num))


def _make(connection: Connection, tables: set[str]) -> None:
    if foreign := tables & set(metadata.tables):
        raise StorageError(
            f"The database has a table {min(foreign)!r} that agentbench did not make. Give agentbench its own database."
        )
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(version).values(version_num=HEAD))


def _take_over(connection: Connection) -> None:
    """Translate what was applied before there was alembic: m001_conversations is the revision 0001, and so on."""
    newest = connection.scalar(text(f"SELECT max(name) FROM {BEFORE_ALEMBIC}")) or "m000"  # noqa: S608 - a constant
    connection.execute(text(f"DROP TABLE {BEFORE_ALEMBIC}"))
    version.create(connection)
    connection.execute(insert(version).values(version_num=f"0{newest[1:4]}"))
