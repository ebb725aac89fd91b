"""The lists of agents and models, and what the server says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import msgspec
import openai
import pytest

from agentbench import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

    from agentbench.runner import Runner

pytestmark = pytest.mark.anyio


@pytest.fixture
def models_for_all(runner: Runner) -> Iterator[None]:
    """Let callers name models too."""
    before = runner.catalog
    runner.use(msgspec.structs.replace(before, remote=msgspec.structs.replace(before.remote, models=True)))
    yield
    runner.use(before)


@pytest.mark.parametrize("path", ["/api/models", "/api/v1/models", "/api/v1/models/", "/api/models?refresh=true"])
async def test_models(ann: httpx2.AsyncClient, path: str) -> None:
    """A caller sees what it may name, at both addresses: here the agent, with its record."""
    body = (await ann.get(f"http://127.0.0.1{path}")).json()
    assert body["object"] == "list"
    agent = body["data"][0]
    assert {
        "id": "bot",
        "name": "Bot",
        "object": "model",
        "created": 0,
        "owned_by": "agentbench",
    }.items() <= agent.items()
    assert (agent["preset"], agent["info"]["base_model_id"]) == (True, "fake/m")
    assert (agent["tags"], agent["actions"], agent["filters"]) == ([], [], [])
    assert "fake/m" not in {each["id"] for each in body["data"]}


@pytest.mark.usefixtures("models_for_all")
async def test_agents_come_first(ann: httpx2.AsyncClient) -> None:
    """Where callers may name models, they come after the agents; the strict openai SDK reads the list."""
    client = openai.AsyncOpenAI(base_url="http://127.0.0.1/api/v1", api_key="none", http_client=ann)
    client._strict_response_validation = True
    names = [model.id async for model in client.models.list()]
    assert names[:3] == ["bot", "fake/m", "fake/n"]
    assert len(names) == len(set(names))


async def test_agents_of_the_workspace(ann: httpx2.AsyncClient) -> None:
    """Agents are the workspace's models: by page, by name, and one by one."""
    listed = (await ann.get("/models/list?page=1")).json()
    assert (listed["total"], [each["id"] for each in listed["items"]]) == (1, ["bot"])
    assert (await ann.get("/models/list?page=2")).json() == {"items": [], "total": 1}
    assert (await ann.get("/models/list?query=zzz")).json() == {"items": [], "total": 0}
    assert (await ann.get("/models/model?id=bot")).json() == listed["items"][0]
    assert (await ann.get("/models/model?id=nobody")).status_code == 404


async def test_a_wrong_query(ann: httpx2.AsyncClient) -> None:
    """What isn't a page is refused by its place."""
    answer = await ann.get("/models/list?page=x")
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "page"])
    assert (await ann.get("/models/model")).json()["detail"][0]["loc"] == ["query", "id"]


async def test_base_models(ann: httpx2.AsyncClient, root: httpx2.AsyncClient) -> None:
    """What agents are made of is for administrators."""
    assert (await ann.get("/models/base")).status_code == 403
    body = (await root.get("http://127.0.0.1/api/models/base")).json()
    assert [each["id"] for each in body["data"]] == ["fake/m", "fake/n"]


async def test_what_the_server_says(app: ASGIApp) -> None:
    """Its version and its features are told to anyone."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:
        version, config = await http.get("/api/version"), await http.get("/api/config")
    assert version.json() == {"version": __version__, "deployment_id": ""}
    assert config.json()["features"]["enable_signup"] is False
    assert config.json()["name"] == "agentbench"
