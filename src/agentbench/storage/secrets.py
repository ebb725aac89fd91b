"""Secrets that the gateways on one database share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from agentbench.storage import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["get", "put"]


def get(connection: Connection, name: str) -> str | None:
    """Return the secret of that name, if there is one."""
    return connection.scalar(select(tables.secrets.c.value).where(tables.secrets.c.name == name))


def put(connection: Connection, name: str, value: str) -> None:
    """Store a secret; one that is there already breaks the table's primary key."""
    connection.execute(insert(tables.secrets), {"name": name, "value": value})
