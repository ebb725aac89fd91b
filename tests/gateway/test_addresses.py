"""Addresses that are there in two ways, and those that aren't there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from tests.gateway.test_identity import in_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from agentbench.gateway.crossing import LoopThread

API = "/api/agents/v1"


@pytest.fixture
def http(loop: LoopThread, app: ASGIApp) -> Iterator[httpx2.Client]:
    """Give the kernel's own client."""
    with in_process(loop, app) as http:
        yield http


@pytest.mark.parametrize("path", ["/health", "/api/version", "/api/models", f"{API}/models", "/api/v1/files"])
def test_a_slash_at_the_end(http: httpx2.Client, path: str) -> None:
    """It changes nothing, and there is no redirect."""
    plain, slashed = http.get(path), http.get(f"{path}/")
    assert (plain.status_code, slashed.status_code) == (200, 200)
    assert plain.json() == slashed.json()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/api/nope", "/api/v1/nope", "/api/v1/files/x/nope", "/ollama/api/nope", "/api"])
def test_unknown_to_open_webui(http: httpx2.Client, method: str, path: str) -> None:
    """An address that isn't there is a JSON 404 in that API's shape."""
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()) == (404, {"detail": f"There is no {method} {path} here."})


@pytest.mark.parametrize("path", ["/", "/nope", "/docs", "/openapi.json", "/redoc", f"{API}/nope", "/api/keys/a/b"])
def test_unknown_elsewhere(http: httpx2.Client, path: str) -> None:
    """Elsewhere it is one in OpenAI's shape."""
    answer = http.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_route")


def test_a_wrong_method(http: httpx2.Client) -> None:
    """It is a JSON 405 that names every method of the address."""
    theirs = http.put("/api/v1/files")
    assert (theirs.status_code, theirs.headers["allow"]) == (405, "GET, POST")
    assert theirs.json() == {"detail": "/api/v1/files takes GET and POST, not PUT."}
    ours = http.put("/api/keys")
    assert (ours.status_code, ours.headers["allow"], ours.json()["error"]["code"]) == (
        405,
        "GET, POST",
        "unknown_route",
    )


@pytest.mark.anyio
async def test_errors_before_a_route(app: ASGIApp) -> None:
    """Whoever isn't let in reads why in the shape of the API that was meant."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        for path in ("/api/models", "/api/v1/files/some-id", "/api/nope"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()) == (401, {"detail": "Not authenticated"})
        for path in (f"{API}/responses/resp_1", "/api/keys", "/api/balance", f"{API}/nope"):
            assert (await http.get(path)).json()["error"]["code"] == "missing_api_key"
        for path in (f"{API}/messages", "/api/v1/messages", "/api/message"):
            assert (await http.post(path)).json()["error"]["type"] == "authentication_error"
