"""The part of the schema's history that made the tables of assistants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.storage.statements import run_statements

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["m015_assistants", "m016_threads", "m017_thread_runs"]


def m015_assistants(connection: Connection) -> None:
    """Assistants, numbered as they come."""
    run_statements(
        connection,
        """CREATE TABLE assistants (
            position {number} NOT NULL PRIMARY KEY,
            id TEXT NOT NULL,
            "user" TEXT NOT NULL,
            name TEXT,
            body TEXT NOT NULL
        )""",
        "CREATE UNIQUE INDEX assistants_id ON assistants (id)",
        'CREATE INDEX assistants_user_name ON assistants ("user", name)',
    )


def m016_threads(connection: Connection) -> None:
    """Threads and their messages."""
    run_statements(
        connection,
        """CREATE TABLE threads (
            id TEXT NOT NULL PRIMARY KEY,
            "user" TEXT NOT NULL,
            body TEXT NOT NULL
        )""",
        """CREATE TABLE thread_messages (
            position {number} NOT NULL PRIMARY KEY,
            id TEXT NOT NULL,
            thread_id TEXT NOT NULL,
            run_id TEXT,
            body TEXT NOT NULL,
            {of_thread}
        )""",
        "CREATE UNIQUE INDEX thread_messages_id ON thread_messages (id)",
        "CREATE INDEX thread_messages_thread_id ON thread_messages (thread_id, position)",
    )


def m017_thread_runs(connection: Connection) -> None:
    """Runs of threads, and their steps."""
    run_statements(
        connection,
        """CREATE TABLE thread_runs (
            position {number} NOT NULL PRIMARY KEY,
            id TEXT NOT NULL,
            thread_id TEXT NOT NULL,
            "user" TEXT NOT NULL,
            status TEXT NOT NULL,
            body TEXT NOT NULL,
            {of_thread}
        )""",
        "CREATE UNIQUE INDEX thread_runs_id ON thread_runs (id)",
        "CREATE INDEX thread_runs_thread_id ON thread_runs (thread_id, position)",
        "CREATE INDEX thread_runs_status ON thread_runs (status)",
        """CREATE TABLE run_steps (
            position {number} NOT NULL PRIMARY KEY,
            id TEXT NOT NULL,
            thread_id TEXT NOT NULL,
            run_id TEXT NOT NULL,
            body TEXT NOT NULL,
            {of_thread}
        )""",
        "CREATE UNIQUE INDEX run_steps_id ON run_steps (id)",
        "CREATE INDEX run_steps_run_id ON run_steps (run_id, position)",
        "CREATE INDEX run_steps_thread_id ON run_steps (thread_id)",
    )
