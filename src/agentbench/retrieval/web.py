"""Fetches one web page for the person who asked for it, and nothing that only this machine can reach.

Each address, also one that a redirect leads to, is looked up once, checked, and connected to as it was checked: a name
can't mean another address a moment later. No proxy, cookie or credential goes along.
"""

from __future__ import annotations

import posixpath
import ssl
import zlib
from contextlib import aclosing
from typing import TYPE_CHECKING
from urllib.parse import unquote

import anyio
import httpx2

from agentbench.errors import InvalidRequest, RequestTooLarge, Unreadable
from agentbench.protocol.values import Value
from agentbench.retrieval.addresses import looked_up, public

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from agentbench.config.retrieval import RetrievalSettings

__all__ = ["Page", "fetch_page"]

_MOST_REDIRECTS = 5
_LONGEST_NAME = 200
_HEADERS = {
    "accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "accept-encoding": "gzip",
    "user-agent": "agentbench",
}
_ENCODINGS = {"": None, "identity": None, "gzip": 47, "x-gzip": 47, "deflate": 47}  # zlib's window, told by the data
_STEP = 1024 * 1024  # bytes unpacked at once


class Page(Value, frozen=True, kw_only=True):
    """A page as its server gave it: `url` is where it was in the end, `content_type` is what the server said."""

    url: str
    name: str
    content_type: str | None
    data: bytes


async def fetch_page(
    url: str,
    settings: RetrievalSettings,
    *,
    look_up: Callable[[str, int], Awaitable[list[str]]] = looked_up,
) -> Page:
    """Return the page at an http or https address; `look_up` gives the addresses of a host and a port.

    Raises `InvalidRequest` with the reason if it may not be fetched, can't be, or is too slow, and `RequestTooLarge` if
    it is too large. No message has a query, which may hold a secret.
    """
    try:
        with anyio.fail_after(settings.web_time):
            async with httpx2.AsyncHTTPTransport() as transport:
                return await _followed(url, settings, look_up, transport)
    except TimeoutError:
        raise InvalidRequest(
            f"{_shown(url)} didn't answer within {settings.web_time:g} s. Try again, or add the page as a file.",
            param="url",
        ) from None


async def _followed(
    address: str,
    settings: RetrievalSettings,
    look_up: Callable[[str, int], Awaitable[list[str]]],
    transport: httpx2.AsyncHTTPTransport,
) -> Page:
    url = _parsed(address)
    for _ in range(_MOST_REDIRECTS + 1):
        addresses = await look_up(url.raw_host.decode("ascii"), _port(url))
        if not settings.local_addresses and not public(addresses):
            raise InvalidRequest(
                f"{_shown(url)} is not in the public internet. An operator can change that with allowLocalAddresses.",
                param="url",
            )
        response = await _sent(url, addresses, transport)
        async with aclosing(response):
            if not response.has_redirect_location:
                return await _page(url, response, settings.largest_page)
            url = _parsed(str(_joined(url, response.headers["location"])))
    raise InvalidRequest(f"{_shown(address)} redirects more than {_MOST_REDIRECTS} times.", param="url")


def _parsed(address: str) -> httpx2.URL:
    try:
        url = httpx2.URL(address.strip())
    except (httpx2.InvalidURL, TypeError, ValueError):
        raise InvalidRequest("This is not an address of a web page.", param="url") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidRequest("Only addresses that begin with https:// or http:// can be fetched.", param="url")
    if url.userinfo:
        raise InvalidRequest("The address holds a user name or a password. Leave it out.", param="url")
    return url.copy_with(fragment=None)


def _joined(url: httpx2.URL, location: str) -> httpx2.URL:
    try:
        return url.join(location)
    except (httpx2.InvalidURL, ValueError):
        raise InvalidRequest(f"{_shown(url)} redirects to something that is no address.", param="url") from None


def _port(url: httpx2.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


async def _sent(url: httpx2.URL, addresses: list[str], transport: httpx2.AsyncHTTPTransport) -> httpx2.Response:
    """Return the response of the first of the addresses that takes a connection."""
    reason = "it has no address"
    for address in addresses:
        request = httpx2.Request(
            "GET",
            url.copy_with(host=address),
            headers=_HEADERS | {"host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        try:
            return await transport.handle_async_request(request)
        except httpx2.ConnectError as error:
            reason = _reason(error)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _unreachable(url, _reason(error)) from None
    raise _unreachable(url, reason)


def _reason(error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate can't be verified: {error.verify_message}"
        error = error.__cause__ or error.__context__
    return "there is no connection, or it was dropped"


def _unreachable(url: httpx2.URL, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{_shown(url)} can't be fetched: {reason}.", param="url")


async def _page(url: httpx2.URL, response: httpx2.Response, largest: int) -> Page:
    if not response.is_success:
        raise InvalidRequest(f"{_shown(url)} answered {response.status_code}. Check the address.", param="url")
    parts, size = [], 0
    try:
        async with aclosing(_unpacked(response)) as pieces:
            async for piece in pieces:
                parts.append(piece)
                size += len(piece)
                if size > largest:
                    message = f"{_shown(url)} has more than {largest:,} bytes, the most that a page may have."
                    raise RequestTooLarge(message, param="url")
    except httpx2.HTTPError as error:
        raise _unreachable(url, _reason(error)) from None
    data = b"".join(parts)
    if not data:
        raise Unreadable(f"{_shown(url)} is empty.", param="url")
    return Page(url=str(url), name=_name(url), content_type=response.headers.get("content-type"), data=data)


async def _unpacked(response: httpx2.Response) -> AsyncGenerator[bytes]:
    """Yield the body, no more than a step of it at once, however tightly it is packed."""
    named = response.headers.get("content-encoding", "").strip().lower()
    if named not in _ENCODINGS:
        raise InvalidRequest(f"The page comes in an encoding that wasn't asked for: {named[:20]!r}.", param="url")
    window = _ENCODINGS[named]
    unpacker = zlib.decompressobj(window) if window else None
    async with aclosing(response.aiter_raw()) as chunks:
        async for chunk in chunks:
            if unpacker is None:
                yield chunk
                continue
            rest = chunk
            while rest:
                try:
                    yield unpacker.decompress(rest, _STEP)
                except zlib.error:
                    raise InvalidRequest("The page came damaged. Try again.", param="url") from None
                rest = unpacker.unconsumed_tail


def _name(url: httpx2.URL) -> str:
    """Return what the page is called as a file: the end of its path, or its host."""
    return (unquote(posixpath.basename(url.path.rstrip("/"))) or url.host)[:_LONGEST_NAME]


def _shown(url: httpx2.URL | str) -> str:
    """Return an address without its query and its credentials, at a readable length."""
    try:
        parsed = httpx2.URL(url)
        return str(parsed.copy_with(query=None, fragment=None, userinfo=b""))[:_LONGEST_NAME]
    except (httpx2.InvalidURL, TypeError, ValueError):
        return "The address"
