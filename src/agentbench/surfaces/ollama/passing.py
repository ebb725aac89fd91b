"""What goes to an Ollama and comes back as it is: bytes in, bytes out, with our errors where there is no answer."""

from __future__ import annotations

from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from agentbench.errors import AgentbenchError, UpstreamRefused, UpstreamUnavailable
from agentbench.providers.mask import mask
from agentbench.surfaces.event_stream import LineStream, while_connected
from agentbench.surfaces.ollama.errors import error_line, refused, said

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.config.endpoint import Endpoint
    from agentbench.providers.http import Relayed

__all__ = ["Passage", "answer"]

_LONGEST_ERROR = 100_000
_NO_STATUS = 600
_NOT_OURS = (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN)


class Passed(Protocol):
    """An answer on its way; `status` and `content_type` are known from its first chunk on, which is empty."""

    status: int
    content_type: str

    def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the bytes."""


class Passage:
    """A request that nobody pays for."""

    def __init__(self, send: Callable[[], AbstractAsyncContextManager[Relayed]]) -> None:
        self.status = 0
        self.content_type = ""
        self._send = send

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the answer's bytes; the first piece is empty."""
        async with self._send() as relayed:
            self.status, self.content_type = relayed.status, relayed.content_type
            yield b""
            async for chunk in relayed.chunks:
                yield chunk


async def answer(request: Request, passed: Passed, endpoint: Endpoint) -> HTTPResponse:
    """Return the answer as a stream; what the upstream refuses keeps its status and its words.

    Except where it refuses the operator's key: that says nothing about the caller's, and is an `UpstreamRefused`.
    """
    chunks = _to_the_end(passed)
    await while_connected(request, anext(chunks))
    if passed.status == HTTPStatus.OK:
        response = LineStream(chunks)
        response.headers["content-type"] = passed.content_type
        return response
    async with aclosing(chunks):
        words = mask(said(await _beginning(chunks)), endpoint)
    if passed.status < HTTPStatus.BAD_REQUEST:
        raise UpstreamUnavailable(f"{endpoint.name} has moved ({passed.status}). Correct baseURL.")
    if passed.status >= _NO_STATUS:
        raise UpstreamUnavailable(f"{endpoint.name} is in trouble ({passed.status}). Try again later.")
    if passed.status in _NOT_OURS:
        raise UpstreamRefused(f"{endpoint.name} refused the key ({passed.status}). It says: {words}")
    return refused(passed.status, words, as_openai="/v1/" in request.url.path)


async def _to_the_end(passed: Passed) -> AsyncGenerator[bytes]:
    """Yield what comes; a stream of lines that breaks off ends with a line that says so, as an Ollama's own would."""
    last = b"\n"
    try:
        async with aclosing(passed.chunks()) as chunks:
            async for chunk in chunks:
                last = chunk or last
                yield chunk
    except AgentbenchError as error:
        if "ndjson" not in passed.content_type:
            raise
        yield error_line(error) if last.endswith(b"\n") else b"\n" + error_line(error)


async def _beginning(chunks: AsyncGenerator[bytes]) -> bytes:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > _LONGEST_ERROR:
            break
    return body
