"""The one HTTP client of all providers: connect, check the status, hand on bytes in time, close.

Turns whatever goes wrong into one of our errors, with secrets masked. A request is sent again only where nobody has
acted upon it: no connection, a kept-alive one that turned out to be closed, or a refusal that may pass.
"""

from __future__ import annotations

import re
import ssl
from contextlib import aclosing, asynccontextmanager
from functools import cached_property, partial
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NamedTuple

import anyio
import httpx2
import msgspec

from agentbench.errors import UpstreamRefused, UpstreamTimeout, UpstreamUnavailable
from agentbench.providers.cassettes.deck import Deck
from agentbench.providers.http_answer import EVENTS, checked, frames, json_of, limited, pieces, whole
from agentbench.providers.http_connection import BegunError
from agentbench.providers.http_errors import certificate_error, silent, transport_error
from agentbench.providers.http_status import key_source
from agentbench.providers.http_transport import Transport, is_proxied
from agentbench.providers.retry import Passing, retried

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping

    from agentbench.config.endpoint import Endpoint
    from agentbench.providers.cassettes.deck import Tape

__all__ = ["Http", "Relayed"]

# Seconds; what an operator may choose is in `Endpoint.timeouts`.
_WRITE_TIMEOUT = 60
_LISTING_TIMEOUT = 10
_PATIENCE = 20  # with an upstream that asks to wait: nobody should watch a silent cell for a minute
_LISTING_PATIENCE = 5
_TRIES = 3
_LISTING_TRIES = 2

_LIMITS = httpx2.Limits(max_connections=1000, max_keepalive_connections=20, keepalive_expiry=60)  # one a stream
_BETA = "anthropic-beta"  # several sides may ask for betas, and all are meant
_CONNECTION = (  # headers about the connection and the body's form, which are the client's alone
    *("accept-encoding", "connection", "content-length", "host", "keep-alive"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
)
_SENDABLE = re.compile(r"[ -~\xa0-\xff]*")  # Latin-1 without control characters


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
        deck: Deck | None = None,
    ) -> None:
        self._transport = transport
        self._deck = deck or Deck()
        self._sleep = sleep
        self._clients: dict[tuple[str, str, int | None], httpx2.AsyncClient] = {}
        self._direct: dict[tuple[str, str, int | None], Transport] = {}
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
        accept: str = EVENTS,
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
        response = await retried(begun, tries=_TRIES, patience=_PATIENCE, sleep=self._pause)
        try:
            chunks = frames(response, endpoint) if accept == EVENTS else limited(response, endpoint)
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
        response = await retried(send, tries=_LISTING_TRIES, patience=_LISTING_PATIENCE, sleep=self._pause)
        try:
            kind = response.headers.get("content-type", "application/octet-stream")
            async with aclosing(pieces(response, endpoint)) as chunks:
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
                response = await retried(begun, tries=tries, patience=_LISTING_PATIENCE, sleep=self._pause)
                try:
                    return await (json_of(response, endpoint) if most is None else whole(response, endpoint, most))
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
            if self._transport is None and not is_proxied(url):
                self._direct[origin] = Transport(tls)
            transport = self._transport or self._direct.get(origin)
            client = httpx2.AsyncClient(transport=transport, verify=tls, limits=_LIMITS)
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
        request = self._client(url).build_request(method, url, timeout=timeout, **given)
        request.extensions["agentbench"] = (endpoint, path)  # for a cassette
        return request

    async def _pause(self, seconds: float) -> None:
        tape = self._deck.tape
        await (self._sleep(seconds) if tape is None else tape.pause(seconds, self._sleep))

    # -- sending ------------------------------------------------------------------------------------------------

    async def _begun(
        self, build: Callable[[], httpx2.Request], endpoint: Endpoint, auth: httpx2.Auth | None
    ) -> httpx2.Response:
        """Return the response of an upstream that has said 200; raise `Passing` for what may be over soon."""
        response = await self._send(build, endpoint, auth)
        try:
            await checked(response, endpoint)
        except BaseException:
            await response.aclose()
            raise
        return response

    async def _send(
        self, build: Callable[[], httpx2.Request], endpoint: Endpoint, auth: httpx2.Auth | None
    ) -> httpx2.Response:
        seconds, tape = endpoint.timeouts.first_byte, self._deck.tape
        try:
            with anyio.fail_after(seconds):
                return await (self._send_fresh(build, auth) if tape is None else self._taped(tape, build(), auth))
        except TimeoutError:
            raise silent(endpoint, "firstByteTimeout", seconds) from None
        except httpx2.HTTPError as error:
            told = transport_error(error, endpoint)
            if isinstance(error, httpx2.ConnectError) and certificate_error(error) is None:
                raise Passing(told, f"{endpoint.name} can't be reached") from None
            raise told from None

    async def _taped(self, tape: Tape, request: httpx2.Request, auth: httpx2.Auth | None) -> httpx2.Response:
        """Send the request past a cassette, which sees what `_send_fresh` makes of it.

        The client has no connections of its own: whatever is still read when it is gone is read to its end.
        """
        client = httpx2.AsyncClient(transport=tape.transport(_Wire(self._send_fresh)))
        return await client.send(request, stream=True, auth=auth)

    async def _send_fresh(self, build: Callable[[], httpx2.Request], auth: httpx2.Auth | None) -> httpx2.Response:
        """Send the request, a second time if it was lost on a kept-alive connection that the upstream had closed."""
        connected = False

        async def notice(event: str, _: Mapping[str, Any]) -> None:
            nonlocal connected
            connected = connected or event.startswith("connection.connect_")

        request = build()
        request.extensions["trace"] = notice
        try:
            return await self._sent(request, auth)
        except BegunError:
            raise
        except (httpx2.RemoteProtocolError, httpx2.ReadError):
            if connected:
                raise
            again = build()
            again.extensions["fresh"] = True  # others that are kept may be closed as well
            return await self._sent(again, auth)

    async def _sent(self, request: httpx2.Request, auth: httpx2.Auth | None) -> httpx2.Response:
        """Send a request by httpx2's client or, where that has nothing to add, by our transport itself."""
        url = request.url
        direct = self._direct.get((url.scheme, url.host, url.port))
        if direct is None or auth is not None or url.userinfo or self._closed:
            return await self._client(url).send(request, stream=True, auth=auth)
        response = await direct.handle_async_request(request)
        response.request = request
        return response


class _Wire(httpx2.AsyncBaseTransport):
    """What a cassette sends through."""

    def __init__(self, send: Callable[[Callable[[], httpx2.Request], None], Awaitable[httpx2.Response]]) -> None:
        self._send = send

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._send(lambda: request, None)


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
