"""A streamed answer as a server sees it: what ends it early, and what that leaves behind."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.runner.fakes import HANG, FakeProvider, runner_of

from agentbench.auth.principal import KERNEL
from agentbench.gateway.app import create_app
from agentbench.gateway.identity import PRINCIPAL
from agentbench.storage import usage
from agentbench.storage.database import Database
from agentbench.surfaces import event_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from starlette.types import Message

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty database, and close it."""
    database = Database(f"sqlite:///{tmp_path / 'surfaces.db'}")
    yield database
    database.close()


class Server:
    """Plays the server's part: hands over a request, takes what is sent, and goes away when told to."""

    def __init__(self, path: str = "responses", *, fails_at: int = -1, stream: bool = True, pause: float = 0) -> None:
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": f"/api/agents/v1/{path}",
            "query_string": b"",
            "headers": [],
            PRINCIPAL: KERNEL,
        }
        body = {"model": "bot", "input": "Hi", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
        self._body = msgspec.json.encode(body)
        self._fails_at = fails_at
        self._pause = pause
        self._given = False
        self.gone = asyncio.Event()
        self.sent: list[Any] = []

    async def receive(self) -> Message:
        """Give the body, then word that the client has gone."""
        if self._given:
            await self.gone.wait()
            return {"type": "http.disconnect"}
        self._given = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Take a message, as slowly as the client does; fail as a broken connection does."""
        if len(self.sent) == self._fails_at:
            raise OSError("The pipe is broken.")
        self.sent.append(message)
        await asyncio.sleep(self._pause)

    @property
    def comments(self) -> int:
        """How many comments were sent."""
        return [message.get("body") for message in self.sent].count(b": keep-alive\n\n")


class Unready(FakeProvider):
    """Doesn't begin to answer."""

    @asynccontextmanager
    async def open(self, *_: object) -> AsyncIterator[AsyncIterator[Any]]:
        """Wait for ever."""
        self.opened += 1
        self.hung.release()
        try:
            await asyncio.sleep(60)
            yield self._sent()
        finally:
            self.closed += 1


async def rows(database: Database) -> list[str]:
    """Return the status of each row of the ledger."""
    return [row.status for row in await database.read(usage.rows)]


@pytest.mark.parametrize("path", ["responses", "chat/completions"])
async def test_a_whole_stream(database: Database, path: str) -> None:
    """It ends by itself; nothing waits for the client to go."""
    server, provider = Server(path), FakeProvider()
    await asyncio.wait_for(create_app(runner_of(provider, database))(server.scope, server.receive, server.send), 5)
    assert server.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert server.sent[-2]["body"] == b"data: [DONE]\n\n"
    assert await rows(database) == ["completed"]


@pytest.mark.parametrize("path", ["responses", "chat/completions"])
async def test_a_client_that_goes_away(database: Database, path: str) -> None:
    """The upstream is closed, the answer so far is counted, and the request ends."""
    server, provider = Server(path), FakeProvider("one ", HANG)
    app = create_app(runner_of(provider, database))
    serving = asyncio.create_task(app(server.scope, server.receive, server.send))
    await provider.hung.acquire()
    server.gone.set()
    await asyncio.wait_for(serving, 5)
    assert (provider.opened, provider.closed) == (1, 1)
    assert await rows(database) == ["incomplete"]


@pytest.mark.parametrize("fails_at", [0, 1, 3])
async def test_a_broken_connection(database: Database, fails_at: int) -> None:
    """The same when the server finds out by sending, be it the very first message."""
    server, provider = Server(fails_at=fails_at), FakeProvider()
    with pytest.raises(OSError, match="The pipe is broken"):
        await create_app(runner_of(provider, database))(server.scope, server.receive, server.send)
    for _ in range(100):  # it is closed when the stream is collected
        if provider.closed and await rows(database):
            break
        await asyncio.sleep(0.05)
    assert (provider.opened, provider.closed) == (1, 1)
    assert await rows(database) == ["incomplete"]


async def test_a_database_that_fails(database: Database) -> None:
    """The stream is whole: that the answer isn't stored yet is a matter of the log."""
    server, provider = Server(), FakeProvider("one ", lambda _: database.close())
    await create_app(runner_of(provider, database))(server.scope, server.receive, server.send)
    assert b"response.completed" in b"".join(message.get("body", b"") for message in server.sent)


# -- silence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["responses", "chat/completions"])
async def test_a_comment_after_silence(database: Database, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Where nothing else is sent for long, comments keep the connection open."""
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.05)
    server, provider = Server(path), FakeProvider("one ", HANG)
    app = create_app(runner_of(provider, database))
    serving = asyncio.create_task(app(server.scope, server.receive, server.send))
    await provider.hung.acquire()
    await asyncio.sleep(0.5)
    server.gone.set()
    await asyncio.wait_for(serving, 5)
    assert 3 <= server.comments <= 10
    assert server.sent[-1]["body"] == b": keep-alive\n\n"


async def test_no_comment_without_silence(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that come soon enough need none, however long the stream is."""
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.5)
    server, provider = Server(pause=0.02), FakeProvider(*["word "] * 40)
    await asyncio.wait_for(create_app(runner_of(provider, database))(server.scope, server.receive, server.send), 10)
    assert server.comments == 0


async def test_no_comment_after_the_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow client gets nothing after the last message: servers take that for a fault."""
    monkeypatch.setattr(event_stream, "KEEP_ALIVE_SECONDS", 0.01)
    server, provider = Server(pause=0.03), FakeProvider("one")
    await asyncio.wait_for(create_app(runner_of(provider, database))(server.scope, server.receive, server.send), 10)
    assert server.comments > 0
    assert [message.get("more_body") for message in server.sent].index(False) == len(server.sent) - 1


# -- whole answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["responses", "chat/completions"])
async def test_a_client_that_goes_away_from_a_whole_answer(
    database: Database, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """It is cancelled like a stream, and counted; that is no fault to log."""
    server, provider = Server(path, stream=False), FakeProvider("one ", HANG)
    app = create_app(runner_of(provider, database))
    with caplog.at_level(logging.INFO, "agentbench"):
        serving = asyncio.create_task(app(server.scope, server.receive, server.send))
        await provider.hung.acquire()
        server.gone.set()
        await asyncio.wait_for(serving, 5)
    assert (provider.opened, provider.closed) == (1, 1)
    assert await rows(database) == ["incomplete"]
    assert caplog.messages == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_goes_away_before_the_answer_begins(database: Database, *, stream: bool) -> None:
    """The upstream that hasn't begun is let go, streamed or not."""
    server, provider = Server(stream=stream), Unready()
    app = create_app(runner_of(provider, database))
    serving = asyncio.create_task(app(server.scope, server.receive, server.send))
    await provider.hung.acquire()
    server.gone.set()
    await asyncio.wait_for(serving, 5)
    assert (provider.opened, provider.closed) == (1, 1)
    assert await rows(database) == ["incomplete"]
