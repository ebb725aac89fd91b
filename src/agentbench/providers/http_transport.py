"""The way to one upstream under httpx2: a pool of our own connections.

httpx2's own transport costs ten times as much a request, and as much a piece of a stream. What it alone can do is
left to it: proxies.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

import anyio
import httpx2

from agentbench.providers.http_connection import Connection

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator

__all__ = ["Body", "Transport", "is_proxied", "sendable"]

_MOST_CONNECTIONS = 1000  # one a stream
_MOST_IDLE = 20
_IDLE_SECONDS = 60
_ADDRESS_SECONDS = 0.25
"""How long one address of a host is tried alone. RFC 8305, 5."""

_WRITE_SIZE = 64 * 1024
_HEADER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [^\0\r\n]*\r\n")
_TARGET = re.compile(rb"[!-~]+")


def is_proxied(url: httpx2.URL) -> bool:
    """Return whether the environment names a proxy for an address."""
    named = getproxies()
    return bool(named.get(url.scheme) or named.get("all")) and not proxy_bypass(url.host)


class Transport(httpx2.AsyncBaseTransport):
    """Connections to one host and port, over TLS where the address says so.

    Up to 20 that were used are kept for a minute. A request that finds a thousand under way waits.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        tls.set_alpn_protocols(["http/1.1"])
        self._tls = tls
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._slots = asyncio.Semaphore(_MOST_CONNECTIONS)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; return when the answer's head is there."""
        _require_http(request.url)
        limits = request.extensions.get("timeout", {})
        with _in_time(httpx2.PoolTimeout, limits.get("pool")):
            await self._slots.acquire()
        body = None
        try:
            body = Body(self, await self._connection(request), limits.get("read"))
            return await body.begin(request, limits.get("write"))
        except BaseException:
            if body is None:
                self._slots.release()
            else:
                await body.aclose()
            raise

    async def aclose(self) -> None:
        """Close every connection."""
        for each in (*self._idle, *self._busy):
            each.close()
        self._idle.clear()
        with anyio.CancelScope(shield=True):
            await asyncio.sleep(0)  # in which asyncio lets go of the sockets

    def release(self, connection: Connection) -> None:
        """Take a connection back, or close it if it is of no more use."""
        self._busy.discard(connection)
        self._slots.release()
        if connection.is_free and len(self._idle) < _MOST_IDLE:
            connection.idle_since = connection.loop.time()
            self._idle.append(connection)
        else:
            connection.close()

    async def _connection(self, request: httpx2.Request) -> Connection:
        kept = None if request.extensions.get("fresh") else self._kept()
        connection = kept or await self._opened(request)
        self._busy.add(connection)
        return connection

    def _kept(self) -> Connection | None:
        """Return the connection that was used last; those that are no good any more are closed."""
        loop = asyncio.get_running_loop()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_free and connection.loop is loop and connection.idle_since + _IDLE_SECONDS > loop.time():
                return connection
            connection.close()
        return None

    async def _opened(self, request: httpx2.Request) -> Connection:
        url, limits = request.url, request.extensions.get("timeout", {})
        if (trace := request.extensions.get("trace")) is not None:
            await trace("connection.connect_tcp.started", {})
        is_secure = url.scheme == "https"
        port = url.port or (443 if is_secure else 80)
        host = url.raw_host.decode("ascii")
        loop = asyncio.get_running_loop()
        tls = self._tls if is_secure else None
        with _in_time(httpx2.ConnectTimeout, limits.get("connect")):
            try:
                _, connection = await loop.create_connection(Connection, host, port, ssl=tls, **_racing(loop))
            except OSError as error:
                raise httpx2.ConnectError(str(error)) from error
        return connection


class Body(httpx2.AsyncByteStream):
    """One exchange on a connection: it sends the request, and is the answer's bytes."""

    def __init__(self, transport: Transport, connection: Connection, seconds: float | None) -> None:
        self._transport, self._connection, self._seconds = transport, connection, seconds
        self._left = False

    async def begin(self, request: httpx2.Request, seconds: float | None) -> httpx2.Response:
        connection = self._connection
        connection.begin(has_body=request.method != "HEAD")
        async for piece in sendable(request):
            await connection.write(piece, seconds)
        head = await connection.head(self._seconds)
        extensions = {"http_version": b"HTTP/" + head.version.encode(), "reason_phrase": head.reason}
        return httpx2.Response(head.status, headers=head.headers, stream=self, extensions=extensions)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.pieces()

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield what comes, all that waits as one piece."""
        try:
            while piece := await self._connection.read(self._seconds):
                yield piece
        finally:
            self.leave()

    async def aclose(self) -> None:
        self.leave()
        if self._connection.is_leaving:
            with anyio.CancelScope(shield=True):
                await asyncio.sleep(0)  # in which asyncio lets go of the socket

    def leave(self) -> None:
        if not self._left:
            self._left = True
            self._transport.release(self._connection)


async def sendable(request: httpx2.Request) -> AsyncIterator[bytes]:
    """Yield a request as it is sent, few bytes in one piece."""
    is_chunked = b"chunked" in request.headers.get("transfer-encoding", "").lower().encode()
    waiting = _head(request)
    stream: Any = request.stream  # an asynchronous client's
    async for part in stream:
        waiting += b"%x\r\n%b\r\n" % (len(part), part) if is_chunked and part else part
        if len(waiting) > _WRITE_SIZE:
            yield waiting
            waiting = b""
    yield waiting + (b"0\r\n\r\n" if is_chunked else b"")


def _head(request: httpx2.Request) -> bytes:
    target = request.url.raw_path
    lines = [b"%b: %b\r\n" % pair for pair in request.headers.raw]
    if not (_TARGET.fullmatch(target) and all(map(_HEADER.fullmatch, lines))):
        raise httpx2.LocalProtocolError("The address or a header holds characters that can't be sent.")
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method.encode(), target, b"".join(lines))


def _require_http(url: httpx2.URL) -> None:
    if url.scheme not in ("http", "https"):
        told = f"has an unsupported protocol '{url.scheme}://'" if url.scheme else "is missing 'http://' or 'https://'"
        raise httpx2.UnsupportedProtocol(f"Request URL {told}.")


def _racing(loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
    """Return how to have a host's addresses tried side by side, where a loop can do that: uvloop can't."""
    return {"happy_eyeballs_delay": _ADDRESS_SECONDS} if isinstance(loop, asyncio.BaseEventLoop) else {}


@contextmanager
def _in_time(error: type[httpx2.TimeoutException], seconds: float | None) -> Iterator[None]:
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError:
        raise error("") from None
