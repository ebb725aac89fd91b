"""A conversation's responses as a tree by `parent`: who follows whom, without what was said."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy import select

from agentbench.protocol.values import Value
from agentbench.storage import tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from agentbench.storage.responses import StoredResponse

__all__ = ["Branches", "Link", "link_of", "links"]


class Link(Value, frozen=True, kw_only=True):
    """A response and the one that it follows, None at the beginning of a conversation."""

    id: str
    parent: str | None = None
    created_at: datetime


class Branches:
    """The responses of one conversation. Of two that follow the same one, each begins a branch."""

    def __init__(self, found: Iterable[Link]) -> None:
        self.links = tuple(sorted({link.id: link for link in found}.values(), key=lambda link: link.created_at))

    def __contains__(self, response_id: object) -> bool:
        return response_id in self._by_id

    def __len__(self) -> int:
        return len(self.links)

    def siblings(self, response_id: str) -> tuple[str, ...]:
        """Return the responses that follow the same one as this, itself among them, oldest first."""
        if response_id not in self._by_id:
            return (response_id,)
        return self.after(self._parent(self._by_id[response_id]))

    def after(self, response_id: str | None) -> tuple[str, ...]:
        """Return the responses that follow one, oldest first; None has those that begin the conversation."""
        return tuple(self._after.get(response_id, ()))

    def leaf(self, response_id: str) -> str:
        """Return the newest response at or below one that nothing follows."""
        below = [response_id]
        for each in below:
            below += self._after.get(each, ())
        leaves = {each for each in below if each not in self._after}
        newest = [link.id for link in self.links if link.id in leaves]
        return newest[-1] if newest else response_id

    @cached_property
    def _by_id(self) -> dict[str, Link]:
        return {link.id: link for link in self.links}

    @cached_property
    def _after(self) -> dict[str | None, list[str]]:
        after: dict[str | None, list[str]] = {}
        for link in self.links:
            after.setdefault(self._parent(link), []).append(link.id)
        return after

    def _parent(self, link: Link) -> str | None:
        """Return what a response follows here; one whose parent is gone stands at the beginning."""
        return link.parent if link.parent in self._by_id else None


def link_of(stored: StoredResponse) -> Link:
    """Return the place of a response among the others."""
    return Link(id=stored.response.id, parent=stored.parent, created_at=stored.created_at)


def links(connection: Connection, conversation_id: str, user: str) -> tuple[Link, ...]:
    """Return the places of all responses of a user's conversation."""
    table = tables.responses
    query = select(table.c.id, table.c.parent, table.c.created_at)
    query = query.where(table.c.conversation_id == conversation_id, table.c.user == user)
    return tuple(Link(id=row.id, parent=row.parent, created_at=row.created_at) for row in connection.execute(query))
