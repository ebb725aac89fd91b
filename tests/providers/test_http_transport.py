"""Our own connections, against a server that does what real ones do."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import httpx2
import pytest
from tests.providers.upstream import Upstream, drop, hang, reply, stream

from agentbench.providers.http_transport import Transport, is_proxied, sendable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.providers.upstream import Answer, Connection

pytestmark = pytest.mark.anyio
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """Start a server."""
    async with Upstream() as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """Return a client on our transport."""
    async with httpx2.AsyncClient(transport=Transport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)), timeout=5) as client:
        yield client


def says(*pieces: bytes, then: Answer | None = None) -> Answer:
    """Answer with exactly these bytes, each with a moment before the next; `then` may close the connection."""

    async def answer(connection: Connection) -> None:
        for piece in pieces:
            await connection.send(piece)
            await asyncio.sleep(0.001)
        if then is not None:
            await then(connection)

    return answer


async def test_what_waits_is_one_piece(client: httpx2.AsyncClient, upstream: Upstream) -> None:
    """All that has come since the last read is handed on at once, whatever chunks it was sent in."""
    chunk = b"5\r\nhello\r\n"
    upstream.answers = [says(OK + b"transfer-encoding: chunked\r\n\r\n" + 100 * chunk + b"0\r\n\r\n")]
    async with client.stream("GET", upstream.url) as response:
        assert [piece async for piece in response.aiter_bytes()] == [100 * b"hello"]


async def test_trickle(client: httpx2.AsyncClient, upstream: Upstream) -> None:
    """Of a stream that trickles fast, the first pieces come at once, and later ones together."""
    upstream.answers = [says(OK + b"transfer-encoding: chunked\r\n\r\n", *[b"2\r\nok\r\n"] * 100, b"0\r\n\r\n")]
    async with client.stream("GET", upstream.url) as response:
        pieces = [piece async for piece in response.aiter_bytes()]
    assert (b"".join(pieces), len(pieces) < 60) == (100 * b"ok", True)


async def test_request_after_a_trickle(client: httpx2.AsyncClient, upstream: Upstream) -> None:
    """Its connection serves the next request."""
    trickle = says(OK + b"content-length: 40\r\n\r\n", *[b"ok"] * 20)
    upstream.answers = [trickle, reply(body=b"{}")]
    answers = [(await client.get(upstream.url)).content for _ in range(2)]
    assert (answers, upstream.connections) == ([20 * b"ok", b"{}"], 1)


@pytest.mark.parametrize(
    ("answer", "body", "connections"),
    [
        (says(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK + b"content-length: 2\r\n\r\nok"), b"ok", 1),
        (says(OK + b"content-length: 2\r\n\r\nok", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"), b"ok", 2),
        (says(OK + b"content-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n!"), b"ok", 2),
        (says(OK + b"connection: close\r\ncontent-length: 2\r\n\r\nok"), b"ok", 2),
        (says(OK + b"\r\n", b"until ", b"the end", then=drop), b"until the end", 2),
        (says(b"HTTP/1.1 204 No Content\r\n\r\n"), b"", 1),
        (says(OK + b"transfer-encoding: chunked\r\n\r\n1\r", b"\na\r\n0", b"\r\n\r", b"\n"), b"a", 1),
    ],
)
async def test_framing(
    client: httpx2.AsyncClient, upstream: Upstream, answer: Answer, body: bytes, connections: int
) -> None:
    """An answer ends where it says; its connection is used again if it may be, and nothing more has come on it."""
    upstream.answers = [answer, answer]
    for _ in range(2):
        assert (await client.get(upstream.url)).content == body
        await asyncio.sleep(0.005)
    assert upstream.connections == connections


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (drop, "Server disconnected without sending a response."),
        (says(OK + b"x: " + 200_000 * b"a", then=hang), "The head of the answer is too long."),
        (says(OK + b"content-length: 9\r\n\r\nabc", then=drop), "(received 3 bytes, expected 9)"),
        (stream(b"abc", then=drop), "(incomplete chunked read)"),
        (says(OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n"), "Invalid character in chunk size"),
        (says(b"220 smtp.example ESMTP\r\n"), "Expected HTTP/"),
    ],
)
async def test_broken(client: httpx2.AsyncClient, upstream: Upstream, answer: Answer, message: str) -> None:
    """What isn't an answer, or not a whole one, is an error of httpx2's."""
    upstream.answers = [answer]
    with pytest.raises(httpx2.RemoteProtocolError) as caught:
        await client.get(upstream.url)
    assert message in str(caught.value)


async def test_head_request(client: httpx2.AsyncClient, upstream: Upstream) -> None:
    """The answer to HEAD has no body, whatever length it tells."""
    upstream.answers = [says(OK + b"content-length: 99\r\n\r\n", then=hang)]
    assert (await client.head(upstream.url)).headers["content-length"] == "99"


async def test_body_of_unknown_length() -> None:
    """A request whose length nobody knows is sent in chunks, of which an empty one would be the last."""

    async def parts() -> AsyncIterator[bytes]:
        for part in (b"one", b"", b"fourteen bytes"):
            yield part

    request = httpx2.Request("POST", "http://a.example/b", content=parts())
    head, _, body = b"".join([piece async for piece in sendable(request)]).partition(b"\r\n\r\n")
    assert (head[:18], body) == (b"POST /b HTTP/1.1\r\n", b"3\r\none\r\ne\r\nfourteen bytes\r\n0\r\n\r\n")


async def test_large_body(client: httpx2.AsyncClient, upstream: Upstream) -> None:
    """A request that is larger than what the socket takes at once arrives whole."""
    upstream.answers = [reply(body=b"{}")]
    await client.post(upstream.url, content=b"a" * 5_000_000)
    assert upstream.requests[0].endswith(b"\r\n\r\n" + b"a" * 5_000_000)


async def test_unsendable_header(client: httpx2.AsyncClient, upstream: Upstream) -> None:
    """A header can't hold another one."""
    with pytest.raises(httpx2.LocalProtocolError):
        await client.get(upstream.url, headers={"x-name": "value\r\nx-other: secret"})


