"""What a cassette holds: what was asked, and what came back when. Values only."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from agentbench.protocol.values import Value

__all__ = ["Ending", "Exchange", "Failure", "Head", "Piece", "Request"]


class Request(Value, frozen=True, kw_only=True):
    """What was asked, without secrets; `name` is the endpoint's, the tool's or the server's.

    `method` and `path`, which goes on from the base URL, are empty for what isn't HTTP.
    """

    kind: Literal["http", "model", "tool", "tools"]
    name: str
    method: str = ""
    path: str = ""
    body: Any = None


class Head(Value, frozen=True, kw_only=True):
    """How an HTTP answer began."""

    status: int
    headers: dict[str, str]
    seconds: float


class Piece(Value, frozen=True, kw_only=True):
    """What came at once: bytes of HTTP, else what a JSON text can hold. `seconds` are since the request."""

    seconds: float
    data: Any


class Failure(Value, frozen=True, kw_only=True):
    """What was raised: the class's name, the message, and the plain attributes of one of our own errors."""

    error: str
    message: str = ""
    facts: dict[str, Any] = {}


Ending: TypeAlias = Literal["complete", "closed"] | Failure
"""`closed`: whoever asked left before the end."""


class Exchange(Value, frozen=True, kw_only=True):
    """One request and its answer."""

    request: Request
    head: Head | None = None
    pieces: tuple[Piece, ...] = ()
    end: Ending = "complete"
    seconds: float = 0.0
