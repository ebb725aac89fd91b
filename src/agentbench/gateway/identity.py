"""Who makes a request: pure ASGI middleware that refuses whoever hasn't shown it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import NotAuthenticated

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["PRINCIPAL", "Identity"]

PRINCIPAL = "agentbench.principal"
"""The scope's key for who is calling. Only code in this process can set it; no header reaches it."""


_POLICY_VIOLATION = 1008  # RFC 6455, 7.4.1


class Identity:
    """Lets through requests that carry a principal. Keys and tokens over HTTP are not accepted yet: 401."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it: with 401, or by closing a WebSocket that isn't open yet."""
        if scope["type"] == "lifespan" or PRINCIPAL in scope:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await _refuse(send)


async def _refuse(send: Send) -> None:
    error = NotAuthenticated("Requests from outside the kernel need a credential, and none is accepted yet.")
    body = msgspec.json.encode(
        {"error": {"message": error.message, "type": error.type, "param": None, "code": error.code}}
    )
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
