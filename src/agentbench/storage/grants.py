"""Who may read or write what isn't theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from sqlalchemy import delete, insert, select

from agentbench.protocol.values import Value, new_id
from agentbench.storage import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

__all__ = ["EVERYONE", "Grant", "Permission", "Reader", "of", "replace"]

Permission = Literal["read", "write"]

EVERYONE = "*"
"""The user of a grant that holds for everybody."""

_table = tables.grants


class Reader(Value, frozen=True):
    """Whose files and collections are meant; `sees_all` is for an administrator whom the operator lets see all."""

    user: str
    sees_all: bool = False


class Grant(Value, frozen=True, kw_only=True):
    """A collection that a user, or everyone, may read or write; who may write may read."""

    id: str
    collection: str
    user: str
    permission: Permission
    created_at: datetime


def replace(connection: Connection, collection_id: str, wanted: Iterable[tuple[str, Permission]]) -> None:
    """Make these (user, permission) the grants of a collection; one that was there keeps its id.

    Files that were to join it, of users who may write no more, don't.
    """
    wanted = dict.fromkeys(wanted)
    # One at a time: two that add the same grant would break the table's unique index.
    connection.execute(
        select(tables.collections.c.id).where(tables.collections.c.id == collection_id).with_for_update(key_share=True)
    )
    there = {(grant.user, grant.permission): grant.id for grant in of(connection, [collection_id])}
    gone = [grant_id for key, grant_id in there.items() if key not in wanted]
    connection.execute(delete(_table).where(_table.c.id.in_(gone)))
    now = datetime.now(UTC)
    new = [
        {"id": new_id("grant"), "collection_id": collection_id, "user": user, "permission": allowed, "created_at": now}
        for user, allowed in wanted
        if (user, allowed) not in there
    ]
    if new:
        connection.execute(insert(_table), new)
    writers = {user for user, allowed in wanted if allowed == "write"}
    if EVERYONE not in writers:
        losers = {user for user, allowed in there if allowed == "write"} - writers
        _forget_awaited(connection, collection_id, losers, writers)


def of(connection: Connection, collection_ids: Sequence[str]) -> list[Grant]:
    """Return the grants of collections, oldest first."""
    query = select(_table).where(_table.c.collection_id.in_(collection_ids)).order_by(_table.c.created_at, _table.c.id)
    return [
        Grant(
            id=row.id,
            collection=row.collection_id,
            user=row.user,
            permission=row.permission,
            created_at=row.created_at,
        )
        for row in connection.execute(query)
    ]


def _forget_awaited(connection: Connection, collection_id: str, losers: set[str], writers: set[str]) -> None:
    """Let no file join that a user awaits who may not write any more; `EVERYONE` among them are all but the writers."""
    if not losers:
        return
    owner = select(tables.collections.c.user).where(tables.collections.c.id == collection_id).scalar_subquery()
    user = tables.files.c.user
    theirs = (user.not_in(writers) & (user != owner)) if EVERYONE in losers else user.in_(losers)
    awaited = tables.pending_links.c.file_id.in_(select(tables.files.c.id).where(theirs))
    connection.execute(
        delete(tables.pending_links).where(tables.pending_links.c.collection_id == collection_id, awaited)
    )
