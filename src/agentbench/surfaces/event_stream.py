"""Server-sent streams over ASGI, and watching for clients that go away."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar, TypeVar

import anyio
from starlette.requests import ClientDisconnect
from starlette.responses import Response as HTTPResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

__all__ = ["EventStream", "LineStream", "while_connected"]

T = TypeVar("T")
KEEP_ALIVE_SECONDS = 15.0
_KEEP_ALIVE = b": keep-alive\n\n"


class EventStream(HTTPResponse):
    """A server-sent stream: each piece of it one write, a comment where nothing else is sent for 15 seconds.

    It ends at once, with all that feeds it, when the client goes away.
    """

    media_type = "text/event-stream"
    keep_alive: ClassVar[bytes | None] = _KEEP_ALIVE
    """What is sent after a silence; None: nothing."""

    def __init__(self, frames: AsyncGenerator[bytes]) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's shape
        """Send the frames as they come."""
        writer = _Writer(send)
        try:
            async with aclosing(self._frames), anyio.create_task_group() as group:
                group.start_soon(_watch, receive, group.cancel_scope)
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                if self.keep_alive is not None:
                    group.start_soon(writer.send_in_silence, self.keep_alive)
                async for frame in self._frames:
                    await writer.write(frame)
                await writer.write(b"", more=False)
                group.cancel_scope.cancel()
        except ExceptionGroup as errors:  # the task group's wrapping
            raise errors.exceptions[0] from None


class LineStream(EventStream):
    """The same for lines of JSON, which have no comments: nothing is sent in a silence."""

    media_type = "application/x-ndjson"
    keep_alive = None


class _Writer:
    """Writes frames one at a time, and a comment after a silence."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._writing = anyio.Lock()
        self._last = anyio.current_time()
        self._ended = False

    async def write(self, frame: bytes, *, more: bool = True) -> None:
        async with self._writing:
            if self._ended:  # a comment that waited for the last write to be over
                return
            self._ended = not more
            await self._send({"type": "http.response.body", "body": frame, "more_body": more})
            self._last = anyio.current_time()

    async def send_in_silence(self, comment: bytes) -> None:
        while True:
            left = self._last + KEEP_ALIVE_SECONDS - anyio.current_time()
            if left > 0:
                await anyio.sleep(left)
            else:
                await self.write(comment)


async def while_connected(request: Request | None, work: Awaitable[T]) -> T:
    """Wait for work, and cancel it if the client goes away; then raise `ClientDisconnect`."""
    if request is None:
        return await work
    done: list[T] = []
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_watch, request.receive, group.cancel_scope)
            done.append(await work)
            group.cancel_scope.cancel()
    except ExceptionGroup as errors:  # the task group's wrapping
        raise errors.exceptions[0] from None
    if not done:
        raise ClientDisconnect
    return done[0]


async def _watch(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
