"""The one HTTP client of all providers: connect, check the status, hand on bytes, close.

Turns whatever goes wrong into one of our errors, with secrets masked. Sends no request twice, but where a kept-alive
connection turned out to be closed.
"""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import httpx2
import msgspec

from agentbench.errors import UpstreamError, UpstreamGarbled, UpstreamRefused, UpstreamTimeout, UpstreamUnavailable
from agentbench.providers.http_status import key_source, status_error
from agentbench.providers.mask import shown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

    from agentbench.config.endpoint import Endpoint

__all__ = ["Http"]

# Seconds. A model may think for minutes before its first byte, and be silent between two.
_TIMEOUT = httpx2.Timeout(connect=10, read=300, write=60, pool=30)
_LISTING_TIMEOUT = httpx2.Timeout(10)
_EVENTS = "text/event-stream"
_BETA = "anthropic-beta"  # several sides may ask for betas, and all are meant
_STREAM_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":", b"\xef\xbb\xbf")


class Http:
    """A pool of connections to upstreams; `aclose` gives them back.

    Redirects are not followed: they would carry an endpoint's headers to another host.
    """

    def __init__(
        self, *, transport: httpx2.AsyncBaseTransport | None = None, timeout: httpx2.Timeout = _TIMEOUT
    ) -> None:
        self._client = httpx2.AsyncClient(timeout=timeout, transport=transport)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    @asynccontextmanager
    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        endpoint: Endpoint,
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx2.Auth | None = None,
        accept: str = _EVENTS,
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Post JSON and give the answer's bytes as they come; the upstream has said 200 when this is entered.

        `headers` are the provider's own, which win over the endpoint's; None means the key as a bearer token. `auth`
        signs the request as it is sent. Where something other than server-sent events is accepted, the bytes are
        handed on as they are; in a stream of those, a whole JSON answer becomes the one event.
        """
        request = self._request(
            "POST",
            path,
            endpoint,
            content=msgspec.json.encode(_adjusted(body, endpoint)),
            headers=_headers(endpoint, headers) | {"content-type": "application/json", "accept": accept},
        )
        response = await self._send(request, endpoint, auth)
        try:
            await _check(response, endpoint)
            chunks = _frames(response, endpoint) if accept == _EVENTS else _bytes(response, endpoint)
            async with aclosing(chunks):
                yield chunks
        finally:
            await response.aclose()

    async def get_json(
        self,
        path: str,
        endpoint: Endpoint,
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx2.Auth | None = None,
    ) -> Any:
        """Return the JSON that an address answers with; `headers` and `auth` are as for `post`."""
        request = self._request("GET", path, endpoint, headers=_headers(endpoint, headers), timeout=_LISTING_TIMEOUT)
        response = await self._send(request, endpoint, auth)
        try:
            await _check(response, endpoint)
            return await _json(response, endpoint)
        finally:
            await response.aclose()

    def _request(self, method: str, path: str, endpoint: Endpoint, **given: Any) -> httpx2.Request:
        if not endpoint.base_url:
            raise UpstreamUnavailable(f"{endpoint.name} has no base URL. Set baseURL in the config file.")
        try:
            return self._client.build_request(method, endpoint.base_url.rstrip("/") + path, **given)
        except httpx2.InvalidURL as error:
            raise UpstreamUnavailable(f"{endpoint.name}: the base URL is not valid: {error}.") from None

    async def _send(
        self, request: httpx2.Request, endpoint: Endpoint, auth: httpx2.Auth | None = None
    ) -> httpx2.Response:
        connected = False

        async def notice(event: str, _: Mapping[str, Any]) -> None:
            nonlocal connected
            connected = connected or event.startswith("connection.connect_")

        request.extensions["trace"] = notice
        try:
            try:
                return await self._client.send(request, stream=True, auth=auth)
            except (httpx2.RemoteProtocolError, httpx2.ReadError):
                if connected:
                    raise
                return await self._client.send(request, stream=True, auth=auth)
        except httpx2.HTTPError as error:
            raise _transport_error(error, endpoint) from None


def _adjusted(body: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the body with what the operator wants in it and without what they don't."""
    return {key: value for key, value in {**body, **endpoint.add_params}.items() if key not in endpoint.drop_params}


def _headers(endpoint: Endpoint, own: Mapping[str, str] | None) -> dict[str, str]:
    if own is None:
        own = {} if endpoint.api_key is None else {"authorization": f"Bearer {endpoint.api_key.reveal()}"}
    headers = {name.lower(): value for name, value in endpoint.headers.items()}
    united = ",".join(filter(None, (own.get(_BETA), headers.get(_BETA))))
    headers |= own
    if united:
        headers[_BETA] = ",".join(dict.fromkeys(each.strip() for each in united.split(",")))
    if all(value.isascii() and value.isprintable() for value in headers.values()):
        return headers
    raise UpstreamRefused(
        f"{endpoint.name}: the key or a header holds characters that can't be sent. Check {key_source(endpoint)}.",
        endpoint=endpoint.name,
    )


async def _bytes(response: httpx2.Response, endpoint: Endpoint) -> AsyncGenerator[bytes]:
    try:
        async with aclosing(response.aiter_bytes()) as chunks:
            async for chunk in chunks:
                yield chunk
    except httpx2.HTTPError as error:
        raise _transport_error(error, endpoint) from None


async def _frames(response: httpx2.Response, endpoint: Endpoint) -> AsyncGenerator[bytes]:
    """Yield the body; a whole JSON answer, from servers that don't stream, comes as one event."""
    kind = response.headers.get("content-type", "")
    if "application/json" in kind:
        yield b"data: " + msgspec.json.encode(await _json(response, endpoint)) + b"\n\n"
        return
    known = _EVENTS in kind
    try:
        async with aclosing(response.aiter_bytes()) as chunks:
            async for chunk in chunks:
                if not known and not chunk.lstrip().startswith(_STREAM_STARTS):
                    raise _not_its_api(response, endpoint)
                known = True
                yield chunk
    except httpx2.HTTPError as error:
        raise _transport_error(error, endpoint) from None


async def _check(response: httpx2.Response, endpoint: Endpoint) -> None:
    status, headers = response.status_code, response.headers
    if status == httpx2.codes.OK and "text/html" not in headers.get("content-type", ""):
        return
    if status == httpx2.codes.OK:
        raise _not_its_api(response, endpoint)
    if httpx2.codes.is_redirect(status):
        there = shown(headers.get("location", "another address"), endpoint)
        raise UpstreamUnavailable(
            f"{endpoint.name} has moved ({status}) to {there}. Correct baseURL: {endpoint.base_url}.",
            endpoint=endpoint.name,
        )
    body = b""
    with suppress(httpx2.HTTPError):  # the status alone says enough
        body = await response.aread()
    raise status_error(status, body, headers.get("retry-after"), endpoint)


async def _json(response: httpx2.Response, endpoint: Endpoint) -> Any:
    try:
        return msgspec.json.decode(await response.aread())
    except httpx2.HTTPError as error:
        raise _transport_error(error, endpoint) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _not_its_api(response, endpoint) from None


def _not_its_api(response: httpx2.Response, endpoint: Endpoint) -> UpstreamGarbled:
    kind = response.headers.get("content-type", "").partition(";")[0]
    what = kind if kind and kind != "application/json" else "something else"
    return UpstreamGarbled(
        f"{endpoint.name} answered with {what}, not with its API. Check baseURL: {endpoint.base_url}.",
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
    said = shown(error, endpoint)
    return UpstreamUnavailable(
        f"{name} dropped the connection. Try again.{f' ({said})' if said else ''}", endpoint=name
    )
