"""The ASGI application: the surfaces behind one identity check."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Match, WebSocketRoute

from agentbench.auth.accounts import Accounts
from agentbench.auth.gate import Gate
from agentbench.gateway.accounts import add_account_routes
from agentbench.gateway.addresses import Addresses, Unslashed, has_details, meant
from agentbench.gateway.body_limit import BodyLimit
from agentbench.gateway.docs import add_documents
from agentbench.gateway.health import add_health_routes
from agentbench.gateway.identity import NOBODY, PRINCIPAL, Identity
from agentbench.gateway.routing import Application
from agentbench.gateway.tracing import Tracing
from agentbench.surfaces import AGENTS_API, ASSISTANTS_API
from agentbench.surfaces.assistants import files as assistants_files
from agentbench.surfaces.base import json_response
from agentbench.surfaces.openresponses_socket import serve_socket
from agentbench.surfaces.webui import auths
from agentbench.surfaces.webui import files as webui_files

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp
    from starlette.websockets import WebSocket

    from agentbench.runner import Runner
    from agentbench.surfaces.base import Route

__all__ = ["create_app"]

_UPLOADS = {webui_files.FILES, *(api + assistants_files.FILES for api in (AGENTS_API, ASSISTANTS_API))}


def create_app(runner: Runner, environ: Mapping[str, str] = os.environ) -> ASGIApp:
    """Return the application; the caller owns the runner and what it stands on."""
    app = Application(exception_handlers={HTTPException: _no_route})
    gate = Gate(runner.catalog.remote, Accounts(runner.database))
    addresses = Addresses(*auths.routes(gate))
    for (method, path), routes in addresses.routes.items():
        told = routes[-1]
        app.add_operation(method, path, _endpoint(routes, runner), told.summary, name=told.handler.__name__)
    app.router.routes.append(WebSocketRoute(f"{AGENTS_API}/responses", _socket(runner)))
    add_account_routes(app, gate, runner)
    add_health_routes(app, runner)
    add_documents(app, addresses, environ)
    app.add_middleware(BodyLimit, uploads=_UPLOADS, largest_upload=lambda: runner.catalog.retrieval.largest_file)
    app.add_middleware(Identity, gate=gate, shape=addresses.shape, open_paths=addresses.open)
    app.add_middleware(Tracing, telemetry=runner.telemetry)
    app.add_middleware(Unslashed)
    return app


async def _no_route(request: Request, _: Exception) -> Response:
    """Answer an address or method that there isn't, in the shape that clients of its API can read."""
    allowed = _methods(request)
    if not allowed:
        return _refused(request, 404, f"There is no {request.method} {request.url.path} here.")
    message = f"{request.url.path} takes {' and '.join(allowed)}, not {request.method}."
    return _refused(request, 405, message, {"allow": ", ".join(allowed)})


def _methods(request: Request) -> list[str]:
    """Return the methods of an address, of all its routes; none if there is no such address."""
    routes = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in routes for method in getattr(route, "methods", None) or ()})


def _refused(request: Request, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    inner = {"message": message, "type": "invalid_request_error", "param": None, "code": "unknown_route"}
    body = {"detail": message} if has_details(request.url.path) else {"error": inner}
    return json_response(body, status, headers)


def _endpoint(routes: list[Route], runner: Runner) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        route = meant(routes, request)
        return await route.answer(request, runner, request.scope.get(PRINCIPAL, NOBODY))

    return endpoint


def _socket(runner: Runner) -> Callable[[WebSocket], Awaitable[None]]:
    async def endpoint(websocket: WebSocket) -> None:
        await serve_socket(websocket, runner, websocket.scope[PRINCIPAL])

    return endpoint
