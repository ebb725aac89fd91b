"""What a server says of itself to whatever watches over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from tests.runner.fakes import FakeProvider, catalog, runner_of

from agentbench import __version__
from agentbench.config import Endpoint
from agentbench.gateway import health
from agentbench.gateway.app import create_app
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

pytestmark = pytest.mark.anyio


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give a database."""
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield database
    database.close()


async def get(app: ASGIApp, path: str) -> httpx2.Response:
    """Ask without a credential, as a server's requests come in."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:
        return await http.get(path)


async def test_health(app: ASGIApp) -> None:
    """A process that lives says so, and which version it is, to anyone."""
    response = await get(app, "/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "version": __version__})


async def test_ready(app: ASGIApp) -> None:
    """A server that can answer says so to anyone."""
    response = await get(app, "/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_without_a_database(database: Database) -> None:
    """Without its database it lives, but isn't ready; why is for the log."""
    app = create_app(runner_of(FakeProvider(), database))
    database.close()
    response = await get(app, "/ready")
    assert (response.status_code, response.json()) == (503, {"status": "unavailable", "missing": ["database"]})
    assert response.headers["retry-after"] == "5"
    assert (await get(app, "/health")).status_code == 200


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(name="google", provider="google", unsupported="Not yet."),
        Endpoint(name="local", provider="llama_cpp"),
    ],
)
async def test_without_an_endpoint(database: Database, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no endpoint that could answer it isn't ready."""
    monkeypatch.setattr(health, "find_spec", lambda _: None)
    app = create_app(runner_of(FakeProvider(), database, catalog(endpoint)))
    assert (await get(app, "/ready")).json() == {"status": "unavailable", "missing": ["endpoint"]}
