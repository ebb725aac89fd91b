"""The HTTP client against a real server on loopback: what it sends, and what it makes of each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import msgspec
import pytest
from tests.providers.upstream import Upstream, drop, hang, reply, stream

from agentbench.config import Secret, Timeouts
from agentbench.errors import (
    AgentbenchError,
    UpstreamGarbled,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentbench.providers.http import Http

if TYPE_CHECKING:
    from tests.providers.upstream import Connection

    from agentbench.config import Endpoint

pytestmark = pytest.mark.anyio

KEY = "k3y-of-acme-0123456789"
EVENT = b"data: x\n\n"


async def posted(http: Http, endpoint: Endpoint, upstream: Upstream) -> bytes:
    """Post something to the server and return the whole answer."""
    return b"".join([chunk async for chunk in chunks_of(http, at(endpoint, upstream))])


async def chunks_of(http: Http, endpoint: Endpoint) -> Any:
    """Post something and yield the answer's bytes."""
    async with http.post("/chat", {"model": "small"}, endpoint) as chunks:
        async for chunk in chunks:
            yield chunk


def at(endpoint: Endpoint, upstream: Upstream) -> Endpoint:
    """Return the endpoint with the server's address."""
    return msgspec.structs.replace(endpoint, base_url=upstream.url)


async def failure(http: Http, endpoint: Endpoint, upstream: Upstream) -> AgentbenchError:
    """Post something that fails and return the error, which shows the key nowhere."""
    with pytest.raises(AgentbenchError) as caught:
        await posted(http, endpoint, upstream)
    error = caught.value
    assert KEY not in f"{error!r} {error} {error.__dict__}"
    assert (error.__cause__, error.__suppress_context__ or error.__context__ is None) == (None, True)
    return error


def slow(*gaps: float) -> Any:
    """Answer with a comment after each gap, in seconds."""

    async def answer(connection: Connection) -> None:
        await stream(then=hold)(connection)
        for gap in gaps:
            await anyio.sleep(gap)
            await connection.send(b"3\r\n:\n\n\r\n")
        await connection.send(b"0\r\n\r\n")

    return answer


async def hold(_: Connection) -> None:
    """Leave the answer open."""


# -- what it sends ----------------------------------------------------------------------------------------------------


