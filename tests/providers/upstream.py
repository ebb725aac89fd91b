"""An HTTP server on loopback that answers with the bytes that a test gives, whole or broken, and keeps what it saw."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Answer = Callable[["Connection"], Awaitable[None]]

__all__ = ["Connection", "Upstream", "drop", "hang", "reply", "stream"]


class Connection:
    """One connection of a client's."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self) -> bytes:
        """Return the next request, head and body; nothing if the client has left."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        return head + await self._reader.readexactly(int(length.partition(b":")[2]))

    async def send(self, data: bytes) -> None:
        """Send bytes now."""
        self._writer.write(data)
        await self._writer.drain()

    async def left(self) -> None:
        """Wait until the client closes its side."""
        with suppress(ConnectionError):
            await self._reader.read()

    def close(self) -> None:
        """Close the connection at once."""
        self._writer.close()


class Upstream:
    """The server; it gives its answers in turn, and the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.client_left = asyncio.Event()

    @property
    def url(self) -> str:
        """The base URL to configure."""
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}/v1"

    async def __aenter__(self) -> Self:
        self._open: list[Connection] = []
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._open:
            connection.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        connection = Connection(reader, writer)
        self._open.append(connection)
        while request := await connection.request():
            self.requests.append(request)
            await self.answers[min(len(self.requests), len(self.answers)) - 1](connection)
        self.client_left.set()
        connection.close()


def reply(status: int = 200, body: bytes = b"", kind: str = "application/json", **headers: str) -> Answer:
    """Answer with a whole body, and keep the connection open."""
    given = {"content_type": kind, "content_length": str(len(body))} | headers
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())

    async def answer(connection: Connection) -> None:
        await connection.send(f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body)

    return answer


def stream(*pieces: bytes, kind: str = "text/event-stream", then: Answer | None = None) -> Answer:
    """Answer in pieces, each in a chunk of its own; `then` replaces the regular end."""

    async def answer(connection: Connection) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        await connection.send(head.encode())
        for piece in pieces:
            await connection.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if then is None:
            await connection.send(b"0\r\n\r\n")
        else:
            await then(connection)

    return answer


async def drop(connection: Connection) -> None:
    """Close the connection in the middle."""
    connection.close()


async def hang(connection: Connection) -> None:
    """Say nothing more, until the client leaves."""
    await connection.left()
