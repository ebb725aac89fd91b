"""The ASGI application: the surfaces behind one identity check, with generated API documents at `/docs`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, WebSocket
from starlette.exceptions import HTTPException

from agentbench._version import __version__
from agentbench.auth.accounts import Accounts
from agentbench.auth.gate import Gate
from agentbench.gateway.accounts import add_account_routes
from agentbench.gateway.body_limit import BodyLimit
from agentbench.gateway.health import add_health_routes
from agentbench.gateway.identity import PRINCIPAL, Identity
from agentbench.surfaces import AGENTS_API, anthropic, openai_chat, openresponses
from agentbench.surfaces.base import json_response, openai_error
from agentbench.surfaces.openresponses_socket import serve_socket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import HTTPConnection
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from agentbench.errors import AgentbenchError
    from agentbench.runner import Runner
    from agentbench.surfaces.base import Route

__all__ = ["create_app"]


def create_app(runner: Runner) -> ASGIApp:
    """Return the application; the caller owns the runner and what it stands on."""
    app = FastAPI(title="agentbench", version=__version__, summary="An agent workbench that lives inside a notebook")
    gate = Gate(runner.catalog.remote, Accounts(runner.database))
    addresses = _by_address(*anthropic.ROUTES, *openresponses.ROUTES, *openai_chat.ROUTES)
    for (method, path), routes in addresses.items():
        app.add_api_route(
            AGENTS_API + path,
            _endpoint(routes, runner),
            methods=[method],
            summary=routes[-1].summary,
            response_model=None,
            name=routes[-1].handler.__name__,
        )
    app.add_api_websocket_route(f"{AGENTS_API}/responses", _socket(runner))
    add_account_routes(app, gate, runner)
    add_health_routes(app, runner)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_middleware(BodyLimit)
    app.add_middleware(Identity, gate=gate, shape=partial(_error_shape, addresses))
    return app


async def _no_route(request: Request, error: Exception) -> Response:
    """Answer an address or method that there isn't, in the shape that clients of every surface can read."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"There is no {request.method} {request.url.path} here. GET /openapi.json lists what there is."
    inner = {"message": message, "type": "invalid_request_error", "param": None, "code": "unknown_route"}
    return json_response({"error": inner}, status)


def _by_address(*routes: Route) -> dict[tuple[str, str], list[Route]]:
    found: dict[tuple[str, str], list[Route]] = {}
    for route in routes:
        found.setdefault((route.method, route.path), []).append(route)
    return found


def _endpoint(routes: list[Route], runner: Runner) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        route = _meant(routes, request)
        return await route.answer(request, runner, request.scope[PRINCIPAL])

    return endpoint


def _socket(runner: Runner) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(websocket: WebSocket) -> None:
        await serve_socket(websocket, runner, websocket.scope[PRINCIPAL])

    return endpoint


def _meant(routes: list[Route], request: HTTPConnection) -> Route:
    return next(each for each in routes if each.header is None or each.header in request.headers)


def _error_shape(
    addresses: dict[tuple[str, str], list[Route]], request: HTTPConnection
) -> Callable[[AgentbenchError], Response]:
    """Return how the surface that a request is meant for writes errors; for any other address, as OpenAI does."""
    address = (request.scope.get("method", ""), request.scope["path"].removeprefix(AGENTS_API))
    routes = addresses.get(address)
    return _meant(routes, request).error if routes else openai_error
