"""The schema's history."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, create_engine, insert, inspect, select, text
from tests.storage.asked import some_message, some_run, some_step, some_thread

from agentbench.errors import StorageError
from agentbench.storage import conversations, runs, threads
from agentbench.storage.database import Database
from agentbench.storage.engine import open_writer, parse_url
from agentbench.storage.migrations import MIGRATIONS, migrate
from agentbench.storage.tables import metadata, migrations

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """Give a connection to an empty database of each kind."""
    engine = open_writer(parse_url(database_url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def schema(connection: Connection) -> dict[str, Any]:
    """Return all that the database says about our tables."""
    inspector = inspect(connection)
    return {
        name: (
            [(each["name"], str(each["type"]), each["nullable"]) for each in inspector.get_columns(name)],
            inspector.get_pk_constraint(name)["constrained_columns"],
            inspector.get_foreign_keys(name),
            sorted(map(str, inspector.get_indexes(name))),
        )
        for name in inspector.get_table_names()
    }


def applied(connection: Connection) -> list[str]:
    """Return the recorded names."""
    return list(connection.scalars(select(migrations.c.name).order_by(migrations.c.name)))


def test_both_ways_give_the_same_schema(connection: Connection) -> None:
    """A database made anew and one that went through all migrations can't be told apart."""
    migrate(connection)
    new, names = schema(connection), applied(connection)
    metadata.drop_all(connection)
    migrations.create(connection)
    migrate(connection)
    assert (schema(connection), applied(connection)) == (new, names)
    assert set(new) == set(metadata.tables)


def test_only_what_is_missing_runs(connection: Connection) -> None:
    """A database of the version before runs the newest migration alone, once."""

    def m999_notes(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE notes (id TEXT)"))

    migrate(connection)
    migrate(connection, [*MIGRATIONS, m999_notes])
    migrate(connection, [*MIGRATIONS, m999_notes])
    assert inspect(connection).has_table("notes")
    assert applied(connection)[-1] == "m999_notes"


def test_titles_of_before(connection: Connection) -> None:
    """A title from before titles had makers is a person's; no title is nobody's."""
    migrations.create(connection)
    migrate(connection, MIGRATIONS[:7])
    row = "INSERT INTO conversations (id, \"user\", title, created_at, updated_at) VALUES ('{}', 'ann', {}, '{}', '{}')"
    for key, title in (("a", "'Plans'"), ("b", "NULL")):
        connection.execute(text(row.format(key, title, "2026-11-01 00:00:00", "2026-11-01 00:00:00")))
    migrate(connection)
    found = connection.execute(text("SELECT id, titled_by FROM conversations ORDER BY id")).all()
    assert [tuple(each) for each in found] == [("a", "person"), ("b", None)]


def test_threads_of_a_database_of_before(connection: Connection) -> None:
    """One that had conversations only keeps them, and takes threads, whose messages go with them."""
    migrations.create(connection)
    migrate(connection, MIGRATIONS[:14])
    before = conversations.create(connection, user="ann", title="Plans")
    migrate(connection)
    threads.add(connection, some_thread(), [some_message("a"), some_message("b")])
    runs.add(connection, some_run())
    runs.save_step(connection, some_step())
    assert conversations.get(connection, before.id, "ann") == before
    assert [each.id for each in threads.all_messages(connection, "thread_1")] == ["a", "b"]
    connection.execute(text("DELETE FROM threads"))
    assert runs.all_steps(connection, "run_1") == threads.all_messages(connection, "thread_1") == ()


def test_names_are_in_order() -> None:
    """Migrations are numbered without gaps, in the order in which they run."""
    assert [step.__name__[:5] for step in MIGRATIONS] == [f"m{n:03}_" for n in range(1, len(MIGRATIONS) + 1)]


def test_a_newer_database_is_refused(database_url: str, database: Database) -> None:
    """One that a later version made is left alone, and the message says to upgrade."""
    database.read_now(lambda _: None)
    engine = create_engine(parse_url(database_url))
    with engine.begin() as connection:
        connection.execute(insert(migrations), {"name": "m999_future", "applied_at": datetime.now(UTC)})
    engine.dispose()
    with closing(Database(database_url)) as later, pytest.raises(StorageError, match=r"newer agentbench\. Upgrade"):
        later.read_now(lambda _: None)


def test_tables_of_another_program_are_left_alone(connection: Connection) -> None:
    """A database that has a table of the same name isn't taken over."""
    connection.execute(text("CREATE TABLE usage (id TEXT)"))
    with pytest.raises(StorageError, match=r"'usage' that agentbench did not make\. Give"):
        migrate(connection)


def test_a_failed_migration_leaves_nothing(database_url: str, database: Database) -> None:
    """A migration that breaks halfway is undone, its name isn't recorded, and it may run again."""

    def m999_broken(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE half (id TEXT)"))
        raise LookupError

    database.read_now(lambda _: None)
    engine = open_writer(parse_url(database_url))
    with pytest.raises(LookupError), engine.begin() as connection:
        migrate(connection, [*MIGRATIONS, m999_broken])
    engine.dispose()
    assert database.read_now(lambda connection: inspect(connection).has_table("half")) is False
