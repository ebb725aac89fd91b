"""One process at a time changes what all of them count: balances and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["wait_for_turn"]

LOCK = 0x62616C616E  # "balan"; any number will do, so long as all versions use the same one


def wait_for_turn(connection: Connection) -> None:
    """Wait for the other processes' transactions that count something, and make theirs wait for this one's end.

    On SQLite every transaction that writes does so by itself. A transaction carries many jobs: two that took the rows
    of two users, or of a user and a key, in different orders would wait for each other on PostgreSQL.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(LOCK)))