async def test_request(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A request has path, key, the endpoint's own headers and the body as JSON."""
    upstream.answers = [stream(EVENT)]
    await posted(http, msgspec.structs.replace(endpoint, headers={"X-Team": "blue"}), upstream)
    head, _, body = upstream.requests[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /v1/chat HTTP/1.1"
    assert {b"authorization: Bearer " + KEY.encode(), b"x-team: blue", b"accept: text/event-stream"} <= set(lines)
    assert body == b'{"model":"small"}'


async def test_no_key(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """Without a key, no authorization is sent."""
    upstream.answers = [stream(EVENT)]
    await posted(http, msgspec.structs.replace(endpoint, api_key=None), upstream)
    assert b"authorization" not in upstream.requests[0].lower()


@pytest.mark.parametrize("value", ["Zoë", "a\xa0b", "\xff"])
async def test_latin_1(http: Http, endpoint: Endpoint, upstream: Upstream, value: str) -> None:
    """A header's value goes out in Latin-1, a byte for each character."""
    upstream.answers = [stream(EVENT)]
    await posted(http, msgspec.structs.replace(endpoint, headers={"X-User": value}), upstream)
    assert b"\r\nx-user: " + value.encode("latin-1") + b"\r\n" in upstream.requests[0]


async def test_blanks_around_a_value(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """Blanks around a value are no part of it."""
    upstream.answers = [stream(EVENT)]
    await posted(http, msgspec.structs.replace(endpoint, headers={"X-User": " a b  "}), upstream)
    assert b"\r\nx-user: a b\r\n" in upstream.requests[0]


@pytest.mark.parametrize("value", ["Łódź", "a\nb: c", "a\r\nb: c", "a\tb", "a\x00", "a\x7f", "a\x85", "key\n"])
async def test_header_that_cannot_be_sent(http: Http, endpoint: Endpoint, upstream: Upstream, value: str) -> None:
    """A key or a header that no line of Latin-1 can hold is refused before anything is sent."""
    changes: tuple[dict[str, Any], ...] = ({"api_key": Secret(value)}, {"headers": {"X-User": value}})
    for change in changes:
        error = await failure(http, msgspec.structs.replace(endpoint, **change), upstream)
        assert isinstance(error, UpstreamRefused)
        assert error.message == "acme: the key or a header holds characters that can't be sent. Check ACME_API_KEY."
    assert upstream.connections == 0


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        (None, "acme has no base URL. Set baseURL in the config file."),
        ("http://[::1", "acme: the base URL is not valid: Invalid port: ':1'."),
        ("ftp://127.0.0.1", "acme: the base URL is not valid: Request URL has an unsupported protocol 'ftp://'."),
    ],
)
async def test_bad_base_url(http: Http, endpoint: Endpoint, base_url: str | None, message: str) -> None:
    """An address that can't be one is our error too."""
    with pytest.raises(UpstreamUnavailable) as caught:
        await anext(chunks_of(http, msgspec.structs.replace(endpoint, base_url=base_url)))
    assert caught.value.message == message


# -- what comes back --------------------------------------------------------------------------------------------------


async def test_stream(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A stream's bytes come as they are."""
    upstream.answers = [stream(EVENT, b"data: ", b"y\n\n")]
    assert await posted(http, endpoint, upstream) == b"data: x\n\ndata: y\n\n"


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain; charset=utf-8"])
async def test_stream_under_another_name(http: Http, endpoint: Endpoint, upstream: Upstream, kind: str) -> None:
    """What reads like a stream is one, whatever its content type says."""
    upstream.answers = [stream(b"\n: hello\n\n", EVENT, kind=kind)]
    assert await posted(http, endpoint, upstream) == b"\n: hello\n\ndata: x\n\n"


async def test_whole_json(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A whole JSON answer, however it is laid out, comes as one event."""
    upstream.answers = [reply(body=b'{\n "a":\r\n\t[1,\n2]\n}')]
    assert await posted(http, endpoint, upstream) == b'data: {"a":[1,2]}\n\n'


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (reply(body=b"<html>Log in</html>", kind="text/html; charset=utf-8"), "text/html"),
        (reply(body=b"It works!", kind="text/plain"), "text/plain"),
        (reply(body=b"<html>"), "something else"),
        (reply(body=b'{"a": "\xff"}'), "something else"),
        (reply(body=b"???", kind=""), "something else"),
    ],
)
async def test_not_its_api(http: Http, endpoint: Endpoint, upstream: Upstream, answer: Any, what: str) -> None:
    """An answer that is neither events nor JSON most often means a wrong address."""
    upstream.answers = [answer]
    error = await failure(http, endpoint, upstream)
    assert isinstance(error, UpstreamGarbled)
    assert error.message == f"acme answered with {what}, not with its API. Check baseURL: {upstream.url}."


async def test_refused_key(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A refusal says where the key comes from; the key itself is masked even when it is echoed."""
    upstream.answers = [reply(401, b'{"error": {"message": "Bad key %s."}}' % KEY.encode())]
    error = await failure(http, endpoint, upstream)
    assert isinstance(error, UpstreamRefused)
    assert error.message == "acme refused the key (401). Check ACME_API_KEY. It says: Bad key ****."


async def test_redirect(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A redirect isn't followed, as it would carry headers elsewhere; the message says where it goes."""
    upstream.answers = [reply(307, location="http://127.0.0.1:9/v2")]
    error = await failure(http, endpoint, upstream)
    assert error.message == f"acme has moved (307) to http://127.0.0.1:9/v2. Correct baseURL: {upstream.url}."
    assert len(upstream.requests) == 1


# -- connections ------------------------------------------------------------------------------------------------------


async def test_dropped(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A connection that breaks off within a stream is an error, not an end; the request isn't sent again."""
    upstream.answers = [stream(EVENT, then=drop)]
    error = await failure(http, endpoint, upstream)
    assert isinstance(error, UpstreamUnavailable)
    assert error.message.startswith("acme dropped the connection. Try again. (")
    assert len(upstream.requests) == 1


async def test_fresh_connection_dropped(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A request on a new connection may have been acted upon, so it isn't sent again."""
    upstream.answers = [drop]
    assert isinstance(await failure(http, endpoint, upstream), UpstreamUnavailable)
    assert len(upstream.requests) == 1


async def test_kept_connection_is_used_again(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """Requests share a connection."""
    upstream.answers = [stream(EVENT)]
    await posted(http, endpoint, upstream)
    await posted(http, endpoint, upstream)
    assert (len(upstream.requests), upstream.connections) == (2, 1)


async def test_kept_connection_dropped(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A kept connection that turns out to be closed is replaced, once and unseen."""
    upstream.answers = [stream(EVENT), drop, stream(EVENT)]
    await posted(http, endpoint, upstream)
    assert await posted(http, endpoint, upstream) == EVENT
    assert (len(upstream.requests), upstream.connections) == (3, 2)


async def test_leaving_closes_the_connection(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """Who stops reading closes the connection, and the server sees it."""
    upstream.answers = [stream(EVENT, then=hang)]
    async with http.post("/chat", {}, at(endpoint, upstream)) as chunks:
        assert await anext(aiter(chunks)) == EVENT
        assert not upstream.client_left.is_set()
    with anyio.fail_after(5):
        await upstream.client_left.wait()


async def test_unread_answer_closes_the_connection(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """An answer that isn't worth reading to its end doesn't keep the connection."""
    upstream.answers = [reply(body=b"<html>", kind="text/html", content_length="1000")]
    assert isinstance(await failure(http, endpoint, upstream), UpstreamGarbled)
    with anyio.fail_after(5):
        await upstream.client_left.wait()


async def test_a_hung_server_starves_nobody(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """However many answers are awaited from one server, another one is reached at once."""
    upstream.answers = [stream(EVENT)]
    async with Upstream() as hung, anyio.create_task_group() as group:
        hung.answers = [hang]
        for _ in range(120):
            group.start_soon(posted, http, endpoint, hung)
        while len(hung.requests) < 120:  # noqa: ASYNC110 - the server has no event for it
            await anyio.sleep(0.01)
        with anyio.fail_after(5):
            assert await posted(http, endpoint, upstream) == EVENT
        group.cancel_scope.cancel()


async def test_cookies_are_not_kept(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """What one answer sets is not sent with the next request, which may be another caller's."""
    upstream.answers = [reply(body=b"[]", set_cookie="session=1; Path=/")]
    await posted(http, endpoint, upstream)
    await posted(http, endpoint, upstream)
    assert b"cookie" not in upstream.requests[1].lower()


async def test_closed(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A closed client has no connections and makes none."""
    upstream.answers = [stream(EVENT)]
    await posted(http, endpoint, upstream)
    await http.aclose()
    with anyio.fail_after(5):
        await upstream.client_left.wait()
    with pytest.raises(RuntimeError, match="closed"):
        await posted(http, endpoint, upstream)
    assert len(upstream.requests) == 1


# -- time-outs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (hang, "acme said nothing for 0.25 s. Try again, or raise firstByteTimeout."),
        (stream(then=hang), "acme said nothing for 0.25 s. Try again, or raise firstByteTimeout."),
        (stream(EVENT, then=hang), "acme fell silent for 0.25 s. Try again, or raise silenceTimeout."),
        (reply(body=b"[", content_length="9"), "acme fell silent for 0.25 s. Try again, or raise silenceTimeout."),
    ],
)
async def test_silence(http: Http, hasty: Endpoint, upstream: Upstream, answer: Any, message: str) -> None:
    """A server that says nothing is given up, and the message names the limit; the request isn't sent again."""
    upstream.answers = [answer]
    error = await failure(http, hasty, upstream)
    assert (type(error), error.message, len(upstream.requests)) == (UpstreamTimeout, message, 1)


@pytest.mark.parametrize(
    ("timeouts", "key"),
    [(Timeouts(first_byte=0.1, silence=30), "firstByteTimeout"), (Timeouts(first_byte=30, silence=0.1), "silence")],
)
async def test_each_limit(http: Http, endpoint: Endpoint, upstream: Upstream, timeouts: Timeouts, key: str) -> None:
    """The first byte and what follows it have limits of their own."""
    upstream.answers = [hang if "first" in key else stream(EVENT, then=hang)]
    with anyio.fail_after(5):
        error = await failure(http, msgspec.structs.replace(endpoint, timeouts=timeouts), upstream)
    assert f"for 0.1 s. Try again, or raise {key}" in error.message


@pytest.mark.parametrize(
    ("timeouts", "gaps"),
    [
        (Timeouts(first_byte=0.25, silence=0.25), (0.1,) * 5),
        (Timeouts(first_byte=0.25, silence=30), (0, 0.5)),
        (Timeouts(first_byte=30, silence=0.25), (0.5, 0)),
    ],
)
async def test_signs_of_life(
    http: Http, endpoint: Endpoint, upstream: Upstream, timeouts: Timeouts, gaps: tuple[float, ...]
) -> None:
    """Each limit counts from the last sign of life, be it a comment."""
    upstream.answers = [slow(*gaps)]
    assert await posted(http, msgspec.structs.replace(endpoint, timeouts=timeouts), upstream) == b":\n\n" * len(gaps)


async def test_no_connection(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A server that doesn't finish the connection is given up, at the first try."""
    there = upstream.url.replace("http:", "https:")  # it waits for a request, and TLS for its greeting
    with pytest.raises(UpstreamTimeout) as caught:
        await anext(chunks_of(http, msgspec.structs.replace(endpoint, base_url=there, timeouts=Timeouts(connect=0.25))))
    limit = "within 0.25 s. Try again, or raise connectTimeout."
    assert caught.value.message == f"acme can't be reached: no connection to {there} {limit}"
    assert upstream.connections == 1


async def test_silence_within_an_error(http: Http, hasty: Endpoint, upstream: Upstream) -> None:
    """An error whose body never comes is told by its status."""
    upstream.answers = [reply(401, content_length="10")]
    assert isinstance(await failure(http, hasty, upstream), UpstreamRefused)


async def test_slow_list(http: Http, hasty: Endpoint, upstream: Upstream) -> None:
    """A list has little time, whatever comes of it meanwhile."""
    upstream.answers = [slow(*[0.1] * 100)]
    with pytest.raises(UpstreamTimeout) as caught:
        await http.get_json("/models", at(hasty, upstream))
    assert caught.value.message == "acme didn't answer within 0.25 s. Try again."


# -- listing ----------------------------------------------------------------------------------------------------------


async def test_get_json(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """JSON is got with the key, too."""
    upstream.answers = [reply(body=b'{"data": []}')]
    assert await http.get_json("/models", at(endpoint, upstream)) == {"data": []}
    assert upstream.requests[0].startswith(b"GET /v1/models HTTP/1.1\r\n")
    assert b"authorization: Bearer " + KEY.encode() in upstream.requests[0]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(401), UpstreamRefused),
        (reply(body=b"{oops"), UpstreamGarbled),
        (reply(body=b"<html>", kind="text/html"), UpstreamGarbled),
        (stream(b'{"data":', then=drop), UpstreamUnavailable),
    ],
)
async def test_get_json_fails(
    http: Http, endpoint: Endpoint, upstream: Upstream, answer: Any, kind: type[AgentbenchError]
) -> None:
    """What goes wrong is one of our errors here as well."""
    upstream.answers = [answer]
    with pytest.raises(kind):
        await http.get_json("/models", at(endpoint, upstream))


async def test_own_transport(endpoint: Endpoint) -> None:
    """A transport may stand in for the network."""
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json={"path": request.url.path}))
    http = Http(transport=transport)
    assert await http.get_json("/models", endpoint) == {"path": "/v1/models"}
    await http.aclose()
