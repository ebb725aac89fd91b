"""The schema's history: a new database is made from `tables.py`, an older one runs the functions that it lacks.

A function here is never changed once it was released: it says what a database went through.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, inspect, select

from agentbench.errors import StorageError
from agentbench.storage.assistant_migrations import m015_assistants, m016_threads, m017_thread_runs
from agentbench.storage.statements import run_statements
from agentbench.storage.tables import metadata, migrations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Connection

    Migration = Callable[[Connection], None]

__all__ = ["MIGRATIONS", "migrate"]

ADVISORY_LOCK = 0x6167656E74  # "agent"; any number will do, so long as all versions use the same one


def m001_conversations(connection: Connection) -> None:
    """Conversations, whose `head` is the newest response."""
    run_statements(
        connection,
        """CREATE TABLE conversations (
            id TEXT NOT NULL PRIMARY KEY,
            "user" TEXT NOT NULL,
            title TEXT,
            agent TEXT,
            head TEXT,
            created_at {time} NOT NULL,
            updated_at {time} NOT NULL
        )""",
        'CREATE INDEX conversations_user_updated_at ON conversations ("user", updated_at)',
    )


def m002_responses(connection: Connection) -> None:
    """Responses, each with the input of its own turn; `parent` is the response before it."""
    run_statements(
        connection,
        """CREATE TABLE responses (
            id TEXT NOT NULL PRIMARY KEY,
            "user" TEXT NOT NULL,
            conversation_id TEXT,
            parent TEXT,
            agent TEXT,
            endpoint TEXT NOT NULL,
            cell_id TEXT,
            cell_run TEXT,
            created_at {time} NOT NULL,
            input TEXT NOT NULL,
            response TEXT NOT NULL,
            FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE
        )""",
        "CREATE INDEX responses_conversation_id ON responses (conversation_id)",
    )


def m003_usage(connection: Connection) -> None:
    """The usage ledger, one row a call to a provider."""
    run_statements(
        connection,
        """CREATE TABLE usage (
            id TEXT NOT NULL PRIMARY KEY,
            time {time} NOT NULL,
            "user" TEXT NOT NULL,
            context TEXT NOT NULL,
            conversation_id TEXT,
            response_id TEXT,
            cell_id TEXT,
            execution_count INTEGER,
            agent TEXT,
            endpoint TEXT NOT NULL,
            model TEXT NOT NULL,
            input_tokens INTEGER,
            cached_tokens INTEGER,
            cache_write_tokens INTEGER,
            output_tokens INTEGER,
            reasoning_tokens INTEGER,
            cost {real},
            time_to_first_token {real},
            duration {real} NOT NULL,
            status TEXT NOT NULL,
            error_type TEXT
        )""",
        'CREATE INDEX usage_user_time ON usage ("user", time)',
        "CREATE INDEX usage_conversation_id ON usage (conversation_id)",
    )


def m004_users(connection: Connection) -> None:
    """Users, who sign in with a password or through an issuer."""
    run_statements(
        connection,
        """CREATE TABLE users (
            id TEXT NOT NULL PRIMARY KEY,
            email TEXT NOT NULL,
            role TEXT NOT NULL,
            active BOOLEAN NOT NULL,
            generation INTEGER NOT NULL,
            password TEXT,
            issuer TEXT,
            subject TEXT,
            created_at {time} NOT NULL
        )""",
        "CREATE UNIQUE INDEX users_email ON users (email)",
        "CREATE UNIQUE INDEX users_issuer_subject ON users (issuer, subject)",
    )


def m005_api_keys(connection: Connection) -> None:
    """API keys, by their SHA-256."""
    run_statements(
        connection,
        """CREATE TABLE api_keys (
            id TEXT NOT NULL PRIMARY KEY,
            "user" TEXT NOT NULL,
            name TEXT NOT NULL,
            prefix TEXT NOT NULL,
            digest TEXT NOT NULL,
            agents TEXT,
            requests_per_minute INTEGER,
            created_at {time} NOT NULL,
            expires_at {time},
            last_used_at {time},
            FOREIGN KEY ("user") REFERENCES users (id) ON DELETE CASCADE
        )""",
        "CREATE INDEX api_keys_prefix ON api_keys (prefix)",
        'CREATE INDEX api_keys_user ON api_keys ("user")',
    )


def m006_secrets(connection: Connection) -> None:
    """What the gateways on one database share, such as the key that signs sign-ins."""
    run_statements(connection, "CREATE TABLE secrets (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)")


def m007_background_runs(connection: Connection) -> None:
    """Responses that are being made in the background, so that those of a process that died are told from others."""
    run_statements(
        connection,
        """CREATE TABLE background_runs (
            response_id TEXT NOT NULL PRIMARY KEY,
            seen_at {time} NOT NULL,
            stop BOOLEAN NOT NULL
        )""",
    )


def m008_titled_by(connection: Connection) -> None:
    """Where a title comes from. The earlier ones stay as they are, like a person's."""
    run_statements(
        connection,
        "ALTER TABLE conversations ADD COLUMN titled_by TEXT",
        "UPDATE conversations SET titled_by = 'person' WHERE title IS NOT NULL",
    )


