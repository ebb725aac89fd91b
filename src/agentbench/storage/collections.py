"""Collections: files that are searched together, under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from agentbench.protocol.values import Value
from agentbench.storage.grants import Grant

__all__ = ["Collection"]


class Collection(Value, frozen=True, kw_only=True):
    """A collection and how many files it has.

    `handle` is what clients call it: a `knowledge` collection by its id, a `scratch` one (made by a client that
    processes a text or a web page) by a name that is its owner's alone.
    """

    id: str
    user: str
    handle: str
    kind: Literal["knowledge", "scratch"] = "knowledge"
    name: str
    description: str = ""
    meta: dict[str, Any] = {}
    version: int = 0
    files: int = 0
    grants: tuple[Grant, ...] = ()
    created_at: datetime
    updated_at: datetime
