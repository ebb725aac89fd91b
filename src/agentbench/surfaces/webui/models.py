"""The agents and models that a caller may name, as Open WebUI lists them; agents are its workspace's models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import PermissionDenied, UnknownName
from agentbench.surfaces.base import json_response
from agentbench.surfaces.webui.base import query_of, route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.config.endpoint import Agent
    from agentbench.runner import Runner

__all__ = ["ROUTES"]

_PAGE = 30


class PageQuery(msgspec.Struct, frozen=True):
    """Which page, from 1; `query` is part of a name."""

    page: int = 1
    query: str = ""


class NameQuery(msgspec.Struct, frozen=True):
    """Which agent."""

    id: str


async def list_models(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /models`: agents first, then every `endpoint/model`, then what makes embeddings."""
    names = runner.names_for(principal)
    rows = [_row(runner, name) for name in dict.fromkeys((*names, *runner.embeddings.models(principal)))]
    return json_response({"object": "list", "data": rows})


async def list_agents(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /models/list`."""
    asked = query_of(request, PageQuery)
    wanted = asked.query.casefold()
    agents = [each for each in _agents(runner, principal) if wanted in f"{each.id} {each.name}".casefold()]
    begin = max(0, asked.page - 1) * _PAGE
    items = [_record(runner, each) for each in agents[begin : begin + _PAGE]]
    return json_response({"items": items, "total": len(agents)})


async def one_agent(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /models/model`."""
    asked = query_of(request, NameQuery).id
    agents = {each.id: each for each in _agents(runner, principal)}
    if asked not in agents:
        raise UnknownName("model", asked, agents, param="id")
    return json_response(_record(runner, agents[asked]))


async def list_base(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /models/base`: what agents can be made of."""
    if principal.remote and not principal.is_administrator:
        raise PermissionDenied("Only an administrator may list these. GET /api/models lists what you may name.")
    catalog = runner.catalog
    names = [f"{each.name}/{model}" for each in catalog.endpoints.values() for model in each.models]
    return json_response({"object": "list", "data": [_row(runner, name) for name in names]})


def _agents(runner: Runner, principal: Principal) -> Iterable[Agent]:
    agents = runner.catalog.agents
    return (agents[name] for name in runner.names_for(principal) if name in agents)


def _row(runner: Runner, name: str) -> dict[str, Any]:
    """Return a model in OpenAI's form, with the keys that Open WebUI adds."""
    agent = runner.catalog.agents.get(name)
    row = {
        "id": name,
        "name": name if agent is None else agent.name,
        "object": "model",
        "created": 0,
        "owned_by": "agentbench",
        "connection_type": "external",
        "tags": [],
        "actions": [],
        "filters": [],
    }
    return row if agent is None else row | {"preset": True, "info": _record(runner, agent)}


def _record(runner: Runner, agent: Agent) -> dict[str, Any]:
    """Return an agent as a model of the workspace: everybody's who may name it, and nobody's to change."""
    return {
        "id": agent.id,
        "user_id": "",
        "base_model_id": _base(runner, agent),
        "name": agent.name,
        "params": {},
        "meta": {"description": agent.description or None, "capabilities": {"citations": True, "file_upload": True}},
        "access_grants": [],
        "is_active": True,
        "write_access": False,
        "updated_at": 0,
        "created_at": 0,
    }


def _base(runner: Runner, agent: Agent) -> str | None:
    """Return the `endpoint/model` behind an agent; None where the config leaves it open."""
    try:
        endpoint = runner.catalog.endpoint(agent.endpoint) if agent.endpoint else runner.catalog.default_endpoint
    except UnknownName:
        return None
    model = agent.model or endpoint.default_model
    return None if model is None else f"{endpoint.name}/{model}"


_MODELS = "/api/v1/models"
ROUTES = (
    route("GET", "/api/models", list_models, "List agents and models (Open WebUI)"),
    route("GET", _MODELS, list_models, "List agents and models (Open WebUI)"),
    route("GET", f"{_MODELS}/list", list_agents, "List agents as the workspace's models", query=PageQuery),
    route("GET", f"{_MODELS}/model", one_agent, "Return one agent", query=NameQuery),
    route("GET", "/api/models/base", list_base, "List the models behind the agents"),
    route("GET", f"{_MODELS}/base", list_base, "List the models behind the agents"),
)
