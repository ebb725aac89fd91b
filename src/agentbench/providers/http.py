"""The one HTTP client of all providers: connect, check the status, hand on bytes, close.

Turns whatever goes wrong into one of our `UpstreamError`s, with secrets masked. Sends no request twice, but where
a kept-alive connection turned out to be closed before the upstream read anything.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec

from agentbench.errors import (
    ContextTooLong,
    UpstreamError,
    UpstreamGarbled,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentbench.config.endpoint import Endpoint

__all__ = ["Http", "mask"]

# Seconds. A model may think for minutes before its first byte, and be silent between two.
_TIMEOUT = httpx2.Timeout(connect=10, read=300, write=60, pool=30)
_KEY_LIKE = re.compile(r"\b(sk|pk|gsk|xai|key|Bearer)([-_ ])[\w*.-]{6,}")
_CONTEXT_CODES = ("context_length_exceeded", "exceed_context_size_error")


class Http:
    """A pool of connections to upstreams; `aclose` gives them back."""

    def __init__(self, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._client = httpx2.AsyncClient(timeout=_TIMEOUT, transport=transport, follow_redirects=True)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    @asynccontextmanager
    async def post(self, path: str, body: object, endpoint: Endpoint) -> AsyncIterator[AsyncIterator[bytes]]:
        """Post JSON and give the answer's bytes as they come; the upstream has said 200 when this is entered."""
        request = self._client.build_request(
            "POST",
            _address(endpoint, path),
            content=msgspec.json.encode(body),
            headers=_headers(endpoint) | {"content-type": "application/json", "accept": "text/event-stream"},
        )
        response = await self._send(request, endpoint)
        try:
            await _check(response, endpoint)
            yield _frames(response, endpoint)
        finally:
            await response.aclose()

    async def get_json(self, path: str, endpoint: Endpoint) -> Any:
        """Return the JSON that an address answers with."""
        request = self._client.build_request("GET", _address(endpoint, path), headers=_headers(endpoint), timeout=10)
        response = await self._send(request, endpoint)
        try:
            await _check(response, endpoint)
            return msgspec.json.decode(await response.aread())
        except msgspec.DecodeError:
            raise _not_json(response, endpoint) from None
        finally:
            await response.aclose()

    async def _send(self, request: httpx2.Request, endpoint: Endpoint) -> httpx2.Response:
        try:
            try:
                return await self._client.send(request, stream=True)
            except httpx2.RemoteProtocolError:
                return await self._client.send(request, stream=True)
        except httpx2.HTTPError as error:
            raise _transport_error(error, endpoint) from None
        except httpx2.InvalidURL as error:
            raise UpstreamUnavailable(f"{endpoint.name}: the base URL is not valid: {error}.") from None


def mask(text: str, endpoint: Endpoint) -> str:
    """Return `text` with the endpoint's key, and whatever else looks like a key, taken out."""
    if endpoint.api_key is not None:
        text = text.replace(endpoint.api_key.reveal(), "****")
    return _KEY_LIKE.sub(r"\1\2****", text)


def _address(endpoint: Endpoint, path: str) -> str:
    if not endpoint.base_url:
        raise UpstreamUnavailable(f"{endpoint.name} has no base URL. Set baseURL in the config file.")
    return endpoint.base_url.rstrip("/") + path


def _headers(endpoint: Endpoint) -> dict[str, str]:
    headers = {name.lower(): value for name, value in endpoint.headers.items()}
    if endpoint.api_key is not None:
        headers["authorization"] = f"Bearer {endpoint.api_key.reveal()}"
    return headers


async def _frames(response: httpx2.Response, endpoint: Endpoint) -> AsyncIterator[bytes]:
    """Yield the body; a whole JSON answer, from servers that don't stream, comes as one event."""
    try:
        if "application/json" in response.headers.get("content-type", ""):
            body = msgspec.json.decode(await response.aread())
            yield b"data: " + msgspec.json.encode(body) + b"\n\ndata: [DONE]\n\n"
            return
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx2.HTTPError as error:
        raise _transport_error(error, endpoint) from None
    except msgspec.DecodeError:
        raise _not_json(response, endpoint) from None


