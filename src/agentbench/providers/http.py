"""The one HTTP client of all providers: connect, check the status, hand on bytes in time, close.

Turns whatever goes wrong into one of our errors, with secrets masked. A request is sent again only where nobody has
acted upon it: no connection, a kept-alive one that turned out to be closed, or a refusal that may pass.
"""

from __future__ import annotations

import re
import ssl
from contextlib import aclosing, asynccontextmanager, nullcontext, suppress
from functools import cached_property, partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import httpx2
import msgspec

from agentbench.errors import UpstreamGarbled, UpstreamRefused, UpstreamTimeout, UpstreamUnavailable
from agentbench.providers.http_errors import certificate_error, not_its_api, silent, transport_error
from agentbench.providers.http_status import key_source, may_pass, seconds_to_wait, status_error
from agentbench.providers.mask import shown
from agentbench.providers.retry import Passing, retried

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping

    from agentbench.config.endpoint import Endpoint

__all__ = ["Http", "Relayed"]

# Seconds; what an operator may choose is in `Endpoint.timeouts`.
_WRITE_TIMEOUT = 60
_LISTING_TIMEOUT = 10
_ERROR_BODY_TIMEOUT = 5
_PATIENCE = 20  # with an upstream that asks to wait: nobody should watch a silent cell for a minute
_LISTING_PATIENCE = 5
_TRIES = 3
_LISTING_TRIES = 2

_LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=20, keepalive_expiry=60)  # one a stream
_EVENTS = "text/event-stream"
_BETA = "anthropic-beta"  # several sides may ask for betas, and all are meant
_CONNECTION = (  # headers about the connection and the body's form, which are the client's alone
    *("accept-encoding", "connection", "content-length", "host", "keep-alive"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
)
_SENDABLE = re.compile(r"[ -~\xa0-\xff]*")  # Latin-1 without control characters
_STREAM_STARTS = (b"data:", b"event:", b"id:", b"retry:", b":", b"\xef\xbb\xbf")


class Relayed(NamedTuple):
    """An answer that is handed on unread, whatever its status."""

    status: int
    content_type: str
    chunks: AsyncGenerator[bytes]


class Http:
    """Connections to upstreams, a pool for each host and port; `aclose` gives them back.

    Redirects are not followed: they would carry an endpoint's headers to another host. Cookies are not kept: they
    would carry one caller's session to the next. `sleep` waits before a request is sent again.
    """

    def __init__(
        self,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._transport = transport
        self._sleep = sleep
        self._clients: dict[tuple[str, str, int | None], httpx2.AsyncClient] = {}
        self._closed = False

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        while self._clients:
            await self._clients.popitem()[1].aclose()

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
        content = msgspec.json.encode(_adjusted(body, endpoint))
        own = _headers(endpoint, headers) | {"content-type": b"application/json", "accept": accept.encode()}
        build = partial(self._request, "POST", path, endpoint, content=content, headers=own)
        begun = partial(self._begun, build, endpoint, auth)
        response = await retried(begun, tries=_TRIES, patience=_PATIENCE, sleep=self._sleep)
        try:
            chunks = _frames(response, endpoint) if accept == _EVENTS else _pieces(response, endpoint)
            async with aclosing(chunks):
                yield chunks
        finally:
            await response.aclose()

    @asynccontextmanager
    async def relay(
        self, method: str, path: str, endpoint: Endpoint, body: Mapping[str, Any] | None = None
    ) -> AsyncIterator[Relayed]:
        """Send JSON, or nothing, and hand on whatever comes back, byte for byte; the key goes as a bearer token."""
        headers = _headers(endpoint, None) | {"accept-encoding": b"identity"}
        given: dict[str, Any] = {}
        if body is not None:
            headers["content-type"] = b"application/json"
            given["content"] = msgspec.json.encode(_adjusted(body, endpoint))
        build = partial(self._request, method, path, endpoint, headers=headers, **given)
        send = partial(self._send, build, endpoint, None)
        response = await retried(send, tries=_LISTING_TRIES, patience=_LISTING_PATIENCE, sleep=self._sleep)
        try:
            kind = response.headers.get("content-type", "application/octet-stream")
            async with aclosing(_pieces(response, endpoint)) as chunks:
                yield Relayed(response.status_code, kind, chunks)
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
        """Return the JSON that an address answers with, which it must do soon; `headers` and `auth` are as for `post`.

        It is for lists that somebody waits for: ten seconds are the limit for all of it.
        """
        return await self.fetch("GET", path, endpoint, headers=headers, auth=auth)

    async def fetch(
        self,
        method: str,
        path: str,
        endpoint: Endpoint,
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx2.Auth | None = None,
        tries: int = _LISTING_TRIES,
        seconds: float = _LISTING_TIMEOUT,
        most: int | None = None,
        **content: Any,
    ) -> Any:
        """Return the JSON that a request is answered with; all of it, tries included, may take so many `seconds`.

        `content` is as `httpx2` takes it. With `most`, returns the answer's bytes, if they are no more than that many.
        """
        build = partial(self._request, method, path, endpoint, headers=_headers(endpoint, headers), **content)
        begun = partial(self._begun, build, endpoint, auth)
        seconds = min(seconds, endpoint.timeouts.first_byte)
        try:
            with anyio.fail_after(seconds):
                response = await retried(begun, tries=tries, patience=_LISTING_PATIENCE, sleep=self._sleep)
                try:
                    return await (_json(response, endpoint) if most is None else _bytes(response, endpoint, most))
                finally:
                    await response.aclose()
        except TimeoutError:
            raise UpstreamTimeout(
                f"{endpoint.name} didn't answer within {seconds:g} s. Try again.", endpoint=endpoint.name
            ) from None

    # -- connections --------------------------------------------------------------------------------------------

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """What is trusted; reading the certificates takes tens of milliseconds, so all clients share it."""
        return httpx2.create_ssl_context()

    def _client(self, url: httpx2.URL) -> httpx2.AsyncClient:
        """Return the client for that host and port, whose connections no slow one elsewhere can use up."""
        if self._closed:
            raise RuntimeError("The HTTP client is closed.")
        origin = (url.scheme, url.host, url.port)
        if origin not in self._clients:
            tls = self._tls if url.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
            client = httpx2.AsyncClient(transport=self._transport, verify=tls, limits=_LIMITS)
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
            self._clients[origin] = client
        return self._clients[origin]

    def _request(self, method: str, path: str, endpoint: Endpoint, **given: Any) -> httpx2.Request:
        if not endpoint.base_url:
            raise UpstreamUnavailable(f"{endpoint.name} has no base URL. Set baseURL in the config file.")
        try:
            url = httpx2.URL(endpoint.base_url.rstrip("/") + path)
        except httpx2.InvalidURL as error:
            raise UpstreamUnavailable(f"{endpoint.name}: the base URL is not valid: {error}.") from None
        limits = endpoint.timeouts
        read = max(limits.first_byte, limits.silence)  # one for all reads; where less is allowed, who reads sees to it
        timeout = httpx2.Timeout(connect=limits.connect, read=read, write=_WRITE_TIMEOUT, pool=limits.connect)
        return self._client(url).build_request(method, url, timeout=timeout, **given)

    # -- sending ------------------------------------------------------------------------------------------------

    async def _begun(
        self, build: Callable[[], httpx2.Request], endpoint: Endpoint, auth: httpx2.Auth | None
    ) -> httpx2.Response:
        """Return the response of an upstream that has said 200; raise `Passing` for what may be over soon."""
        response = await self._send(build, endpoint, auth)
        try:
            await _check(response, endpoint)
        except BaseException:
            await response.aclose()
            raise
        return response

    async def _send(
        self, build: Callable[[], httpx2.Request], endpoint: Endpoint, auth: httpx2.Auth | None
    ) -> httpx2.Response:
        seconds = endpoint.timeouts.first_byte
        try:
            with anyio.fail_after(seconds):
                return await self._send_fresh(build, auth)
        except TimeoutError:
            raise silent(endpoint, "firstByteTimeout", seconds) from None
        except httpx2.HTTPError as error:
            told = transport_error(error, endpoint)
            if isinstance(error, httpx2.ConnectError) and certificate_error(error) is None:
                raise Passing(told, f"{endpoint.name} can't be reached") from None
            raise told from None

    async def _send_fresh(self, build: Callable[[], httpx2.Request], auth: httpx2.Auth | None) -> httpx2.Response:
        """Send the request, a second time if it was lost on a kept-alive connection that the upstream had closed."""
        connected = False

        async def notice(event: str, _: Mapping[str, Any]) -> None:
            nonlocal connected
            connected = connected or event.startswith("connection.connect_")

        request = build()
        request.extensions["trace"] = notice
        client = self._client(request.url)
        try:
            return await client.send(request, stream=True, auth=auth)
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            if connected:
                raise
            return await client.send(build(), stream=True, auth=auth)


def _adjusted(body: Mapping[str, Any], endpoint: Endpoint) -> dict[str, Any]:
    """Return the body with what the operator wants in it and without what they don't."""
    return {key: value for key, value in {**body, **endpoint.add_params}.items() if key not in endpoint.drop_params}


def _headers(endpoint: Endpoint, own: Mapping[str, str] | None) -> dict[str, bytes]:
    if own is None:
        own = {} if endpoint.api_key is None else {"authorization": f"Bearer {endpoint.api_key.reveal()}"}
    headers = {name.lower(): value for name, value in endpoint.headers.items() if name.lower() not in _CONNECTION}
    united = ",".join(filter(None, (own.get(_BETA), headers.get(_BETA))))
    headers |= own
    if united:
        headers[_BETA] = ",".join(dict.fromkeys(each.strip() for each in united.split(",")))
    if all(map(_SENDABLE.fullmatch, headers.values())):
        return {name: value.strip(" ").encode("latin-1") for name, value in headers.items()}
    raise UpstreamRefused(
        f"{endpoint.name}: the key or a header holds characters that can't be sent. Check {key_source(endpoint)}.",
        endpoint=endpoint.name,
    )


# -- what comes back ----------------------------------------------------------------------------------------------


async def _pieces(response: httpx2.Response, endpoint: Endpoint) -> AsyncGenerator[bytes]:
    """Yield the body's bytes as they come, if they come in time; whatever comes is a sign of life."""
    limits = endpoint.timeouts
    shorter = limits.silence < limits.first_byte  # else the time-out of each read is the one to go by, at no cost
    key, seconds = "firstByteTimeout", limits.first_byte
    try:
        async with aclosing(response.aiter_bytes()) as chunks:
            with anyio.fail_after(seconds):
                chunk = await anext(chunks, b"")
            key, seconds = "silenceTimeout", limits.silence
            while chunk:
                yield chunk
                with anyio.fail_after(seconds) if shorter else nullcontext():
                    chunk = await anext(chunks, b"")
    except TimeoutError:
        raise silent(endpoint, key, seconds) from None
    except httpx2.HTTPError as error:
        raise transport_error(error, endpoint) from None


async def _frames(response: httpx2.Response, endpoint: Endpoint) -> AsyncGenerator[bytes]:
    """Yield the body; a whole JSON answer, from servers that don't stream, comes as one event."""
    kind = response.headers.get("content-type", "")
    if "application/json" in kind:
        yield b"data: " + msgspec.json.encode(await _json(response, endpoint)) + b"\n\n"
        return
    known = _EVENTS in kind
    async with aclosing(_pieces(response, endpoint)) as pieces:
        async for piece in pieces:
            if not known and not piece.lstrip().startswith(_STREAM_STARTS):
                raise not_its_api(response, endpoint)
            known = True
            yield piece


async def _bytes(response: httpx2.Response, endpoint: Endpoint, most: int) -> bytes:
    body = b""
    async with aclosing(_pieces(response, endpoint)) as pieces:
        async for piece in pieces:
            body += piece
            if len(body) > most:
                raise UpstreamGarbled(f"{endpoint.name} sent more than {most} bytes.", endpoint=endpoint.name)
    return body


async def _json(response: httpx2.Response, endpoint: Endpoint) -> Any:
    async with aclosing(_pieces(response, endpoint)) as pieces:
        body = b"".join([piece async for piece in pieces])
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise not_its_api(response, endpoint) from None


async def _check(response: httpx2.Response, endpoint: Endpoint) -> None:
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
    body, seconds = b"", min(_ERROR_BODY_TIMEOUT, endpoint.timeouts.silence)
    with suppress(httpx2.HTTPError), anyio.move_on_after(seconds):  # the status alone says enough
        body = await response.aread()
    wait = seconds_to_wait(headers, body)
    error = status_error(status, body, wait, endpoint)
    if may_pass(error, status, headers):
        raise Passing(error, f"{endpoint.name} answered {status}", wait=wait)
    raise error
