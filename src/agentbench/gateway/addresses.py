"""Addresses: which routes there are, with or without a slash at the end, and how each writes its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import compile_path

from agentbench.surfaces import (
    AGENTS_API,
    ASSISTANTS_API,
    anthropic,
    assistants,
    embeddings,
    ollama,
    openai_chat,
    openresponses,
    webui,
)
from agentbench.surfaces.base import openai_error
from agentbench.surfaces.webui.base import detail_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from starlette.requests import HTTPConnection
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.errors import AgentbenchError
    from agentbench.surfaces.base import Route

    Shape = Callable[[AgentbenchError], Response]

__all__ = ["Addresses", "Unslashed", "has_details", "meant", "needs_use"]

_OURS = (AGENTS_API, ASSISTANTS_API, "/api/auth", "/api/keys", "/api/balance")
"""Addresses under `/api` that are no part of Open WebUI's API; they write errors as OpenAI does."""


class Addresses:
    """The routes of all surfaces by method and full path; two routes of one address differ in a header."""

    def __init__(self, *more: Route) -> None:
        self.routes: dict[tuple[str, str], list[Route]] = {}
        for path, each in _all_routes(more):
            self.routes.setdefault((each.method, path), []).append(each)
        self.open = frozenset(path for (_, path), routes in self.routes.items() if routes[0].open)
        self._compiled = [(method, compile_path(path)[0]) for method, path in self.routes]

    def shape(self, request: HTTPConnection) -> Shape:
        """Return how the surface that a request is meant for writes errors."""
        path = request.scope["path"]
        for (method, pattern), routes in zip(self._compiled, self.routes.values(), strict=True):
            if method == request.scope.get("method") and pattern.match(path):
                return meant(routes, request).error
        return detail_error if has_details(path) else openai_error


class Unslashed:
    """Takes an address with a slash at its end for the same without: a redirect would lose what many clients send."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "lifespan" and scope["path"].endswith("/"):
            scope = {**scope, "path": scope["path"].rstrip("/") or "/"}
        await self._app(scope, receive, send)


def meant(routes: list[Route], request: HTTPConnection) -> Route:
    """Return which of the routes of one address a request is for."""
    return next(each for each in routes if each.header is None or each.header in request.headers)


def has_details(path: str) -> bool:
    """Tell whether an address lies where Open WebUI's clients expect errors as `{"detail": …}`."""
    return _lies_in(path, "/api", "/ollama") and not _lies_in(path, *_OURS)


def needs_use(path: str) -> bool:
    """Tell whether one needs the right to use the agents at an address."""
    return has_details(path) or _lies_in(path, AGENTS_API, ASSISTANTS_API)


def _lies_in(path: str, *folders: str) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _all_routes(more: Iterable[Route]) -> Iterator[tuple[str, Route]]:
    openai = (*openresponses.ROUTES, *openai_chat.ROUTES, *embeddings.ROUTES, *assistants.ROUTES)
    for each in (*anthropic.ROUTES, *openai):
        yield AGENTS_API + each.path, each
    for each in openai:  # all of OpenAI's, so that one base URL is enough for an old program
        yield ASSISTANTS_API + each.path, each
    for each in (*more, *webui.ROUTES, *ollama.ROUTES):
        yield each.path.rstrip("/"), each