async def _check(response: httpx2.Response, endpoint: Endpoint) -> None:
    status = response.status_code
    kind = response.headers.get("content-type", "")
    if status == httpx2.codes.OK and "text/html" not in kind:
        return
    try:
        body = await response.aread()
    except httpx2.HTTPError as error:
        raise _transport_error(error, endpoint) from None
    if status == httpx2.codes.OK:
        raise _not_json(response, endpoint)
    raise status_error(status, body, response.headers.get("retry-after"), endpoint)


def status_error(status: int, body: bytes, retry_after: str | None, endpoint: Endpoint) -> Exception:
    """Return the error that an upstream's status and body mean."""
    said, code = _what_it_says(body)
    said = mask(said, endpoint)
    tail = f" It says: {said}" if said else ""
    name, codes = endpoint.name, httpx2.codes
    if status in (401, 403):
        return UpstreamRefused(
            f"{name} refused the key ({status}). Check {_key_source(endpoint)}.{tail}", endpoint=name
        )
    if status == codes.TOO_MANY_REQUESTS:
        seconds = _seconds(retry_after)
        when = f" Try again in {seconds:g} s." if seconds is not None else " Try again later."
        return UpstreamRateLimited(f"{name} limits the rate (429).{when}{tail}", endpoint=name, retry_after=seconds)
    if code in _CONTEXT_CODES or "context length" in said or "context size" in said:
        return ContextTooLong(f"The conversation is too long for the model. Start a new one.{tail}")
    if codes.is_client_error(status):
        return UpstreamRejected(f"{name} rejected the request ({status}).{tail}", endpoint=name)
    return UpstreamUnavailable(f"{name} is in trouble ({status}). Try again later.{tail}", endpoint=name)


def _what_it_says(body: bytes) -> tuple[str, str]:
    """Return an error body's message and code, whatever shape it has; markup is not shown."""
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        text = body.decode(errors="replace").strip()
        return ("" if text.startswith("<") else text[:300]), ""
    inner = decoded.get("error", decoded) if isinstance(decoded, dict) else decoded
    if not isinstance(inner, dict):
        return str(inner)[:300], ""
    message = inner.get("message") or inner.get("detail") or ""
    return str(message)[:300], str(inner.get("code") or inner.get("type") or "")


def _seconds(retry_after: str | None) -> float | None:
    if not retry_after:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _key_source(endpoint: Endpoint) -> str:
    prefix = "environment variable "
    return endpoint.origin.removeprefix(prefix) if endpoint.origin.startswith(prefix) else f"apiKey ({endpoint.origin})"


def _not_json(response: httpx2.Response, endpoint: Endpoint) -> UpstreamGarbled:
    kind = response.headers.get("content-type", "no content type").partition(";")[0]
    return UpstreamGarbled(
        f"{endpoint.name} answered with {kind}, not with its API. Check baseURL: {endpoint.base_url}.",
        endpoint=endpoint.name,
    )


def _transport_error(error: httpx2.HTTPError, endpoint: Endpoint) -> UpstreamError:
    name = endpoint.name
    if isinstance(error, httpx2.ConnectTimeout):
        return UpstreamTimeout(f"{name} can't be reached: no connection in time to {endpoint.base_url}.", endpoint=name)
    if isinstance(error, httpx2.TimeoutException):
        return UpstreamTimeout(f"{name} was silent for too long. Try again.", endpoint=name)
    if isinstance(error, httpx2.ConnectError):
        return UpstreamUnavailable(
            f"{name} can't be reached at {endpoint.base_url}. Is it running, and is baseURL right?", endpoint=name
        )
    said = mask(str(error), endpoint)
    return UpstreamUnavailable(
        f"{name} dropped the connection. Try again.{f' ({said})' if said else ''}", endpoint=name
    )