def m009_ledger(connection: Connection) -> None:
    """One row a model call: who paid by which rates, from which notebook, and whether its tokens are an estimate."""
    columns = (
        *("key_id TEXT", "notebook TEXT", "step INTEGER", "input_rate {real}", "cached_rate {real}"),
        *("cache_write_rate {real}", "output_rate {real}", "rate_source TEXT", "credits {real}", "estimated BOOLEAN"),
        "flags TEXT",
    )
    run_statements(
        connection,
        *(f"ALTER TABLE usage ADD COLUMN {column}" for column in columns),
        "UPDATE usage SET context = 'message' WHERE context = 'chat'",
        "UPDATE usage SET context = 'compaction' WHERE context = 'compact'",
        "UPDATE usage SET credits = cost * 1000000",
    )


def m010_balances(connection: Connection) -> None:
    """What users may spend, what running calls hold of it, and how it changed."""
    run_statements(
        connection,
        """CREATE TABLE balances (
            "user" TEXT NOT NULL PRIMARY KEY,
            microcredits BIGINT NOT NULL,
            last_refill {time} NOT NULL,
            created_at {time} NOT NULL
        )""",
        """CREATE TABLE reservations (
            id TEXT NOT NULL PRIMARY KEY,
            "user" TEXT NOT NULL,
            microcredits BIGINT NOT NULL,
            expires_at {time} NOT NULL
        )""",
        "CREATE INDEX reservations_expires_at ON reservations (expires_at)",
        """CREATE TABLE balance_changes (
            id TEXT NOT NULL PRIMARY KEY,
            time {time} NOT NULL,
            "user" TEXT NOT NULL,
            microcredits BIGINT NOT NULL,
            reason TEXT NOT NULL
        )""",
        'CREATE INDEX balance_changes_user_time ON balance_changes ("user", time)',
    )


def m011_files(connection: Connection) -> None:
    """Files, and how far each is on its way to being searched."""
    run_statements(
        connection,
        """CREATE TABLE files (
            id TEXT NOT NULL PRIMARY KEY,
            "user" TEXT NOT NULL,
            name TEXT NOT NULL,
            search_key TEXT NOT NULL,
            kind TEXT NOT NULL,
            url TEXT,
            content_type TEXT NOT NULL,
            size BIGINT NOT NULL,
            digest TEXT NOT NULL,
            status TEXT NOT NULL,
            error TEXT,
            text_digest TEXT,
            characters INTEGER NOT NULL,
            passages INTEGER NOT NULL,
            embedder TEXT,
            dimensions INTEGER,
            meta TEXT NOT NULL,
            version INTEGER NOT NULL,
            worker TEXT,
            lease_until {time},
            attempts INTEGER NOT NULL,
            created_at {time} NOT NULL,
            updated_at {time} NOT NULL
        )""",
        'CREATE INDEX files_user_updated_at ON files ("user", updated_at)',
        "CREATE INDEX files_status ON files (status)",
    )


