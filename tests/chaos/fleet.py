"""Several `agentbench serve` on one database, and what sends each connection to the next of them."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Thread
from typing import TYPE_CHECKING

import httpx2
import openai

from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from agentbench.auth.accounts import Accounts, NewKey

__all__ = ["PASSWORD", "Fleet", "Process", "Proxy", "proxy_to", "serving"]

PASSWORD = "long enough"
SETTINGS = ("AGENTBENCH_", "OPENAI_", "ANTHROPIC_", "HTTP_PROXY", "http_proxy")


@dataclass(frozen=True, slots=True)
class Process:
    """One server, with a home of its own."""

    popen: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """End it as a power cut does."""
        self.popen.kill()
        self.popen.wait()


@contextmanager
def serving(number: int, config: str, folder: Path, database_url: str) -> Iterator[list[Process]]:
    """Start so many servers on the database, which share nothing else; kill them at the end."""
    with ExitStack() as stack:
        started = [stack.enter_context(_started(config, folder / str(n), database_url)) for n in range(number)]
        processes = [Process(popen, _port(popen)) for popen in started]
        for each in processes:
            httpx2.get(f"{each.url}/ready", timeout=60).raise_for_status()
        yield processes


@contextmanager
def _started(config: str, folder: Path, database_url: str) -> Iterator[subprocess.Popen[str]]:
    folder.mkdir()
    (folder / "agentbench.yaml").write_text(config)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    environ = kept | {"AGENTBENCH_HOME": str(folder / "home"), "AGENTBENCH_DATABASE_URL": database_url}
    command = [sys.executable, "-m", "agentbench", "serve", "--port", "0", "--config", "agentbench.yaml"]
    with (folder / "log").open("w") as log:
        popen = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield popen
        finally:
            popen.kill()
            popen.communicate()


def _port(popen: subprocess.Popen[str]) -> int:
    assert popen.stdout is not None
    line = popen.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
    assert found is not None, f"it said {line!r} in place of its address"
    return int(found[1])


@dataclass(slots=True)
class Proxy:
    """Hands each connection to the next server that takes it; `served` counts by port."""

    ports: Sequence[int]
    url: str = ""
    served: dict[int, int] = field(default_factory=dict)
    _number: Iterator[int] = field(default_factory=count)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry the bytes of a connection both ways, until both ends have said that it is over."""
        try:
            there, back = await self._next()
            await asyncio.gather(_carry(reader, back), _carry(there, writer))
        except OSError:
            writer.close()

    async def _next(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        for _ in self.ports:
            port = self.ports[next(self._number) % len(self.ports)]
            with suppress(OSError):
                streams = await asyncio.open_connection("127.0.0.1", port)
                self.served[port] = self.served.get(port, 0) + 1
                return streams
        raise ConnectionRefusedError


@contextmanager
def proxy_to(processes: Sequence[Process]) -> Iterator[Proxy]:
    """Run a proxy on a thread of its own."""
    proxy, ready = Proxy([each.port for each in processes]), Event()
    stopping: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        async with await asyncio.start_server(proxy.handle, "127.0.0.1", 0) as server:
            proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            stopping.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        for loop, stop in stopping:
            loop.call_soon_threadsafe(stop.set)
        thread.join(10)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except OSError:
        pass
    finally:
        target.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The servers, the proxy before them, and the accounts that they let in."""

    proxy: Proxy
    processes: Sequence[Process]
    accounts: Accounts
    database_url: str
    share: float

    def times(self, number: int) -> int:
        """Return so many times the share, and at least four: once for each server."""
        return max(4, round(number * self.share))

    async def new_key(self, user: str, *, per_minute: int | None = None) -> NewKey:
        """Make a key for a user of that name, who is made too."""
        email = f"{user}@example.org"
        with suppress(InvalidRequest):
            await self.accounts.add_user(email, password=PASSWORD)
        owner = await self.accounts.user(email)
        return await self.accounts.create_key(owner.id, name=user, requests_per_minute=per_minute)

    async def user(self, user: str, *, retries: int = 2) -> openai.AsyncOpenAI:
        """Return an OpenAI client with a key of a user of that name; each call asks the next server."""
        return self.client((await self.new_key(user)).secret.reveal(), retries=retries)

    def client(self, key: str, url: str | None = None, *, retries: int = 2) -> openai.AsyncOpenAI:
        """Return an OpenAI client that asks the proxy, or one server."""
        return openai.AsyncOpenAI(
            base_url=f"{url or self.proxy.url}/api/agents/v1",
            api_key=key,
            max_retries=retries,
            http_client=httpx2.AsyncClient(limits=httpx2.Limits(max_keepalive_connections=0), timeout=60),
        )

    def each(self, key: str) -> list[openai.AsyncOpenAI]:
        """Return a client for each server."""
        return [self.client(key, each.url, retries=0) for each in self.processes]
