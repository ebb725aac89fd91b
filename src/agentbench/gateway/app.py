"""The ASGI application: the surfaces behind one identity check, with generated API documents at `/docs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Request

from agentbench._version import __version__
from agentbench.gateway.identity import PRINCIPAL, Identity
from agentbench.surfaces import AGENTS_API, openai_chat, openresponses

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
    app.add_middleware(Identity)
    return app


def _endpoint(route: Route, runner: Runner) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await route.answer(request, runner, request.scope[PRINCIPAL])

    return endpoint
