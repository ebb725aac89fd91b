"""A streamed answer as a server sees it: what ends it early, and what that leaves behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.runner.fakes import HANG, FakeProvider, runner_of

from agentbench.auth.principal import KERNEL
from agentbench.errors import StorageError
from agentbench.gateway.app import create_app
from agentbench.gateway.identity import PRINCIPAL
from agentbench.storage import usage
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
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

    def __init__(self, path: str = "responses", *, fails_at: int = -1) -> None:
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": f"/api/agents/v1/{path}",
            "query_string": b"",
            "headers": [],
            PRINCIPAL: KERNEL,
        }
        body = {"model": "bot", "input": "Hi", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
        self._body = msgspec.json.encode(body)
        self._fails_at = fails_at
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
        """Take a message; fail as a broken connection does."""
        if len(self.sent) == self._fails_at:
            raise OSError("The pipe is broken.")
        await asyncio.sleep(0)
        self.sent.append(message)


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
    await asyncio.sleep(0.1)
    assert (provider.opened, provider.closed) == (1, 1)
    assert await rows(database) == ["incomplete"]


async def test_a_database_that_fails(database: Database) -> None:
    """The stream breaks off before its last event, with the error itself."""
    server, provider = Server(), FakeProvider("one ", lambda _: database.close())
    with pytest.raises(StorageError):
        await create_app(runner_of(provider, database))(server.scope, server.receive, server.send)
    assert b"response.completed" not in b"".join(message.get("body", b"") for message in server.sent)
