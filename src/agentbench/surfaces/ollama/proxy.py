"""The API with an Ollama behind it: requests go there, and its answers come back byte for byte.

Calls of models are paid and counted as any other; what changes models is for administrators.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from agentbench.protocol.decode import decode_json
from agentbench.runner import Turn
from agentbench.runner.headers import with_headers
from agentbench.runner.relays import Relay
from agentbench.runner.target import Target
from agentbench.surfaces.base import json_response
from agentbench.surfaces.ollama.names import model_of
from agentbench.surfaces.ollama.passing import Passage, answer
from agentbench.surfaces.ollama.reckon import embeds, reckoned, shortened, streams
from agentbench.surfaces.ollama.tally import OllamaTally
from agentbench.surfaces.ollama.upstreams import check_listed, is_listed, without_prefix

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.config.endpoint import Endpoint
    from agentbench.providers.http import Http, Relayed
    from agentbench.runner import Runner

__all__ = ["call", "manage", "model", "models", "show", "tags", "version"]

_PREFIX = "/ollama"
_NAMES = ("model", "name", "source", "destination", "from")
"""Keys under which a body may name a model."""


async def call(request: Request, runner: Runner, principal: Principal, endpoint: Endpoint) -> HTTPResponse:
    """Pass a call of a model through."""
    body, path = await _named(request, endpoint), _path(request)
    turn = Turn(
        request=reckoned(path, body),
        principal=principal,
        context="embedding" if embeds(path) else "message",
        budgets=() if principal.remote else runner.budgets.now(),
    )
    relay = Relay(
        runner,
        turn,
        Target(agent=None, endpoint=endpoint, model=body["model"]),
        send=partial(_send, runner.providers.http, path, body),
        tally=OllamaTally(streams=streams(path, body)),
    )
    return await answer(request, relay, endpoint)


async def show(request: Request, runner: Runner, principal: Principal, endpoint: Endpoint) -> HTTPResponse:
    """Pass `POST /api/show` through."""
    return await _pass(request, runner, principal, endpoint, body=await _named(request, endpoint))


async def tags(request: Request, runner: Runner, principal: Principal, endpoint: Endpoint) -> HTTPResponse:
    """Answer `GET /api/tags` or `GET /api/ps` with the models that the operator lets be used."""
    return json_response({"models": await _rows(request, runner, principal, endpoint, key="models", name="name")})


async def models(request: Request, runner: Runner, principal: Principal, endpoint: Endpoint) -> HTTPResponse:
    """Answer `GET /v1/models`."""
    rows = await _rows(request, runner, principal, endpoint, key="data", name="id")
    return json_response({"object": "list", "data": rows})


async def model(request: Request, runner: Runner, principal: Principal, endpoint: Endpoint) -> HTTPResponse:
    """Pass `GET /v1/models/{model}` through."""
    name = without_prefix(request.path_params["model"], endpoint)
    check_listed(name, endpoint)
    return await _pass(request, runner, principal, endpoint, method="GET", path=f"/v1/models/{quote(name, safe=':')}")


async def version(request: Request, runner: Runner, principal: Principal, endpoint: Endpoint) -> HTTPResponse:
    """Pass `GET /api/version` through."""
    return await _pass(request, runner, principal, endpoint, method="GET")


async def manage(request: Request, runner: Runner, principal: Principal, endpoint: Endpoint) -> HTTPResponse:
    """Pass on what changes the models of the Ollama; only administrators come here."""
    body, path = decode_json(await request.body()), _path(request)
    body |= {key: without_prefix(body[key], endpoint) for key in _NAMES if isinstance(body.get(key), str)}
    if path == "/api/unload":  # Ollama's own API says it so
        path, body = "/api/generate", {"model": model_of(body), "keep_alive": 0}
    method = "DELETE" if path == "/api/delete" else "POST"
    return await _pass(request, runner, principal, endpoint, method=method, path=path, body=body)


async def _named(request: Request, endpoint: Endpoint) -> dict[str, Any]:
    """Return the body with the name that its model has there; raises `UnknownName` if the config rules that out."""
    body = decode_json(await request.body())
    name = without_prefix(model_of(body), endpoint)
    check_listed(name, endpoint)
    return {**body, "model": name}


async def _pass(
    request: Request,
    runner: Runner,
    principal: Principal,
    endpoint: Endpoint,
    *,
    method: str = "POST",
    path: str | None = None,
    body: Mapping[str, Any] | None = None,
) -> HTTPResponse:
    """Pass on a request that nobody pays for, and to which the operator's parameters of calls don't belong."""
    bare = msgspec.structs.replace(endpoint, add_params={}, drop_params=())
    there = await with_headers(bare, principal, runner.database)
    send = partial(runner.providers.http.relay, method, path or _path(request), there, body)
    return await answer(request, Passage(send), there)


async def _rows(
    request: Request, runner: Runner, principal: Principal, endpoint: Endpoint, *, key: str, name: str
) -> list[dict[str, Any]]:
    """Return the rows that the Ollama lists under a key and whose name the operator lets be used."""
    there = await with_headers(endpoint, principal, runner.database)
    listed = await runner.providers.http.get_json(_path(request), there)
    rows = listed.get(key) if isinstance(listed, dict) else None
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [row for row in known if is_listed(str(row.get(name)), endpoint)]


def _send(
    http: Http, path: str, body: Mapping[str, Any], endpoint: Endpoint, limit: int | None
) -> AbstractAsyncContextManager[Relayed]:
    return http.relay("POST", path, endpoint, body if limit is None else shortened(path, body, limit))


def _path(request: Request) -> str:
    """Return the path at the Ollama: without our prefix, and without the number of the Ollama."""
    path = str(request.scope["path"]).partition(_PREFIX)[2]
    return path.rpartition("/")[0] if "idx" in request.path_params else path
