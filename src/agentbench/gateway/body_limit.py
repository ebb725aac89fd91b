"""A limit on the size of a request's body: pure ASGI middleware.

It counts what the application reads, and raises there, so that the surface which reads answers in its own shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import RequestTooLarge

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LARGEST_BODY", "BodyLimit"]

LARGEST_BODY = 20 * 1024 * 1024
_READ_ON = 4
"""So many times the limit is read and thrown away: a client that still sends can't hear the answer."""


class BodyLimit:
    """Lets an application read at most `largest` bytes of a request."""

    def __init__(self, app: ASGIApp, *, largest: int = LARGEST_BODY) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        size = 0
        too_large = declared.isdigit() and int(declared[:19]) > self._largest

        async def limited() -> Message:
            nonlocal size, too_large
            message = await receive()
            size += len(message.get("body", b""))
            too_large = too_large or size > self._largest
            if too_large and message["type"] == "http.request":
                while message.get("more_body", False) and size < self._largest * _READ_ON:
                    message = await receive()
                    size += len(message.get("body", b""))
                raise RequestTooLarge(f"The body is larger than {self._largest // 1024 // 1024} MB. Send less.")
            return message

        await self._app(scope, limited, send)
