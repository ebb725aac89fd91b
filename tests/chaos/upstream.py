"""A server that answers as badly as the model's name asks: `FAULT~ARGUMENT~RUN`, under the path of a wire format.

As a process of its own: python -m tests.chaos.upstream; it prints its port. `GET /counts` tells how many requests each
run has sent. `MISBEHAVIOUR` in `misbehaviour.py` lists the faults.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tests.chaos.misbehaviour import MISBEHAVIOUR
from tests.chaos.wires import WIRES, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.chaos.wires import Wire

__all__ = ["Talk", "Upstream", "serving", "started"]

_NAME = re.compile(rb"([a-z][a-z0-9_]*)~([a-z0-9._-]*)~([a-z0-9]+)")
_PROJECT = Path(__file__).parent.parent.parent


class Talk:
    """One request and the connection that it came on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.wire: Wire = WIRES["chat"]
        self.argument = ""
        self.request = b""
        self.times = 0
        """How often this run has asked, this request included."""
        self.place = 0
        """The request's place on its connection, from 1."""

    @property
    def number(self) -> int:
        """The argument as a number."""
        return int(self.argument)

    async def send(self, data: bytes) -> None:
        """Send bytes now."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> None:
        """Answer well."""
        await self.send(whole(self.wire))

    def reset(self) -> None:
        """End the connection with a RST."""
        with suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    def close(self) -> None:
        """End the connection with a FIN, in both directions."""
        self.writer.close()

    async def left(self) -> None:
        """Wait until the client closes its side."""
        while await self.reader.read(2**16):
            pass


class Upstream:
    """The server; `counts` has the number of requests of each run."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes on one connection."""
        talk = Talk(reader, writer)
        try:
            while not writer.is_closing() and await self._read(talk):
                await self._answer(talk)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _read(self, talk: Talk) -> bool:
        try:
            request = await talk.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        length = next((line for line in request.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        talk.request = request + await talk.reader.readexactly(int(length.partition(b":")[2]))
        talk.place += 1
        return True

    async def _answer(self, talk: Talk) -> None:
        found = _NAME.search(talk.request)
        if found is None:
            body = msgspec.json.encode(self.counts)
            await talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            return
        fault, talk.argument, run = (part.decode() for part in found.groups())
        self.counts[run] += 1
        talk.times = self.counts[run]
        talk.wire = WIRES[talk.request.split(b"/")[1].decode()]
        await MISBEHAVIOUR[fault](talk)


@asynccontextmanager
async def serving(upstream: Upstream) -> AsyncIterator[str]:
    """Serve on this event loop, and give the address."""
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0, backlog=1000)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@contextmanager
def started() -> Iterator[str]:
    """Give the address of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.chaos.upstream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_PROJECT) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def _main() -> None:
    async with serving(Upstream()) as url:
        print(url, flush=True)  # noqa: T201 - the test reads it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
