"""What archives are made of: conversations as other programs wrote them, and as they are stored here."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Literal, TypeAlias

from agentbench.protocol.items import Item
from agentbench.protocol.request import FunctionTool
from agentbench.protocol.response import Response, Usage
from agentbench.protocol.values import Value
from agentbench.storage.conversations import Conversation
from agentbench.storage.responses import StoredResponse

__all__ = ["Archived", "Malformed", "Problem", "Said", "Side", "Talk", "derived"]

Side: TypeAlias = Literal["user", "system", "assistant"]
"""Who says something in a message; a tool only gives something back."""


class Malformed(Exception):
    """What was to be a conversation is none; the message says why."""


class Said(Value, frozen=True, kw_only=True):
    """A message of a conversation, and the one that it follows.

    `response` is the whole response, where the file has it.
    """

    id: str
    parent: str | None
    role: Side | Literal["tool"]
    items: tuple[Item, ...]
    model: str | None = None
    at: datetime | None = None
    usage: Usage | None = None
    stopped: str | None = None
    """Why an answer ended early."""
    error: str | None = None
    response: Response | None = None


class Talk(Value, frozen=True, kw_only=True):
    """A conversation as another program wrote it: a tree of messages in any order.

    `key` is what it is known by in that program. `current` is the message that it goes on from. `notes` say what is
    not as it was, once for each time.
    """

    program: str
    key: str
    said: tuple[Said, ...]
    title: str | None = None
    agent: str | None = None
    endpoint: str | None = None
    model: str | None = None
    begun: datetime | None = None
    used: datetime | None = None
    current: str | None = None
    tools: tuple[FunctionTool, ...] = ()
    notes: tuple[str, ...] = ()


class Archived(Value, frozen=True, kw_only=True):
    """A conversation with the turns of all its branches, each after the one that it follows."""

    conversation: Conversation
    turns: tuple[StoredResponse, ...]
    notes: tuple[str, ...] = ()


class Problem(Value, frozen=True, kw_only=True):
    """A part of a file that could not be read: where it stands, and why."""

    place: str
    reason: str


def derived(prefix: str, *parts: str) -> str:
    """Return an id that is always the same for the same parts."""
    digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix}_{digest[:32]}"
