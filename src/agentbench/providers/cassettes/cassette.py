"""A cassette that is in: it plays what its file holds, or lets things be done and writes them there."""

from __future__ import annotations

import os
import time
import warnings
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

import anyio
from anyio.lowlevel import checkpoint

from agentbench.errors import InvalidRequest
from agentbench.providers.cassettes.exchange import Request
from agentbench.providers.cassettes.failures import raised
from agentbench.providers.cassettes.file import FIRST_LINE, block, read
from agentbench.providers.cassettes.hidden import hidden
from agentbench.providers.cassettes.hiding import Hiding
from agentbench.providers.cassettes.matching import Shelf, without_today
from agentbench.providers.cassettes.recording import Recording

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    import httpx2

    from agentbench.providers.cassettes.deck import Asked
    from agentbench.providers.cassettes.exchange import Exchange

__all__ = ["Cassette", "Mode", "ToolRuns"]

T = TypeVar("T")
Mode = Literal["record", "replay", "auto"]
ToolRuns = Literal["run", "replay"]

_played_last: ContextVar[bool] = ContextVar("agentbench_cassette_played", default=False)


class Cassette:
    """Records into a file (`record`: from its beginning), replays it, or plays what it holds and adds what it lacks.

    What was recorded is played from the next time on that the file is opened: a request that is made three times
    while it is recorded is recorded three times. `hide` are regular expressions of what is never to be written.
    `tools`: whether tools run again in replay; None means that Python functions do, and tools of MCP servers don't.
    Raises `InvalidRequest` if there is nothing to replay. Safe for threads and event loops side by side.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        mode: Mode = "auto",
        *,
        pace: bool = False,
        hide: Sequence[str] = (),
        tools: ToolRuns | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.path = Path(path)
        self.mode: Mode = mode
        self.played = self.recorded = self.missed = 0
        self.clock = clock
        self.hiding = Hiding(hide)
        self._pace = pace
        self._tools = tools
        self._sleep = sleep
        self._lock = Lock()
        self._running: set[Recording] = set()
        self._is_closed = False
        self._anew: bytes | None = FIRST_LINE
        self._shelf = Shelf() if mode == "record" else self._read()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else self.mode
        counts = f"played {self.played}, recorded {self.recorded}, missed {self.missed}"
        return f"<Cassette {str(self.path)!r} {state}: {counts}>"

    def close(self) -> None:
        """Write what is still being recorded, as if it had been left now. From here on the cassette isn't there."""
        with self._lock:
            self._is_closed = True
            running = list(self._running)
        for recording in running:
            recording.end("closed")

    # -- the tape -----------------------------------------------------------------------------------------------

    async def value(self, asked: Asked, fetch: Callable[[], Awaitable[T]]) -> T:
        """Return what was recorded, or what `fetch` returns; a value that was played is as JSON has it."""
        request = self.request(asked.kind, asked.name, asked.body)
        runs = self._runs(asked)
        exchange = self.find(request, must=not runs)
        if exchange is not None and not runs:
            [value] = [each async for each in self.pieces(exchange)]
            return cast("T", value)
        if self._is_closed or exchange is not None or self.mode == "replay":
            return await fetch()
        recording = self.record(request)
        try:
            with recording.noting_errors():
                value = await fetch()
            recording.add(value)
            recording.end("complete")
        finally:
            recording.end("closed")
        return value

    def stream(
        self, asked: Asked, begin: Callable[[], AbstractAsyncContextManager[AsyncIterator[Any]]]
    ) -> AbstractAsyncContextManager[AsyncIterator[Any]]:
        """Return what was recorded piece by piece, or what `begin` gives."""
        return self._stream(self.request(asked.kind, asked.name, asked.body), begin)

    def transport(self, inner: httpx2.AsyncBaseTransport) -> httpx2.AsyncBaseTransport:
        """Return a transport that plays and records, and sends through `inner`."""
        from agentbench.providers.cassettes.transport import TapeTransport

        return TapeTransport(self, inner)

    async def pause(self, seconds: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait before a request is sent again: not after an answer that was played, unless at its pace."""
        if self._pace or not _played_last.get():
            await sleep(seconds)

    # -- for the transport --------------------------------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether it has been taken out."""
        return self._is_closed

    def request(
        self, kind: Literal["http", "model", "tool", "tools"], name: str, body: Any, method: str = "", path: str = ""
    ) -> Request:
        """Return a request as it is kept and looked for: without secrets, and without today's date."""
        body = self.hiding.request(body)
        return Request(kind=kind, name=name, method=method, path=self.hiding.path(path), body=without_today(body))

    def find(self, request: Request, *, must: bool = True) -> Exchange | None:
        """Return what to play; None if it is to be done. Raises `CassetteMiss` in replay, where it `must` be there."""
        with self._lock:
            exchange = None if self._is_closed else self._shelf.find(request)
            is_missed = exchange is None and must and self.mode == "replay" and not self._is_closed
            self.missed += is_missed
            self.played += exchange is not None and must
        _played_last.set(exchange is not None)
        if is_missed:
            raise self._shelf.miss(request, self.path.name)
        return exchange

    def record(self, request: Request) -> Recording:
        """Begin to record an answer."""
        recording = Recording(request, self.clock, self._ended)
        with self._lock:
            self._running.add(recording)
        return recording

    async def pieces(self, exchange: Exchange) -> AsyncGenerator[Any]:
        """Yield what came, each in its time or at once, and raise what was raised at the end."""
        start = self.clock() - (exchange.head.seconds if exchange.head else 0.0)
        for piece in exchange.pieces:
            await self.until(start + piece.seconds)
            yield piece.data
        if isinstance(exchange.end, str):
            return
        await self.until(start + exchange.seconds)
        raise raised(exchange.end)

    async def until(self, moment: float) -> None:
        """Wait for a moment of the recording; others get their turn in any case."""
        if self._pace and (seconds := moment - self.clock()) > 0:
            await self._sleep(seconds)
        else:
            await checkpoint()

    # -- inside -------------------------------------------------------------------------------------------------

    def _runs(self, asked: Asked) -> bool:
        """Return whether a tool runs again where it could be played."""
        if asked.kind != "tool":
            return False
        return not asked.name.startswith("mcp:") if self._tools is None else self._tools == "run"

    @asynccontextmanager
    async def _stream(
        self, request: Request, begin: Callable[[], AbstractAsyncContextManager[AsyncIterator[Any]]]
    ) -> AsyncIterator[AsyncIterator[Any]]:
        exchange = self.find(request)
        if exchange is not None:
            async with aclosing(self.pieces(exchange)) as played:
                yield played
            return
        if self._is_closed:
            async with begin() as pieces:
                yield pieces
            return
        recording = self.record(request)
        try:
            async with AsyncExitStack() as stack:
                with recording.noting_errors():
                    pieces = await stack.enter_async_context(begin())
                yield await stack.enter_async_context(aclosing(recording.heard(pieces)))
        finally:
            recording.end("closed")

    def _read(self) -> Shelf:
        """Return what the file holds; what is to be written later goes after it."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            if self.mode == "replay":
                raise InvalidRequest(
                    f"There is no cassette {self.path}. Record it: %agent cassette record {self.path}", param="path"
                ) from None
            return Shelf()
        except OSError as error:
            raise InvalidRequest(f"{self.path} can't be read: {error.strerror}.", param="path") from None
        reading = read(data, self.path.name)
        self._anew = None
        if reading.whole < len(data):
            self._anew = data[: reading.whole]
            warnings.warn(f"The last recording of {self.path.name} isn't whole, and is left out.", stacklevel=3)
        return Shelf(reading.exchanges)

    def _ended(self, recording: Recording, exchange: Exchange) -> None:
        """Write what was recorded, unless nothing had come when it was left."""
        with self._lock:
            self._running.discard(recording)
            if exchange.end == "closed" and exchange.head is None and not exchange.pieces:
                return
            self.recorded += 1
            try:
                self._write(block(hidden(exchange, self.hiding)))
            except OSError as error:
                warnings.warn(f"{self.path} can't be written: {error.strerror}. Nothing is recorded.", stacklevel=2)

    def _write(self, lines: bytes) -> None:
        """Append lines; with the first ones of a recording, the file that was there is replaced."""
        if self._anew is None:
            with self.path.open("ab") as file:
                file.write(lines)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        fresh.write_bytes(self._anew + lines)
        fresh.replace(self.path)
        self._anew = None
