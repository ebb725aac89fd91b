"""The schema's history: from every revision, on both kinds of databases, to the newest with all rows."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, inspect, select, text, update
from tests.storage.rows_by_revision import ROWS, add_rows, as_later, contents

from agentbench.errors import StorageError
from agentbench.storage.database import Database
from agentbench.storage.engine import open_writer, parse_url
from agentbench.storage.schema import HEAD, configuration, migrate, upgrade
from agentbench.storage.tables import metadata, version

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give the engine that writes, of an empty database of each kind."""
    engine = open_writer(parse_url(database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """Undo at the end what the block did."""
    savepoint = connection.begin_nested()
    yield
    savepoint.rollback()


def schema(connection: Connection) -> dict[str, Any]:
    """Return all that the database says about its tables."""
    inspector = inspect(connection)
    return {
        name: (
            [(each["name"], str(each["type"]), each["nullable"]) for each in inspector.get_columns(name)],
            inspector.get_pk_constraint(name),
            inspector.get_foreign_keys(name),
            sorted(map(str, inspector.get_indexes(name))),
        )
        for name in inspector.get_table_names()
    }


def revision_of(connection: Connection) -> list[str]:
    """Return what the database says that it is at."""
    return list(connection.scalars(select(version.c.version_num)))


def walk_to(connection: Connection, last: str) -> None:
    """Go through the history, with rows from each of its times."""
    for revision in [each for each in ROWS if each <= last]:
        upgrade(connection, revision)
        add_rows(connection, revision)


def as_before_alembic(connection: Connection, *names: str) -> None:
    """Make the record of what was applied the one of the time before alembic."""
    version.drop(connection)
    connection.execute(text("CREATE TABLE agentbench_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)"))
    for name in names:
        connection.execute(text("INSERT INTO agentbench_migrations VALUES (:name, 'then')"), {"name": name})


def test_from_every_revision(connection: Connection) -> None:
    """A database of any revision comes to the schema of a new one, and keeps its rows."""
    with undone(connection):
        migrate(connection)
        new = schema(connection)
    for revision in ROWS:
        upgrade(connection, revision)
        add_rows(connection, revision)
        before = as_later(contents(connection))
        with undone(connection):
            migrate(connection)
            assert contents(connection, before) == before
            assert schema(connection) == new
            assert revision_of(connection) == [HEAD]


def test_what_alembic_compares(connection: Connection) -> None:
    """Alembic finds no difference between the tables in the code and those that its revisions made."""
    upgrade(connection)
    context = MigrationContext.configure(connection, opts={"version_table": version.name})
    assert compare_metadata(context, metadata) == []


def test_the_revisions() -> None:
    """They are one line, numbered in order; the newest is the one that the program knows, and all have rows here."""
    walked = list(ScriptDirectory.from_config(configuration()).walk_revisions())
    assert [each.revision for each in reversed(walked)] == [f"{n:04}" for n in range(1, len(walked) + 1)] == list(ROWS)
    assert walked[0].revision == HEAD


def test_alembic_is_not_for_every_day(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new database is made, and one that is up to date opened, with no alembic."""
    monkeypatch.setitem(sys.modules, "alembic", None)
    for _ in range(2):
        with closing(Database(database_url)) as database:
            assert database.read_now(revision_of) == [HEAD]


@pytest.mark.parametrize("newest", ["m007_background_runs", "m017_thread_runs"])
def test_before_alembic(connection: Connection, newest: str) -> None:
    """A database that recorded its history by itself is taken over where it stands."""
    revision = f"0{newest[1:4]}"
    walk_to(connection, revision)
    before = as_later(contents(connection))
    as_before_alembic(connection, "m001_conversations", newest)
    migrate(connection)
    assert contents(connection, before) == before
    assert revision_of(connection) == [HEAD]
    assert set(inspect(connection).get_table_names()) == set(metadata.tables)


def test_titles_of_before(connection: Connection) -> None:
    """A title from before titles had makers is a person's; no title is nobody's; one with a maker keeps it."""
    walk_to(connection, "0008")
    migrate(connection)
    found = connection.execute(text("SELECT id, titled_by FROM conversations ORDER BY id")).all()
    assert [tuple(each) for each in found] == [("conv_1", "person"), ("conv_2", None), ("conv_3", "model")]


def test_calls_of_before(connection: Connection) -> None:
    """Their cost is counted in millionths too, where it is known."""
    walk_to(connection, "0003")
    migrate(connection)
    found = connection.execute(text("SELECT id, context, credits FROM usage ORDER BY id")).all()
    assert [tuple(each) for each in found] == [
        ("u1", "message", 500_000),
        ("u2", "compaction", None),
        ("u3", "title", None),
    ]


def test_a_failure_in_the_middle(engine: Engine) -> None:
    """Five revisions run, the sixth meets a table that is in its way: all is as it was; without it, all goes well."""
    with engine.begin() as connection:
        walk_to(connection, "0007")
        connection.execute(text("CREATE TABLE passages (id TEXT)"))
        before = (schema(connection), contents(connection))
    with pytest.raises(Exception, match="passages"), engine.begin() as connection:
        migrate(connection)
    with engine.begin() as connection:
        assert (schema(connection), contents(connection)) == before
        connection.execute(text("DROP TABLE passages"))
        migrate(connection)
        assert revision_of(connection) == [HEAD]


def test_several_at_once(engine: Engine, database_url: str) -> None:
    """Those that open an older database at the same moment bring it up to date once, and all may use it."""
    with engine.begin() as connection:
        walk_to(connection, "0009")
    done: list[list[str]] = []

    def open_it() -> None:
        with closing(Database(database_url)) as database:
            done.append(database.read_now(revision_of))

    threads = [Thread(target=open_it) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert done == [[HEAD]] * 4


@pytest.mark.parametrize("newer", ["9999", "m999_future"])
def test_a_newer_database_is_refused(database_url: str, database: Database, newer: str) -> None:
    """One that a later version made is left alone, and the message says to upgrade."""
    database.read_now(lambda _: None)
    engine = create_engine(parse_url(database_url))
    with engine.begin() as connection:
        if newer.startswith("m"):
            as_before_alembic(connection, newer)
        else:
            connection.execute(update(version).values(version_num=newer))
        before = contents(connection)
    with closing(Database(database_url)) as later, pytest.raises(StorageError, match=r"newer agentbench\. Upgrade"):
        later.read_now(lambda _: None)
    with engine.begin() as connection:
        assert contents(connection) == before
    engine.dispose()


def test_tables_of_another_program_are_left_alone(connection: Connection) -> None:
    """A database that has a table of the same name isn't taken over."""
    connection.execute(text("CREATE TABLE usage (id TEXT)"))
    with pytest.raises(StorageError, match=r"'usage' that agentbench did not make\. Give"):
        migrate(connection)
