"""What goes to the process that runs the code and what comes back, and what a run leaves for its caller."""

from __future__ import annotations

from typing import Annotated, TypeAlias, TypeVar

import msgspec

from agentbench.protocol.values import Value

__all__ = ["SHOWN", "Answer", "Confinement", "Made", "Ran", "Request", "Written"]

SHOWN = "/mnt/data"
"""Where the working folder lies for the code, and in all that comes back."""


_T = TypeVar("_T")
_Few: TypeAlias = Annotated[list[_T], msgspec.Meta(max_length=100)]  # more would only take memory


class Confinement(Value, frozen=True, kw_only=True):
    """What the system forbids the code, beyond the limits."""

    network: bool = False
    files: bool = False
    """All but its own folder, and reading Python's installation and the system's libraries."""
    processes: bool = False
    """To start other programs or signal them."""


class Request(Value, frozen=True, kw_only=True):
    """A piece of code to run."""

    code: str


class Written(Value, frozen=True, kw_only=True):
    """A file that a run made or changed; `name` is its path in the working folder."""

    name: str
    data: bytes


class Answer(Value, frozen=True, kw_only=True):
    """How a run ended."""

    error: str | None = None
    figures: _Few[bytes] = msgspec.field(default_factory=list)
    """PNG."""
    written: _Few[Written] = msgspec.field(default_factory=list)
    left_out: _Few[str] = msgspec.field(default_factory=list)
    """Names of files over the limits, and of what can't be read."""


class Made(Value, frozen=True, kw_only=True):
    """A file that a run made or changed, or a figure of it."""

    name: str
    data: bytes
    content_type: str


class Ran(Value, frozen=True, kw_only=True):
    """What a run printed and made."""

    logs: str
    error: str | None = None
    """The traceback, or why there was no answer."""
    timed_out: bool = False
    isolated: bool = False
    """Whether the network was closed to it."""
    images: tuple[Made, ...] = ()
    files: tuple[Made, ...] = ()
