"""An answer while it is recorded: what came when. It is handed on, once, when it ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from agentbench.providers.cassettes.exchange import Exchange, Head, Piece
from agentbench.providers.cassettes.failures import failure_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

    from agentbench.providers.cassettes.exchange import Ending, Request

__all__ = ["Recording"]


class Recording:
    """Notes what comes, until an end: `complete`, an error, or `closed` where whoever asked left before."""

    def __init__(
        self, request: Request, clock: Callable[[], float], ended: Callable[[Recording, Exchange], None]
    ) -> None:
        self._request = request
        self._clock = clock
        self._ended = ended
        self._start = clock()
        self._head: Head | None = None
        self._pieces: list[tuple[float, Any]] = []
        self._is_over = False

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Note how an HTTP answer begins."""
        self._head = Head(status=status, headers=headers, seconds=self._seconds(self._clock()))

    def add(self, data: Any) -> None:
        """Note what came."""
        self._pieces.append((self._clock(), data))

    async def heard(self, pieces: AsyncIterator[Any]) -> AsyncGenerator[Any]:
        """Yield the pieces while they are noted."""
        with self.noting_errors():
            async for piece in pieces:
                self.add(piece)
                yield piece
        self.end("complete")

    @contextmanager
    def noting_errors(self) -> Iterator[None]:
        """End with the error that is raised within."""
        try:
            yield
        except Exception as error:
            self.end(failure_of(error))
            raise

    def end(self, ending: Ending) -> None:
        """Hand on what came; only the first end counts."""
        if self._is_over:
            return
        self._is_over = True
        pieces = tuple(Piece(seconds=self._seconds(moment), data=data) for moment, data in self._pieces)
        over = self._seconds(self._clock())
        self._ended(self, Exchange(request=self._request, head=self._head, pieces=pieces, end=ending, seconds=over))

    def _seconds(self, moment: float) -> float:
        return round(moment - self._start, 3)