def m012_file_contents(connection: Connection) -> None:
    """Files' bytes in parts, and what was read out of them."""
    run_statements(
        connection,
        """CREATE TABLE file_parts (
            file_id TEXT NOT NULL,
            number INTEGER NOT NULL,
            data {bytes} NOT NULL,
            PRIMARY KEY (file_id, number),
            {of_file}
        )""",
        """CREATE TABLE file_texts (
            file_id TEXT NOT NULL PRIMARY KEY,
            text TEXT NOT NULL,
            layout TEXT NOT NULL,
            {of_file}
        )""",
    )


def m013_passages(connection: Connection) -> None:
    """Passages of files, with their vectors and what the text index is made of."""
    run_statements(
        connection,
        """CREATE TABLE passages (
            file_id TEXT NOT NULL,
            number INTEGER NOT NULL,
            text TEXT NOT NULL,
            start INTEGER NOT NULL,
            "end" INTEGER NOT NULL,
            page INTEGER,
            heading TEXT,
            text_hash BIGINT NOT NULL,
            terms {bytes} NOT NULL,
            embedding {bytes},
            PRIMARY KEY (file_id, number),
            {of_file}
        )""",
    )


def m014_collections(connection: Connection) -> None:
    """Collections of files, and who else may read or write them."""
    run_statements(
        connection,
        """CREATE TABLE collections (
            id TEXT NOT NULL PRIMARY KEY,
            "user" TEXT NOT NULL,
            handle TEXT NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            search_key TEXT NOT NULL,
            meta TEXT NOT NULL,
            version INTEGER NOT NULL,
            created_at {time} NOT NULL,
            updated_at {time} NOT NULL
        )""",
        'CREATE UNIQUE INDEX collections_user_handle ON collections ("user", handle)',
        "CREATE TABLE collection_files ({link}, added_at {time} NOT NULL, {of_both})",
        "CREATE INDEX collection_files_file_id ON collection_files (file_id)",
        "CREATE TABLE pending_links ({link}, {of_both})",
        "CREATE INDEX pending_links_file_id ON pending_links (file_id)",
        """CREATE TABLE grants (
            id TEXT NOT NULL PRIMARY KEY,
            collection_id TEXT NOT NULL,
            "user" TEXT NOT NULL,
            permission TEXT NOT NULL,
            created_at {time} NOT NULL,
            {of_collection}
        )""",
        'CREATE UNIQUE INDEX grants_collection_id ON grants (collection_id, "user", permission)',
    )


MIGRATIONS: Sequence[Migration] = (
    m001_conversations,
    m002_responses,
    m003_usage,
    m004_users,
    m005_api_keys,
    m006_secrets,
    m007_background_runs,
    m008_titled_by,
    m009_ledger,
    m010_balances,
    m011_files,
    m012_file_contents,
    m013_passages,
    m014_collections,
    m015_assistants,
    m016_threads,
    m017_thread_runs,
)


def migrate(connection: Connection, steps: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the database to this version's schema, inside the caller's transaction.

    A second process waits: for SQLite's `BEGIN IMMEDIATE`, or here for PostgreSQL's lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    tables = set(inspect(connection).get_table_names())
    if migrations.name in tables:
        _catch_up(connection, steps)
    elif foreign := tables & set(metadata.tables):
        raise StorageError(
            f"The database has a table {min(foreign)!r} that agentbench did not make. Give agentbench its own database."
        )
    else:
        metadata.create_all(connection, checkfirst=False)
        _record(connection, [step.__name__ for step in steps])


def _catch_up(connection: Connection, steps: Sequence[Migration]) -> None:
    applied = set(connection.scalars(select(migrations.c.name)))
    if applied - {step.__name__ for step in steps}:
        raise StorageError("The database was made by a newer agentbench. Upgrade: pip install --upgrade agentbench")
    for step in steps:
        if step.__name__ not in applied:
            step(connection)
            _record(connection, [step.__name__])


def _record(connection: Connection, names: Iterable[str]) -> None:
    now = datetime.now(UTC)
    connection.execute(insert(migrations), [{"name": name, "applied_at": now} for name in names])
