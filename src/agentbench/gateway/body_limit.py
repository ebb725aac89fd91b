"""A limit on the size of a request's body: pure ASGI middleware.

It counts what the application reads, and raises there, so that the surface which reads answers in its own shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import RequestTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["LARGEST_BODY", "BodyLimit"]

LARGEST_BODY = 20 * 1024 * 1024
_FORM = 1024 * 1024
"""What the form around an uploaded file may take."""
_READ_ON = 4
"""So many times the limit is read and thrown away: a client that still sends can't hear the answer."""


class BodyLimit:
    """Lets an application read at most `largest` bytes of a request; uploads have a limit of their own.

    `largest_upload` is asked for the size of a file that is sent to one of the addresses `uploads`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        largest: int = LARGEST_BODY,
        uploads: Container[str] = (),
        largest_upload: Callable[[], int] | None = None,
    ) -> None:
        self._app, self._largest = app, largest
        self._uploads, self._largest_upload = uploads, largest_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit, around = self._largest, 0
        if self._largest_upload is not None and scope["path"] in self._uploads:
            limit, around = self._largest_upload(), _FORM
        await self._app(scope, _Counted(scope, receive, limit, limit + around).receive, send)


class _Counted:
    """The body of one request. It may have `largest` bytes; `limit` is what a client is told."""

    def __init__(self, scope: Scope, receive: Receive, limit: int, largest: int) -> None:
        self._receive, self._limit, self._largest = receive, limit, largest
        declared = dict(scope["headers"]).get(b"content-length", b"")
        self._size = 0
        self._too_large = declared.isdigit() and int(declared[:19]) > largest

    async def receive(self) -> Message:
        """Return the next message; raises `RequestTooLarge`."""
        message = await self._next()
        self._too_large = self._too_large or self._size > self._largest
        if self._too_large and message["type"] == "http.request":
            while message.get("more_body", False) and self._size < self._largest * _READ_ON:
                message = await self._next()
            raise RequestTooLarge(f"The body is larger than {self._limit // 1024 // 1024} MB. Send less.")
        return message

    async def _next(self) -> Message:
        message = await self._receive()
        self._size += len(message.get("body", b""))
        return message
