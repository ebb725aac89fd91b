"""The ASGI application: the surfaces behind one identity check, with generated API documents at `/docs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException

from agentbench._version import __version__
from agentbench.gateway.identity import PRINCIPAL, Identity
from agentbench.surfaces import AGENTS_API, openai_chat, openresponses
from agentbench.surfaces.base import json_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp

    from agentbench.runner import Runner
    from agentbench.surfaces.base import Route

__all__ = ["create_app"]


def create_app(runner: Runner) -> ASGIApp:
    """Return the application; the caller owns the runner and what it stands on."""
    app = FastAPI(title="agentbench", version=__version__, summary="An agent workbench that lives inside a notebook")
    for route in (*openresponses.ROUTES, *openai_chat.ROUTES):
        app.add_api_route(
            AGENTS_API + route.path,
            _endpoint(route, runner),
            methods=[route.method],
            summary=route.summary,
            response_model=None,
            name=route.handler.__name__,
        )
    app.add_exception_handler(HTTPException, _no_route)
    app.add_middleware(Identity)
    return app


async def _no_route(request: Request, error: Exception) -> Response:
    """Answer an address or method that there isn't, in the shape that clients of every surface can read."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"There is no {request.method} {request.url.path} here. GET /openapi.json lists what there is."
    inner = {"message": message, "type": "invalid_request_error", "param": None, "code": "unknown_route"}
    return json_response({"error": inner}, status)


def _endpoint(route: Route, runner: Runner) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await route.answer(request, runner, request.scope[PRINCIPAL])

    return endpoint
