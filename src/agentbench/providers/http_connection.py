"""One HTTP/1.1 connection to an upstream: asyncio moves the bytes, httptools reads them.

All that came since the last read is handed on as one piece, which is what makes long streams cheap. Errors are
httpx2's. It knows no pool and no request: `http_transport.py` does.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import httptools
import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BegunError", "Connection", "Head"]

_MOST_HEAD = 100 * 1024
_MOST_WAITING = 256 * 1024
"""Bytes that wait for the reader; then the upstream has to."""

_BUFFER = 64 * 1024

# A small read costs far more than the piece of text that it brings, so of a stream that is faster than 125 pieces a
# second, what comes is gathered, for a time that nobody notices.
_GATHER_SECONDS = 0.008
_QUICK_READS = 8
_TRICKLE = 8 * 1024

_FIRST_FINAL = 200
_NO_BODY = (204, 304)


class BegunError(httpx2.RemoteProtocolError):
    """The answer broke off in its head: somebody has acted upon the request."""


class Head(NamedTuple):
    """How an answer begins."""

    status: int
    version: str
    reason: bytes
    headers: list[tuple[bytes, bytes]]


class Connection(asyncio.BufferedProtocol):
    """Call `begin`, `write`, `head`, then `read` until it returns nothing; again, while it `is_free`."""

    # Of the answer:
    _head: Head | None
    _headers: list[tuple[bytes, bytes]]
    _reason: bytes
    _length: int | None
    _error: httpx2.TransportError | None
    _received: int

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.idle_since = 0.0
        self.is_leaving = False
        self._transport: Any = None  # asyncio.Transport, as it comes
        self._buffer = _own_buffer()
        self._body: list[bytes] = []
        self.on_body = self._body.append
        self._parser = httptools.HttpResponseParser(self)
        self._lost = self._paused = self._full = self._spoiled = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._ready_at = 0.0
        self._quick_reads = 0
        self._gathering: asyncio.TimerHandle | None = None
        self._is_late = False
        self.begin(has_body=True)
        self._ended = True

    # -- what its user calls --------------------------------------------------------------------------------------

    @property
    def is_free(self) -> bool:
        """Whether it can take the next request."""
        usable = not (self._lost or self._spoiled or self._full or self.is_leaving)
        return usable and self._ended and self._keeps and self._error is None

    def begin(self, *, has_body: bool) -> None:
        """Make ready for the next answer."""
        self._has_body = has_body
        self._head, self._headers, self._reason = None, [], b""
        self._keeps, self._length, self._error = True, None, None
        self._received = self._size = self._head_size = 0
        self._body.clear()
        self._ended, self._asked_for = False, 0
        self._quick_reads = 0
        if self._gathering is not None:
            self._stop_gathering()
            self._go_on()

    async def write(self, data: bytes, seconds: float | None) -> None:
        """Send bytes, as soon as the upstream takes them. One that has left may have answered: that is no error."""
        if not self._lost:
            self._transport.write(data)
        await self._until(lambda: self._lost or not self._paused, seconds, httpx2.WriteTimeout)

    async def head(self, seconds: float | None) -> Head:
        """Wait for the answer's head."""
        await self._until(lambda: self._head is not None or self._error is not None, seconds, httpx2.ReadTimeout)
        if self._head is None and self._head_size:
            raise BegunError(str(self._error))
        if self._head is None:
            raise self._error or httpx2.ReadError("")
        return self._head

    async def read(self, seconds: float | None) -> bytes:
        """Return what has come of the body, and wait if that is nothing; empty at the end."""
        if not (self._body or self._ended or self._error):
            await self._until(self._has_news, seconds, httpx2.ReadTimeout)
        if self._body:
            piece = b"".join(self._body)
            self._body.clear()
            self._size = 0
            self._received += len(piece)
            if self._full:
                self._full = False
                self._go_on()
            return piece
        if self._error is not None:
            raise self._error
        return b""

    def close(self) -> None:
        """Leave, whatever is still on its way."""
        self.is_leaving = True
        self._stop_timer()
        self._stop_gathering()
        if not (self._lost or self.loop.is_closed()):
            self._transport.abort()

    # -- what asyncio calls ---------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's shape
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._ended:
            self._spoiled = True  # nobody asked
            return
        self._gather(nbytes)
        data = self._buffer[:nbytes]
        self._size += len(data)
        if self._head is None:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._spoiled = True
            if not self._ended:
                self._fail(httpx2.RemoteProtocolError(str(error)))
        if self._ended and self._spoiled:
            del self._body[self._asked_for :]  # what comes behind an answer is nobody's
        if self._size > _MOST_WAITING and not self._body:
            self._fail(httpx2.RemoteProtocolError("There is too much around the chunks of the answer."))
        if self._head is None and self._head_size > _MOST_HEAD:
            self._fail(httpx2.RemoteProtocolError("The head of the answer is too long."))
        if self._size > _MOST_WAITING and not self._full:
            self._full = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        self._leave(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave(exc)
        self._stop_timer()
        self._stop_gathering()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._wake()

    # -- what httptools calls -------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._spoiled = self._spoiled or self._ended

    def on_status(self, status: bytes) -> None:
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        head = Head(status, self._parser.get_http_version(), self._reason, self._headers)
        self._reason, self._headers = b"", []
        if status < _FIRST_FINAL or self._ended:
            return
        self._head = head
        self._keeps = self._parser.should_keep_alive()
        self._length = _length(head) if self._has_body and status not in _NO_BODY else 0
        if not self._has_body:  # the parser would wait for one
            self._keeps, self._ended = False, True

    def on_message_complete(self) -> None:
        if self._head is not None and not self._ended:
            self._ended, self._asked_for = True, len(self._body)

    # -- within ---------------------------------------------------------------------------------------------------

    def _has_news(self) -> bool:
        return bool(self._body) or self._ended or self._error is not None

    def _fail(self, error: httpx2.TransportError) -> None:
        self._error = self._error or error

    def _leave(self, error: Exception | None) -> None:
        """Note that no more will come, and whether that was the end."""
        self._lost = True
        if not self._ended and error is not None:
            self._fail(httpx2.ReadError(""))
        elif not self._ended and self._head is None:
            self._fail(httpx2.RemoteProtocolError("Server disconnected without sending a response."))
        elif not self._ended and self._length is None:
            self._ended = True  # it had said that it would end so
        elif not self._ended:
            self._fail(httpx2.RemoteProtocolError(f"peer closed connection {self._missing}"))
        self._wake()

    @property
    def _missing(self) -> str:
        if self._length == _CHUNKED:
            return "without sending complete message body (incomplete chunked read)"
        received = self._received + sum(map(len, self._body))
        return f"without sending complete message body (received {received} bytes, expected {self._length})"

    def _gather(self, size: int) -> None:
        """Read less often what trickles in: each read costs far more than a piece of text that it brings."""
        now = self.loop.time()
        is_trickle = size < _TRICKLE and now - self._ready_at < _GATHER_SECONDS
        self._quick_reads = self._quick_reads + 1 if is_trickle else 0
        self._ready_at = now
        if self._quick_reads > _QUICK_READS:
            self._transport.pause_reading()
            self._gathering = self.loop.call_later(_GATHER_SECONDS, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        self._ready_at = self.loop.time()
        self._go_on()

    def _go_on(self) -> None:
        if not (self._full or self._gathering or self._lost):
            self._transport.resume_reading()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _until(
        self, came: Callable[[], bool], seconds: float | None, too_late: type[httpx2.TimeoutException]
    ) -> None:
        """Wait, so many seconds at most for each sign of life."""
        while not came():
            self._waiter = self.loop.create_future()
            self._limit(seconds)
            try:
                await self._waiter
            finally:
                late, self._waiter = self._waiter.done() and self._is_late, None
            if late and not came():
                raise too_late("")

    def _limit(self, seconds: float | None) -> None:
        """Have the waiter woken after so many seconds, by a timer that isn't set anew for each."""
        self._is_late = False
        self._due = float("inf") if seconds is None else self.loop.time() + seconds
        if seconds is not None and (self._timer is None or self._timer.when() > self._due):
            self._stop_timer()
            self._timer = self.loop.call_at(self._due, self._ring)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_gathering(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def _ring(self) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done() or self._due == float("inf"):
            return
        if self.loop.time() < self._due:
            self._timer = self.loop.call_at(self._due, self._ring)
        else:
            self._is_late = True
            self._wake()


_CHUNKED = -1
_local = threading.local()


def _own_buffer() -> memoryview:
    """Return the memory into which all connections of this thread read, as each is done with it at once."""
    if not hasattr(_local, "buffer"):
        _local.buffer = memoryview(bytearray(_BUFFER))
    buffer: memoryview = _local.buffer
    return buffer


def _length(head: Head) -> int | None:
    """Return how long the body is: `_CHUNKED` if it says where it ends, None if the connection's end is its own."""
    given = {name.lower(): value for name, value in head.headers}
    if b"chunked" in given.get(b"transfer-encoding", b"").lower():
        return _CHUNKED
    length = given.get(b"content-length", b"").strip()
    return int(length) if length.isdigit() else None
