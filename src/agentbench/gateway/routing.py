"""The application and its routes: Starlette's, described by FastAPI where somebody asks for the description.

FastAPI itself isn't in the path of a request, nor loaded by a server: nothing here is checked by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Route

from agentbench._version import __version__

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    Endpoint = Callable[[Request], Awaitable[Response]]

__all__ = ["Application", "Operation"]

TITLE = "agentbench"
SUMMARY = "An agent workbench that lives inside a notebook"


class Operation(Route):
    """One method of one address; without a `summary` the description leaves it out."""

    def __init__(self, method: str, path: str, endpoint: Endpoint, summary: str = "", *, name: str = "") -> None:
        super().__init__(path, endpoint, methods=[method], name=name or None, include_in_schema=bool(summary))
        self.methods = {method}  # and not HEAD with each GET
        self.summary = summary


class Application(Starlette):
    """The ASGI application; `openapi` describes its operations."""

    def add_operation(self, method: str, path: str, endpoint: Endpoint, summary: str = "", *, name: str = "") -> None:
        """Add an operation after those that there are."""
        self.router.routes.append(Operation(method, path, endpoint, summary, name=name))

    def openapi(self) -> dict[str, Any]:
        """Return the operations as OpenAPI 3.1."""
        from fastapi.openapi.utils import get_openapi
        from fastapi.routing import APIRoute

        routes = [
            APIRoute(
                each.path,
                _nothing,  # what an endpoint takes is read from its types, and ours all take a request
                methods=each.methods,
                summary=each.summary,
                response_model=None,
                name=each.name,
            )
            for each in self.routes
            if isinstance(each, Operation) and each.include_in_schema
        ]
        return get_openapi(title=TITLE, version=__version__, summary=SUMMARY, routes=routes)


def _nothing() -> None:  # its docstring would be the description
    pass
