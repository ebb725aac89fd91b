"""Where a cassette is put in: whoever asks something outside this process looks here first. Mostly it is empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from agentbench.protocol.values import Value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    import httpx2

__all__ = ["Asked", "Deck", "Tape"]

T = TypeVar("T")


class Asked(Value, frozen=True, kw_only=True):
    """What is asked of something that isn't HTTP: a model in this process, a tool, a server for its list of tools.

    `name` says of which one; `body` is what a JSON text can hold.
    """

    kind: Literal["model", "tool", "tools"]
    name: str
    body: Any


class Tape(Protocol):
    """A cassette as it is used: each of these plays what was recorded, or does the thing and records it."""

    async def value(self, asked: Asked, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return what was asked for, which a JSON text can hold."""

    def stream(
        self, asked: Asked, begin: Callable[[], AbstractAsyncContextManager[AsyncIterator[Any]]]
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Return what comes piece by piece, each of which a JSON text can hold."""

    def transport(self, inner: httpx2.AsyncBaseTransport) -> httpx2.AsyncBaseTransport:
        """Return a transport that sends through `inner`, or doesn't send at all."""

    async def pause(self, seconds: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait before a request is sent again, if the answer before was a real one."""


class Deck:
    """What is put in now, for all providers and tools of one workbench."""

    def __init__(self) -> None:
        self.tape: Tape | None = None
