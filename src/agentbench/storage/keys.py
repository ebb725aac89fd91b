"""API keys: names, limits and digests. The keys themselves are nowhere."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import delete, insert, select, update

from agentbench.protocol.values import Value
from agentbench.storage import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["ApiKey", "add", "find", "note_use", "recent", "revoke", "revoke_all"]


class ApiKey(Value, frozen=True, kw_only=True):
    """What is known of a key, but not the key; `prefix` is how it begins.

    None means no end, every agent, or any number of requests.
    """

    id: str
    user: str
    name: str
    prefix: str
    agents: tuple[str, ...] | None = None
    requests_per_minute: int | None = None
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


def add(connection: Connection, key: ApiKey, digest: str) -> None:
    """Store a key by its SHA-256."""
    agents = None if key.agents is None else msgspec.json.encode(key.agents).decode()
    connection.execute(insert(tables.api_keys), asdict(key) | {"agents": agents, "digest": digest})


def find(connection: Connection, prefix: str) -> list[tuple[ApiKey, str]]:
    """Return the keys that begin so, each with its digest: what is secret is for the caller to compare."""
    table = tables.api_keys
    found = connection.execute(select(table).where(table.c.prefix == prefix)).mappings()
    return [(_key(row), row["digest"]) for row in found]


def recent(connection: Connection, user: str | None = None) -> list[ApiKey]:
    """Return the keys of one user or of all, newest first."""
    table = tables.api_keys
    query = select(table).order_by(table.c.created_at.desc(), table.c.id)
    if user is not None:
        query = query.where(table.c.user == user)
    return [_key(row) for row in connection.execute(query).mappings()]


def revoke(connection: Connection, key_id: str, user: str | None = None) -> bool:
    """Delete a key, of one user or of any; False if there was none."""
    table = tables.api_keys
    query = delete(table).where(table.c.id == key_id)
    if user is not None:
        query = query.where(table.c.user == user)
    return connection.execute(query).rowcount > 0


def revoke_all(connection: Connection, user: str) -> None:
    """Delete every key of a user."""
    connection.execute(delete(tables.api_keys).where(tables.api_keys.c.user == user))


def note_use(connection: Connection, key_id: str, moment: datetime) -> None:
    """Write down when a key was last used."""
    table = tables.api_keys
    connection.execute(update(table).where(table.c.id == key_id).values(last_used_at=moment))


def _key(row: Any) -> ApiKey:
    values = {field: row[field] for field in ApiKey.__struct_fields__}
    if values["agents"] is not None:
        values["agents"] = msgspec.json.decode(values["agents"], type=tuple[str, ...])
    return ApiKey(**values)
