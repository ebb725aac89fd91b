"""The tape of HTTP: plays an answer instead of sending a request, or sends it and records what comes.

An answer is recorded decoded (without its content-encoding), in the pieces in which it came.
"""

from __future__ import annotations

import hashlib
import math
import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec

from agentbench.providers.cassettes.failures import raised
from agentbench.providers.http_status import seconds_to_wait
from agentbench.providers.mask import secrets_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentbench.providers.cassettes.cassette import Cassette
    from agentbench.providers.cassettes.exchange import Exchange, Request
    from agentbench.providers.cassettes.recording import Recording

__all__ = ["TapeTransport"]

_KEPT = ("content-type", "retry-after", "retry-after-ms", "x-should-retry")
_ABOUT_THE_FORM = ("content-encoding", "content-length", "transfer-encoding")
_BOUNDARY = re.compile(r'boundary="?([^";]+)')


class TapeTransport(httpx2.AsyncBaseTransport):
    """Sends through `inner` what a cassette doesn't play. Closing it closes nothing: `inner` is its owner's."""

    def __init__(self, cassette: Cassette, inner: httpx2.AsyncBaseTransport) -> None:
        self._cassette = cassette
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return an answer that was recorded, or will be."""
        if self._cassette.is_closed:
            return await self._inner.handle_async_request(request)
        asked = await self._asked(request)
        exchange = self._cassette.find(asked)
        if exchange is not None:
            return await self._play(exchange)
        recording = self._cassette.record(asked)
        try:
            with recording.noting_errors():
                response = await self._inner.handle_async_request(request)
        except BaseException:
            recording.end("closed")
            raise
        response.request = request
        return _recorded(response, recording)

    async def _asked(self, request: httpx2.Request) -> Request:
        """Return the request as it is kept; `Http` says which endpoint it is for."""
        endpoint, path = request.extensions["agentbench"]
        self._cassette.hiding.know(secrets_of(endpoint))
        body = _body(await request.aread(), request.headers.get("content-type", ""))
        return self._cassette.request("http", endpoint.name, body, request.method, path)

    async def _play(self, exchange: Exchange) -> httpx2.Response:
        head = exchange.head
        await self._cassette.until(self._cassette.clock() + (head.seconds if head else exchange.seconds))
        if head is None:
            assert not isinstance(exchange.end, str)  # noqa: S101 - what never began is only kept with its error
            raise raised(exchange.end)
        return httpx2.Response(head.status, headers=head.headers, stream=_Played(self._cassette.pieces(exchange)))


class _Played(httpx2.AsyncByteStream):
    def __init__(self, pieces: AsyncGenerator[bytes]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncGenerator[bytes]:
        return self._pieces

    async def aclose(self) -> None:
        await self._pieces.aclose()


class _Recorded(httpx2.AsyncByteStream):
    def __init__(self, response: httpx2.Response, recording: Recording) -> None:
        self._response = response
        self._recording = recording

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        async with aclosing(self._recording.heard(self._response.aiter_bytes())) as chunks:
            async for chunk in chunks:
                yield chunk

    async def aclose(self) -> None:
        self._recording.end("closed")
        await self._response.aclose()


def _recorded(response: httpx2.Response, recording: Recording) -> httpx2.Response:
    """Return a response that is recorded while it is read."""
    headers = response.headers
    kept = {name: headers[name] for name in _KEPT if name in headers}
    if "retry-after" in kept and (seconds := seconds_to_wait(kept)) is not None:
        kept["retry-after"] = f"{math.ceil(seconds)}"  # it may have been a date
    recording.head(response.status_code, kept)
    plain = [(name, value) for name, value in headers.multi_items() if name not in _ABOUT_THE_FORM]
    stream = _Recorded(response, recording)
    return httpx2.Response(response.status_code, headers=plain, stream=stream, extensions=response.extensions)


def _body(content: bytes, kind: str) -> Any:
    """Return a body as what it says: JSON, else text, else what tells bytes from others."""
    if not content:
        return None
    if boundary := _BOUNDARY.search(kind):
        content = content.replace(boundary[1].encode(), b"boundary")
    try:
        return msgspec.json.decode(content) if "json" in kind else content.decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
