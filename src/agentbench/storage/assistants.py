"""Assistants and who made them. Nothing here asks who may do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import and_, insert, select, true, update
from sqlalchemy import delete as delete_from

from agentbench.protocol.assistants.objects import Assistant
from agentbench.protocol.values import Value
from agentbench.storage import tables
from agentbench.storage.file_texts import storable
from agentbench.storage.paging import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping

    from agentbench.storage.paging import Page

__all__ = ["StoredAssistant", "add", "by_name", "delete", "get", "lock", "page", "save"]

_table = tables.assistants
_assistants = msgspec.json.Decoder(Assistant)


class StoredAssistant(Value, frozen=True, kw_only=True):
    """An assistant and its author."""

    assistant: Assistant
    user: str


def add(connection: Connection, stored: StoredAssistant) -> None:
    """Store a new assistant."""
    connection.execute(insert(_table), {"id": stored.assistant.id, "user": stored.user, **_columns(stored)})


def get(connection: Connection, assistant_id: str) -> StoredAssistant | None:
    """Return an assistant, whoever's it is."""
    row = connection.execute(select(_table).where(_table.c.id == storable(assistant_id))).mappings().one_or_none()
    return _stored(row) if row else None


def lock(connection: Connection, assistant_id: str) -> None:
    """Keep others from changing an assistant until the transaction ends."""
    connection.execute(select(_table.c.id).where(_table.c.id == assistant_id).with_for_update())


def save(connection: Connection, stored: StoredAssistant) -> None:
    """Store other values of an assistant; one that is gone stays so."""
    connection.execute(update(_table).where(_table.c.id == stored.assistant.id).values(_columns(stored)))


def delete(connection: Connection, assistant_id: str) -> bool:
    """Delete an assistant; False if there was none."""
    return connection.execute(delete_from(_table).where(_table.c.id == assistant_id)).rowcount > 0


def page(
    connection: Connection,
    page: Page,
    *,
    author: str | None = None,
    only: Sequence[str] = (),
    without: Sequence[str] = (),
) -> list[StoredAssistant]:
    """Return a page of assistants, of one author or of some ids where those are given, and one more if there is."""
    chosen = and_(
        true() if author is None else _table.c.user == author,
        _table.c.id.in_(only) if only else true(),
        _table.c.id.not_in(without) if without else true(),
    )
    return [_stored(row) for row in rows_of(connection, _table, chosen, page)]


def by_name(connection: Connection, name: str, author: str) -> StoredAssistant | None:
    """Return the author's newest assistant of that name."""
    query = select(_table).where(_table.c.user == author, _table.c.name == storable(name))
    row = connection.execute(query.order_by(_table.c.position.desc()).limit(1)).mappings().one_or_none()
    return _stored(row) if row else None


def _columns(stored: StoredAssistant) -> dict[str, str | None]:
    name = stored.assistant.name
    return {"name": name and storable(name), "body": msgspec.json.encode(stored.assistant).decode()}


def _stored(row: RowMapping) -> StoredAssistant:
    return StoredAssistant(assistant=_assistants.decode(row["body"]), user=row["user"])
