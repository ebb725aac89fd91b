"""The API described, and the page that shows it, with no internet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.runner.fakes import FakeProvider, runner_of

from agentbench.gateway import docs
from agentbench.gateway.app import create_app
from agentbench.gateway.docs import ASSETS

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
API = "/api/agents/v1"
ASSISTANTS = "/api/assistants/v2"


@pytest.fixture
def dev(database: Database) -> ASGIApp:
    """Give the gateway as developers start it."""
    return create_app(runner_of(FakeProvider(), database), {"ENV": "dev"})


async def get(app: ASGIApp, path: str) -> httpx2.Response:
    """Ask without a credential, as a browser does."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:
        return await http.get(path)


async def described(app: ASGIApp) -> dict[str, Any]:
    """Return the description."""
    body: dict[str, Any] = (await get(app, "/openapi.json")).json()
    return body


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", f"{ASSETS}swagger-ui.css"])
@pytest.mark.parametrize("environ", [{}, {"ENV": "prod"}])
async def test_for_developers_only(database: Database, environ: dict[str, str], path: str) -> None:
    """Elsewhere there is nothing, and no credential is asked for to say so."""
    app = create_app(runner_of(FakeProvider(), database), environ)
    answer = await get(app, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_route")


async def test_the_page(dev: ASGIApp) -> None:
    """It loads from this server alone, and its policy lets it load from nowhere else."""
    page = await get(dev, "/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(loaded) == 3
    assert all(path.startswith(ASSETS) for path in loaded)
    assert "//" not in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for path in loaded:
        asset = await get(dev, path)
        assert (asset.status_code, len(asset.content) > 100) == (200, True)


async def test_without_the_page(database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An install without what npm brings says so; the description is there."""
    monkeypatch.setattr(docs, "_FOLDER", tmp_path / "nowhere")
    app = create_app(runner_of(FakeProvider(), database), {"ENV": "dev"})
    statuses = [(await get(app, path)).status_code for path in ("/docs", f"{ASSETS}swagger-ui.css", "/openapi.json")]
    assert statuses == [501, 404, 200]


async def test_paths_out_of_the_folder(dev: ASGIApp) -> None:
    """Nothing beside the page's files is served."""
    for path in (f"{ASSETS}../../app.py", f"{ASSETS}%2e%2e/%2e%2e/app.py", f"{ASSETS}nope.js", ASSETS):
        assert (await get(dev, path)).status_code in (401, 404)


async def test_every_address(dev: ASGIApp) -> None:
    """The addresses of every API are described, each with a sentence of its own."""
    paths = (await described(dev))["paths"]
    others = f"/ollama|/api/(v1|m|c|e)|{ASSISTANTS}|{API}/(assistants|threads|files|vector_stores)"
    ours = {path: sorted(methods) for path, methods in paths.items() if not re.match(others, path)}
    assert ours == {
        "/api/balance": ["get"],
        "/api/auth/login": ["post"],
        "/api/keys": ["get", "post"],
        "/api/keys/{key_id}": ["delete"],
        "/api/version": ["get"],
        "/health": ["get"],
        "/ready": ["get"],
        f"{API}/embeddings": ["post"],
        f"{API}/models": ["get"],
        f"{API}/responses": ["post"],
        f"{API}/models/{{model}}": ["get"],
        f"{API}/responses/compact": ["post"],
        f"{API}/responses/{{response_id}}": ["delete", "get"],
        f"{API}/responses/{{response_id}}/cancel": ["post"],
        f"{API}/responses/{{response_id}}/input_items": ["get"],
        f"{API}/chat/completions": ["post"],
        f"{API}/messages": ["post"],
        f"{API}/messages/count_tokens": ["post"],
    }
    assert {"/api/chat/completions", "/api/v1/files", "/api/v1/knowledge/create", "/ollama/api/chat"} <= set(paths)
    assert all(operation["summary"] for methods in paths.values() for operation in methods.values())


async def test_assistants(dev: ASGIApp) -> None:
    """Whatever OpenAI's clients ask is under both addresses, described alike but for the group."""
    paths = (await described(dev))["paths"]
    theirs = {path.removeprefix(ASSISTANTS): paths[path] for path in paths if path.startswith(ASSISTANTS)}
    both = {path.removeprefix(API): paths[path] for path in paths if path.startswith(API)}
    assert set(both) - set(theirs) == {"/messages", "/messages/count_tokens"}
    assert {path: sorted(each) for path, each in theirs.items() if re.match("/(assis|thr)", path)} == {
        "/assistants": ["get", "post"],
        "/assistants/{assistant_id}": ["delete", "get", "post"],
        "/threads": ["post"],
        "/threads/{thread_id}": ["delete", "get", "post"],
        "/threads/{thread_id}/messages": ["get", "post"],
        "/threads/{thread_id}/messages/{message_id}": ["delete", "get", "post"],
        "/threads/runs": ["post"],
        "/threads/{thread_id}/runs": ["get", "post"],
        "/threads/{thread_id}/runs/{run_id}": ["get", "post"],
        "/threads/{thread_id}/runs/{run_id}/cancel": ["post"],
        "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs": ["post"],
        "/threads/{thread_id}/runs/{run_id}/steps": ["get"],
        "/threads/{thread_id}/runs/{run_id}/steps/{step_id}": ["get"],
    }
    listing, body = theirs["/threads/{thread_id}/messages"]["get"], theirs["/assistants"]["post"]["requestBody"]
    assert [each["name"] for each in listing["parameters"]] == [
        *("thread_id", "limit", "order", "after", "before", "run_id")
    ]
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/CreateAssistant"}
    assert {each["post"]["tags"][0] for each in (theirs["/threads"], both["/threads"])} == {"Agents", "Assistants"}


async def test_what_trying_it_out_needs(dev: ASGIApp) -> None:
    """Credentials, bodies, and the parts of paths and queries are described, and every reference leads somewhere."""
    whole = await described(dev)
    paths, components = whole["paths"], whole["components"]
    assert [each["scheme"] for each in components["securitySchemes"].values() if "scheme" in each] == ["bearer"]
    assert whole["security"] == [{name: []} for name in components["securitySchemes"]]
    assert paths["/api/v1/auths/signin"]["post"]["security"] == []
    chat = paths["/api/chat/completions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert chat["example"]["model"]
    file = paths["/api/v1/files/{id}"]["get"]["parameters"]
    assert [(each["name"], each["in"]) for each in file] == [("id", "path")]
    pages = paths["/api/v1/models/list"]["get"]["parameters"]
    assert [(each["name"], each["in"], each["required"]) for each in pages] == [
        ("page", "query", False),
        ("query", "query", False),
    ]
    references = set(re.findall(r"#/components/schemas/([^\"']+)", str(whole)))
    assert references <= set(components["schemas"])