async def test_unread_answer(client: httpx2.AsyncClient, upstream: Upstream) -> None:
    """One that is larger than what may wait is read to its end by whoever takes their time."""
    size = 3_000_000
    upstream.answers = [says(OK + b"content-length: %d\r\n\r\n" % size + b"a" * size)]
    async with client.stream("GET", upstream.url) as response:
        await asyncio.sleep(0.05)
        assert len(await response.aread()) == size


async def test_cancelled(client: httpx2.AsyncClient, upstream: Upstream) -> None:
    """A request that is given up closes its connection."""
    there = asyncio.Event()

    async def answer(connection: Connection) -> None:
        there.set()
        await hang(connection)

    upstream.answers = [answer]
    task = asyncio.create_task(client.get(upstream.url))
    await there.wait()
    task.cancel()
    await asyncio.wait_for(upstream.client_left.wait(), 5)


async def test_kept_too_long(upstream: Upstream) -> None:
    """A connection that nobody used for a minute is not used again."""
    upstream.answers = [reply(body=b"{}")]
    transport = Transport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    async with httpx2.AsyncClient(transport=transport) as client:
        await client.get(upstream.url)
        [kept] = transport._idle
        kept.idle_since -= 61
        await client.get(upstream.url)
    assert upstream.connections == 2


@pytest.mark.parametrize(
    ("environ", "left"),
    [
        ({}, []),
        ({"http_proxy": "http://127.0.0.1:1"}, ["http"]),
        ({"https_proxy": "http://127.0.0.1:1"}, ["https"]),
        ({"all_proxy": "socks5://127.0.0.1:1"}, ["http", "https"]),
        ({"all_proxy": "http://127.0.0.1:1", "no_proxy": "api.example"}, []),
    ],
)
def test_proxies(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], left: list[str]) -> None:
    """What the environment sends through a proxy is left to httpx2."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert [each for each in ("http", "https") if is_proxied(httpx2.URL(f"{each}://api.example/v1"))] == left
