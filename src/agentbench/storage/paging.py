"""Pages of lists, found by the id that they begin after or end before: the lists of the Assistants API.

A table with pages has a `position`, which rises with every row, and an `id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import select

from agentbench.errors import InvalidRequest
from agentbench.protocol.assistants.objects import Listing
from agentbench.protocol.values import Value
from agentbench.storage.file_texts import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection, RowMapping, Table

__all__ = ["Page", "ids_of", "listing", "rows_of"]


class Page(Value, frozen=True, kw_only=True):
    """Which part of a list: at most `limit`, after one of its ids, or the last ones before one."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None

    @property
    def ends_at_cursor(self) -> bool:
        """Whether the page is counted from its end."""
        return self.before is not None and self.after is None


def rows_of(connection: Connection, table: Table, condition: ColumnElement[bool], page: Page) -> list[RowMapping]:
    """Return the rows of a page in the list's order, and one more at its far end if there are more.

    Raises `InvalidRequest` where a cursor isn't the id of one that fulfils the condition.
    """
    query = select(table).where(condition)
    place = table.c.position
    rises = page.order == "asc"
    if page.after is not None:
        start = _position(connection, table, condition, page.after, "after")
        query = query.where(place > start if rises else place < start)
    if page.before is not None:
        end = _position(connection, table, condition, page.before, "before")
        query = query.where(place < end if rises else place > end)
    forwards = rises != page.ends_at_cursor
    query = query.order_by(place if forwards else place.desc()).limit(page.limit + 1)
    rows = list(connection.execute(query).mappings())
    return rows[::-1] if page.ends_at_cursor else rows


def ids_of(ids: Sequence[str], page: Page) -> list[str]:
    """Return what `rows_of` would of a list that is here, oldest first."""
    ordered = list(ids) if page.order == "asc" else list(reversed(ids))
    start = 0 if page.after is None else _place(ordered, page.after, "after") + 1
    end = len(ordered) if page.before is None else _place(ordered, page.before, "before")
    within = ordered[start:end]
    return within[-page.limit - 1 :] if page.ends_at_cursor else within[: page.limit + 1]


def listing(rows: Sequence[Any], page: Page) -> Listing:
    """Return a page's objects as a list of the API, without the one that only tells that there are more."""
    shown = tuple(rows[-page.limit :] if page.ends_at_cursor else rows[: page.limit])
    return Listing(
        data=shown,
        first_id=shown[0].id if shown else None,
        last_id=shown[-1].id if shown else None,
        has_more=len(rows) > len(shown),
    )


def _position(connection: Connection, table: Table, condition: ColumnElement[bool], cursor: str, param: str) -> int:
    found: int | None = connection.scalar(select(table.c.position).where(condition, table.c.id == storable(cursor)))
    if found is None:
        raise _missing(cursor, param)
    return found


def _place(ids: Sequence[str], cursor: str, param: str) -> int:
    if cursor not in ids:
        raise _missing(cursor, param)
    return ids.index(cursor)


def _missing(cursor: str, param: str) -> InvalidRequest:
    return InvalidRequest(f"There is no {cursor!r} in this list to begin or end at.", param=param)
