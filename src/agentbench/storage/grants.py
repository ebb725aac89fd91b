"""Who may read or write what isn't theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from agentbench.protocol.values import Value

__all__ = ["EVERYONE", "Grant", "Permission", "Reader"]

Permission = Literal["read", "write"]

EVERYONE = "*"
"""The user of a grant that holds for everybody."""


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
