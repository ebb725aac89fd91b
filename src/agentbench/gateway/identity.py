"""Who makes a request: pure ASGI middleware that lets in whoever shows a valid credential, and nobody else."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from agentbench.auth.principal import Principal
from agentbench.errors import AgentbenchError, InsufficientScope, MissingCredential, NotAuthenticated, RateLimited
from agentbench.gateway.addresses import needs_use
from agentbench.gateway.docs import ASSETS, DOCS_PATHS
from agentbench.gateway.health import OPEN_PATHS
from agentbench.surfaces.webui.auths import COOKIE

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.auth.gate import Gate

__all__ = ["NOBODY", "PRINCIPAL", "SIGN_IN", "Identity", "error_headers", "unforeseen"]

PRINCIPAL = "agentbench.principal"
"""The scope's key for who is calling. Only code in this process can set it; no header reaches it."""

SIGN_IN = "/api/auth/login"
_OPEN = OPEN_PATHS | DOCS_PATHS | {SIGN_IN}
"""Where nobody needs a credential."""

NOBODY = Principal(user="nobody", remote=True)
"""Who calls there."""


_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1
_log = logging.getLogger(__name__)


class Identity:
    """Finds the principal of each request, unless code in this process has put one there.

    `shape` returns how the API that the request is meant for writes errors; at `open_paths` nobody needs a credential.
    """

    def __init__(
        self,
        app: ASGIApp,
        gate: Gate,
        shape: Callable[[HTTPConnection], Callable[[AgentbenchError], Response]],
        open_paths: frozenset[str] = frozenset(),
    ) -> None:
        self._app, self._gate, self._shape = app, gate, shape
        self._open = _OPEN | open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with an error; a WebSocket is refused before it is open."""
        if scope["type"] != "lifespan" and PRINCIPAL not in scope and not self._is_open(scope["path"]):
            try:
                scope[PRINCIPAL] = await self._admit(HTTPConnection(scope))
            except AgentbenchError as error:
                await self._refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open or path.startswith(ASSETS)

    async def _admit(self, request: HTTPConnection) -> Principal:
        try:
            principal = await self._gate.admit(_credential(request))
        except AgentbenchError:
            raise
        except Exception as error:  # noqa: BLE001 - it is logged, and no client learns more
            raise unforeseen(error) from None
        path = request.scope["path"]
        self._gate.require_address(path, principal)
        if needs_use(path):
            self._gate.require("use", principal)
        return principal

    async def _refuse(self, error: AgentbenchError, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        response = self._shape(HTTPConnection(scope))(error)
        response.headers.update(error_headers(error))
        await response(scope, receive, send)


def _credential(request: HTTPConnection) -> str | None:
    """Return what `Authorization: Bearer`, the cookie or `x-api-key` holds, the first that is there."""
    return _bearer(_once(request, "authorization")) or _cookie(request) or _once(request, "x-api-key").strip() or None


def _once(request: HTTPConnection, name: str) -> str:
    given = request.headers.getlist(name)
    if len(given) > 1:
        raise NotAuthenticated(f"The header {name} came twice. Send it once.")
    return given[0] if given else ""


def _bearer(header: str) -> str | None:
    scheme, _, credential = header.strip().partition(" ")
    return credential.strip() if scheme.casefold() == "bearer" else None


def _cookie(request: HTTPConnection) -> str | None:
    """Return the cookie, unless a page of another origin makes the browser send it."""
    return request.cookies.get(COOKIE) if _is_own(request) else None


def _is_own(request: HTTPConnection) -> bool:
    """Tell whether no other origin asks; browsers say it outright only to https and to this machine itself."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("none", "same-origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


def unforeseen(error: Exception) -> AgentbenchError:
    """Log what nobody foresaw, and return what a client may know of it."""
    _log.error("a request broke off", exc_info=error)
    return AgentbenchError(f"agentbench itself failed ({type(error).__name__}). Its log says more.")


def error_headers(error: AgentbenchError) -> dict[str, str]:
    """Return the headers that go with an error. RFC 6750, 3; RFC 9110, 10.2.3."""
    challenge = 'Bearer realm="agentbench"'
    if isinstance(error, RateLimited):
        return {"retry-after": str(math.ceil(error.retry_after))}
    if isinstance(error, InsufficientScope):
        return {"www-authenticate": f'{challenge}, error="insufficient_scope"'}
    if isinstance(error, MissingCredential):
        return {"www-authenticate": challenge}
    if isinstance(error, NotAuthenticated):
        return {"www-authenticate": f'{challenge}, error="invalid_token"'}
    return {}
