"""The database under test, on SQLite and on a real PostgreSQL, as in the storage room."""

from __future__ import annotations

from tests.storage.conftest import (
    anyio_backend,
    database,
    database_url,
    postgres_server,
    postgres_url,
    sqlite,
    sqlite_url,
)

__all__ = ["anyio_backend", "database", "database_url", "postgres_server", "postgres_url", "sqlite", "sqlite_url"]
