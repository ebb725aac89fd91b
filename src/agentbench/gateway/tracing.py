"""Which trace a request belongs to: pure ASGI middleware that takes up the `traceparent` of whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from agentbench.gateway.identity import PRINCIPAL

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from agentbench.telemetry import Telemetry

__all__ = ["Tracing"]


class Tracing:
    """Makes what a request asks for a part of its caller's trace; nothing happens where nobody wants telemetry.

    It stands before `Identity`: only code of this process has named its principal by then.
    """

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app, self._telemetry = app, telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        with self._telemetry.called(Headers(scope=scope), remote=PRINCIPAL not in scope):
            await self._app(scope, receive, send)
