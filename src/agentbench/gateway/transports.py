"""The gateway without a socket: a transport that calls the ASGI application in this process.

What the application sends comes out piece by piece as it is sent; closing a response early cancels the request over
there, down to the upstream. (httpx2's own `ASGITransport` hands out a body only when it is whole.)
"""

from __future__ import annotations

import asyncio
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio
import httpx2

from agentbench.gateway.crossing import Crossing, LoopThread
from agentbench.gateway.identity import PRINCIPAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from types import ModuleType

    from starlette.types import ASGIApp, Message, Scope

    from agentbench.auth.principal import Principal

__all__ = ["AsyncInProcessTransport", "InProcessTransport"]

_TOO_SLOW = "The answer took longer than the client's timeout."


def _cross(loop: LoopThread, app: ASGIApp, scope: Scope, body: bytes) -> Crossing[Message]:
    """Send one request through the application; what comes out are its ASGI messages."""

    async def work(put: Callable[[Message], None]) -> None:
        async def send(message: Message) -> None:
            put(message)

        await app(scope, _receiver(body), send)

    return Crossing(loop, work)


def _receiver(body: bytes) -> Callable[[], Any]:
    """Return an ASGI `receive` that gives the body once; the end of the request is a cancellation, not a message."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            await anyio.sleep_forever()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _scope(request: httpx2.Request, principal: Principal) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "server": (request.url.host, request.url.port),
        "client": None,
        PRINCIPAL: principal,
    }


class InProcessTransport(httpx2.BaseTransport):
    """For `httpx2.Client` and `httpx.Client`, and so for synchronous SDKs: the answer is of the request's library."""

    def __init__(self, loop: LoopThread, app: Callable[[], ASGIApp], principal: Principal) -> None:
        self._loop, self._app, self._principal = loop, app, principal

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Start the request; return when its status is known."""
        library = _library(request)
        crossing = _cross(self._loop, self._app(), _scope(request, self._principal), request.read())
        body = _body_class(library)(crossing, _patience(request))
        try:
            return _response(library, body.read(), body)
        except BaseException:
            body.close()
            raise


class AsyncInProcessTransport(httpx2.AsyncBaseTransport):
    """For `httpx2.AsyncClient` and `httpx.AsyncClient`: the answer is of the request's library."""

    def __init__(self, loop: LoopThread, app: Callable[[], ASGIApp], principal: Principal) -> None:
        self._loop, self._app, self._principal = loop, app, principal

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Start the request; return when its status is known."""
        library = _library(request)
        crossing = _cross(self._loop, self._app(), _scope(request, self._principal), await request.aread())
        body = _async_body_class(library)(crossing, _patience(request))
        try:
            return _response(library, await body.read(), body)
        except BaseException:
            await body.aclose()
            raise


def _library(request: object) -> ModuleType:
    """Return the library that made a request: it gets its own kind of response, and its own errors."""
    return httpx2 if isinstance(request, httpx2.Request) else import_module("httpx")


def _response(library: ModuleType, start: Message | None, stream: object) -> httpx2.Response:
    if start is None:
        raise library.RemoteProtocolError("The gateway sent no answer.")
    response: httpx2.Response = library.Response(start["status"], headers=start["headers"], stream=stream)
    return response


def _patience(request: httpx2.Request) -> float | None:
    """Return for how many seconds the caller waits for each piece; None is for ever."""
    seconds: float | None = request.extensions.get("timeout", {}).get("read")
    return seconds


class _Body:
    """The pieces of a response."""

    _library: ModuleType

    def __init__(self, crossing: Crossing[Message], patience: float | None) -> None:
        self._crossing, self._patience = crossing, patience

    def read(self) -> Message | None:
        try:
            return self._crossing.get(self._patience)
        except TimeoutError:
            raise self._library.ReadTimeout(_TOO_SLOW) from None

    def __iter__(self) -> Iterator[bytes]:
        while (message := self.read()) is not None:
            if body := message.get("body"):
                yield body

    def close(self) -> None:
        self._crossing.close()


class _AsyncBody:
    """The same for a running event loop."""

    _library: ModuleType

    def __init__(self, crossing: Crossing[Message], patience: float | None) -> None:
        self._crossing, self._patience = crossing, patience

    async def read(self) -> Message | None:
        try:
            async with asyncio.timeout(self._patience):
                return await self._crossing.aget()
        except TimeoutError:
            raise self._library.ReadTimeout(_TOO_SLOW) from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (message := await self.read()) is not None:
            if body := message.get("body"):
                yield body

    async def aclose(self) -> None:
        await self._crossing.aclose()


@cache
def _body_class(library: ModuleType) -> type[_Body]:
    """Return the body as a stream of the library's, which takes no other."""
    return type("Body", (_Body, library.SyncByteStream), {"_library": library})


@cache
def _async_body_class(library: ModuleType) -> type[_AsyncBody]:
    return type("AsyncBody", (_AsyncBody, library.AsyncByteStream), {"_library": library})
