"""Nobody gets in without having shown who he is."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from agentbench.auth.accounts import Accounts
from agentbench.auth.gate import Gate
from agentbench.auth.principal import KERNEL
from agentbench.config.remote import RemoteAccess
from agentbench.gateway.identity import PRINCIPAL, Identity
from agentbench.gateway.transports import InProcessTransport
from agentbench.storage.database import Database
from agentbench.surfaces.base import openai_error

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.gateway.crossing import LoopThread

API = "/api/agents/v1"
OPEN = ["/docs", "/openapi.json"]
PATHS = ["/", "/nowhere", f"{API}/models", f"{API}/responses", f"{API}/chat/completions"]
FORGED = {
    PRINCIPAL: "kernel",
    "agentbench-principal": "kernel",
    "x-forwarded-user": "kernel",
    "authorization": "Bearer in-process",
    "x-api-key": "in-process",
    "cookie": "agentbench.principal=kernel",
}


def over_http(app: ASGIApp) -> httpx2.AsyncClient:
    """Return a client that comes in as a server's requests do, with no principal."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1")


def in_process(loop: LoopThread, app: ASGIApp) -> httpx2.Client:
    """Return the kernel's own client."""
    return httpx2.Client(transport=InProcessTransport(loop, lambda: app, KERNEL), base_url="http://agentbench.invalid")


@pytest.mark.anyio
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_nobody(app: ASGIApp, method: str, path: str) -> None:
    """Without a credential every address answers 401, in OpenAI's shape, with a challenge."""
    async with over_http(app) as http:
        response = await http.request(method, path)
    assert response.status_code == 401
    error = response.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("authentication_error", "missing_api_key", None)
    assert "credential" in error["message"]
    assert response.headers["www-authenticate"] == 'Bearer realm="agentbench"'


@pytest.mark.anyio
@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_header(app: ASGIApp, name: str) -> None:
    """Nothing that a request says of itself makes it somebody's."""
    async with over_http(app) as http:
        response = await http.get(f"{API}/models?{PRINCIPAL}=kernel", headers={name: FORGED[name]})
    assert response.status_code == 401


async def ask(scope: dict[str, Any], folder: Path) -> tuple[list[Any], list[Any]]:
    """Send a bare scope through the check; return what the application saw and what was answered."""
    seen: list[Any] = []
    sent: list[Any] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    with closing(Database(f"sqlite:///{folder / 'identity.db'}")) as database:
        gate = Gate(RemoteAccess(), Accounts(database))
        await Identity(app, gate, lambda _: openai_error)(scope, receive, send)
    return seen, sent


@pytest.mark.anyio
async def test_a_websocket(tmp_path: Path) -> None:
    """It is closed before it is open."""
    scope = {"type": "websocket", "path": f"{API}/responses", "headers": []}
    assert await ask(scope, tmp_path) == ([], [{"type": "websocket.close", "code": 1008}])


@pytest.mark.anyio
async def test_a_websocket_at_a_server_that_can_say_why(tmp_path: Path) -> None:
    """It is answered as any request."""
    extensions: dict[str, Any] = {"websocket.http.response": {}}
    scope = {"type": "websocket", "path": f"{API}/responses", "headers": [], "extensions": extensions}
    seen, (start, body) = await ask(scope, tmp_path)
    assert (seen, start["type"], start["status"]) == ([], "websocket.http.response.start", 401)
    assert b"missing_api_key" in body["body"]


@pytest.mark.anyio
@pytest.mark.parametrize("scope", [{"type": "lifespan"}, {"type": "http", PRINCIPAL: KERNEL}])
async def test_who_gets_in(scope: dict[str, Any], tmp_path: Path) -> None:
    """The server itself, and whoever has a principal."""
    assert await ask(scope, tmp_path) == ([scope], [])


def test_the_kernel(loop: LoopThread, app: ASGIApp) -> None:
    """In this process everything is open, and what isn't there is a plain 404."""
    with in_process(loop, app) as http:
        statuses = {path: http.get(path).status_code for path in PATHS + OPEN}
    assert statuses == {
        "/": 404,
        "/docs": 404,
        "/openapi.json": 404,
        "/nowhere": 404,
        f"{API}/models": 200,
        f"{API}/responses": 405,
        f"{API}/chat/completions": 405,
    }
