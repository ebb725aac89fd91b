"""What comes back: the answer's bytes in time and within bounds, whole or as they come, and what a status means."""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import msgspec

from agentbench.errors import UpstreamGarbled, UpstreamUnavailable
from agentbench.providers.http_errors import not_its_api, silent, transport_error
from agentbench.providers.http_status import may_pass, seconds_to_wait, status_error
from agentbench.providers.http_transport import Body
from agentbench.providers.mask import shown
from agentbench.providers.retry import Passing
from agentbench.providers.sse import LONGEST_EVENT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentbench.config.endpoint import Endpoint

__all__ = ["EVENTS", "checked", "frames", "json_of", "limited", "pieces", "whole"]

EVENTS = "text/event-stream"

_MOST = 256 * 1024 * 1024
"""Bytes of one answer: more than any model says, and less than a machine's memory."""
_MOST_REASONS = 1024 * 1024
_REASONS_TIMEOUT = 5  # seconds
_STREAM_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":", b"\xef\xbb\xbf")


async def pieces(response: httpx2.Response, endpoint: Endpoint, most: float = float("inf")) -> AsyncGenerator[bytes]:
    """Yield the body's bytes as they come, if they come in time, and no more than so many.

    Whatever comes is a sign of life.
    """
    limits = endpoint.timeouts
    key, seconds, left = "firstByteTimeout", limits.first_byte, most
    try:
        async with aclosing(_body(response)) as chunks:
            with anyio.fail_after(seconds):
                chunk = await anext(chunks, b"")
            key, seconds = "silenceTimeout", limits.silence
            is_shorter = seconds < limits.first_byte  # else the time-out of each read is the one to go by, at no cost
            while chunk:
                left -= len(chunk)
                if left < 0:
                    raise _endless(endpoint, most)
                yield chunk
                chunk = await (_in_time(chunks, seconds) if is_shorter else anext(chunks, b""))
    except (TimeoutError, httpx2.ReadTimeout):
        raise silent(endpoint, key, seconds) from None
    except httpx2.HTTPError as error:
        raise transport_error(error, endpoint) from None


async def _in_time(chunks: AsyncGenerator[bytes], seconds: float) -> bytes:
    with anyio.fail_after(seconds):
        return await anext(chunks, b"")


def _body(response: httpx2.Response) -> AsyncGenerator[bytes]:
    """Return the body's bytes: as our own transport gives them, where there is nothing to unpack."""
    if isinstance(response.stream, Body) and "content-encoding" not in response.headers:
        return response.stream.pieces()
    return response.aiter_bytes()


def _endless(endpoint: Endpoint, most: float) -> UpstreamGarbled:
    return UpstreamGarbled(
        f"{endpoint.name} sent more than {most // 2**20:g} MiB and came to no end. Ask for less.",
        endpoint=endpoint.name,
    )


def limited(response: httpx2.Response, endpoint: Endpoint) -> AsyncGenerator[bytes]:
    """Yield the body's bytes as `pieces` does, unless they never end."""
    return pieces(response, endpoint, _MOST)


def frames(response: httpx2.Response, endpoint: Endpoint) -> AsyncGenerator[bytes]:
    """Yield the body; a whole JSON answer, from servers that don't stream, comes as one event."""
    is_stream = EVENTS in response.headers.get("content-type", "")
    return limited(response, endpoint) if is_stream else _unnamed(response, endpoint)


async def _unnamed(response: httpx2.Response, endpoint: Endpoint) -> AsyncGenerator[bytes]:
    kind = response.headers.get("content-type", "")
    if "application/json" in kind:
        yield b"data: " + msgspec.json.encode(await json_of(response, endpoint, most=LONGEST_EVENT)) + b"\n\n"
        return
    known = False
    async with aclosing(limited(response, endpoint)) as all_pieces:
        async for piece in all_pieces:
            if not known and not piece.lstrip().startswith(_STREAM_STARTS):
                raise not_its_api(response, endpoint)
            known = True
            yield piece


async def whole(response: httpx2.Response, endpoint: Endpoint, most: int) -> bytes:
    """Return the body, if it has no more than so many bytes."""
    body: list[bytes] = []
    left = most
    async with aclosing(pieces(response, endpoint)) as all_pieces:
        async for piece in all_pieces:
            body.append(piece)
            left -= len(piece)
            if left < 0:
                raise UpstreamGarbled(f"{endpoint.name} sent more than {most} bytes.", endpoint=endpoint.name)
    return b"".join(body)


async def json_of(response: httpx2.Response, endpoint: Endpoint, *, most: int = _MOST) -> Any:
    """Return the body's JSON, if that has no more than so many bytes."""
    body = await whole(response, endpoint, most)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise not_its_api(response, endpoint) from None


async def checked(response: httpx2.Response, endpoint: Endpoint) -> None:
    """Raise what the status means, unless it is 200; `Passing` if it may be another one soon."""
    status, headers = response.status_code, response.headers
    if status == httpx2.codes.OK and "text/html" not in headers.get("content-type", ""):
        return
    if status == httpx2.codes.OK:
        raise not_its_api(response, endpoint)
    if httpx2.codes.is_redirect(status):
        there = shown(headers.get("location", "another address"), endpoint)
        raise UpstreamUnavailable(
            f"{endpoint.name} has moved ({status}) to {there}. Correct baseURL: {endpoint.base_url}.",
            endpoint=endpoint.name,
        )
    body = await _reasons(response, min(_REASONS_TIMEOUT, endpoint.timeouts.silence))
    wait = seconds_to_wait(headers, body)
    error = status_error(status, body, wait, endpoint)
    if may_pass(error, status, headers):
        raise Passing(error, f"{endpoint.name} answered {status}", wait=wait)
    raise error


async def _reasons(response: httpx2.Response, seconds: float) -> bytes:
    """Return an error's body; nothing if it doesn't come, or without end, as the status alone says enough."""
    body: list[bytes] = []
    left = _MOST_REASONS
    with suppress(httpx2.HTTPError), anyio.move_on_after(seconds):
        async with aclosing(response.aiter_bytes()) as chunks:
            async for chunk in chunks:
                body.append(chunk)
                left -= len(chunk)
                if left < 0:
                    return b""
        return b"".join(body)
    return b""
