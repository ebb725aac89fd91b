"""Which requests are sent again, how often and after how long, against a real server on loopback."""

from __future__ import annotations

import logging
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import msgspec
import pytest
from tests.providers.upstream import drop, hang, reply, stream

from agentbench.errors import (
    AgentbenchError,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamUnavailable,
)
from agentbench.providers.http import Http
from agentbench.providers.retry import Passing, retried

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.providers.upstream import Upstream

    from agentbench.config import Endpoint

pytestmark = pytest.mark.anyio

EVENT = b"data: x\n\n"
FINE = stream(EVENT)


async def chunks_of(http: Http, endpoint: Endpoint, upstream: Upstream) -> AsyncGenerator[bytes]:
    """Post something to the server and yield the answer's bytes."""
    there = msgspec.structs.replace(endpoint, base_url=upstream.url)
    async with http.post("/chat", {"model": "small"}, there) as chunks:
        async for chunk in chunks:
            yield chunk


async def posted(http: Http, endpoint: Endpoint, upstream: Upstream) -> bytes:
    """Post something to the server and return the whole answer."""
    return b"".join([chunk async for chunk in chunks_of(http, endpoint, upstream)])


async def failure(http: Http, endpoint: Endpoint, upstream: Upstream) -> AgentbenchError:
    """Post something that fails and return the error."""
    with pytest.raises(AgentbenchError) as caught:
        await posted(http, endpoint, upstream)
    error = caught.value
    assert (error.__cause__, error.__suppress_context__ or error.__context__ is None) == (None, True)
    return error


# -- what is sent again -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 529])
async def test_passing_trouble(
    http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float], status: int
) -> None:
    """A refusal that may pass is asked about twice more, each time after a while."""
    upstream.answers = [reply(status), reply(status), FINE]
    assert await posted(http, endpoint, upstream) == EVENT
    assert upstream.requests[0] == upstream.requests[1] == upstream.requests[2]
    assert [0 <= wait <= most for wait, most in zip(waits, (0.5, 1), strict=True)] == [True, True]


async def test_lasting_trouble(http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float]) -> None:
    """After three tries the last refusal is the error."""
    upstream.answers = [reply(500), reply(503), reply(529, b'{"error": {"message": "Overloaded"}}')]
    error = await failure(http, endpoint, upstream)
    assert isinstance(error, UpstreamUnavailable)
    assert error.message == "acme is in trouble (529). Try again later. It says: Overloaded"
    assert (len(upstream.requests), len(waits)) == (3, 2)


async def test_waits_differ(http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float]) -> None:
    """Those who were refused together don't come back together."""
    upstream.answers = [reply(503)]
    for _ in range(5):
        await failure(http, endpoint, upstream)
    assert len(set(waits)) == len(waits) == 10


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 408, 409, 413, 422, 424, 501, 505])
async def test_final_refusal(
    http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float], status: int
) -> None:
    """A refusal that won't pass is the error at once."""
    upstream.answers = [reply(status), FINE]
    await failure(http, endpoint, upstream)
    assert (len(upstream.requests), waits) == (1, [])


async def test_no_credit(http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float]) -> None:
    """Credit doesn't come by waiting."""
    upstream.answers = [reply(429, b'{"error": {"code": "insufficient_quota"}}'), FINE]
    assert isinstance(await failure(http, endpoint, upstream), UpstreamRefused)
    assert (len(upstream.requests), waits) == (1, [])


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (reply(500, x_should_retry="false"), 1),
        (reply(429, x_should_retry="FALSE"), 1),
        (reply(409, x_should_retry="true"), 3),
    ],
)
async def test_upstream_knows_best(
    http: Http, endpoint: Endpoint, upstream: Upstream, answer: Any, requests: int
) -> None:
    """An upstream that says whether to ask again is right."""
    upstream.answers = [answer]
    await failure(http, endpoint, upstream)
    assert len(upstream.requests) == requests


async def test_connection_refused(http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float]) -> None:
    """Where nothing listens, it is tried three times; the message asks about server and address."""
    gone = upstream.url
    await upstream.__aexit__()
    with pytest.raises(UpstreamUnavailable) as caught:
        await http.post("/chat", {}, msgspec.structs.replace(endpoint, base_url=gone)).__aenter__()
    assert caught.value.message == f"acme can't be reached at {gone}. Is it running, and is baseURL right?"
    assert len(waits) == 2


async def test_server_comes_up(endpoint: Endpoint) -> None:
    """A server that starts while it is waited for answers."""
    up = anyio.Event()

    def answer(request: httpx2.Request) -> httpx2.Response:
        if not up.is_set():
            raise httpx2.ConnectError("All connection attempts failed", request=request)
        return httpx2.Response(200, json=[])

    async def sleep(_: float) -> None:
        up.set()

    http = Http(transport=httpx2.MockTransport(answer), sleep=sleep)
    assert await http.get_json("/models", endpoint) == []
    await http.aclose()


@pytest.mark.parametrize("answer", [drop, hang, stream(then=drop), stream(EVENT, then=drop), stream(EVENT, then=hang)])
async def test_what_may_have_been_acted_upon(
    http: Http, hasty: Endpoint, upstream: Upstream, waits: list[float], answer: Any
) -> None:
    """A request that got through is never sent again, whether or not its answer has begun."""
    upstream.answers = [answer, FINE]
    await failure(http, hasty, upstream)
    assert (len(upstream.requests), waits) == (1, [])


# -- how long is waited -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "least"),
    [
        (reply(429, retry_after="7"), 7),
        (reply(503, retry_after="7"), 7),
        (reply(429, retry_after="0"), 0),
        (reply(429, retry_after_ms="1500", retry_after="9"), 1.5),
        (reply(429, b'{"error": {"details": [{"retryDelay": "7s"}]}}'), 7),
        (reply(429, retry_after=format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True)), 0),
    ],
)
async def test_asked_to_wait(  # noqa: PLR0917 - fixtures and a table
    http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float], answer: Any, least: float
) -> None:
    """The wait that the upstream asks for is kept, and then a little more."""
    upstream.answers = [answer, FINE]
    assert await posted(http, endpoint, upstream) == EVENT
    (wait,) = waits
    assert least <= wait <= least + 0.5


async def test_asked_to_wait_for_a_date(http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float]) -> None:
    """The wait may be given by its end."""
    end = format_datetime(datetime.now(UTC) + timedelta(seconds=15), usegmt=True)
    upstream.answers = [reply(429, retry_after=end), FINE]
    await posted(http, endpoint, upstream)
    (wait,) = waits
    assert 10 < wait <= 15.5


async def test_too_long_a_wait(http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float]) -> None:
    """A long wait is left to whoever asked; the error says how long it is."""
    upstream.answers = [reply(429, b'{"error": "Slow down."}', retry_after="20.5")]
    error = await failure(http, endpoint, upstream)
    assert isinstance(error, UpstreamRateLimited)
    assert error.message == "acme limits the rate (429). Try again in 21 s. It says: Slow down."
    assert (error.retry_after, len(upstream.requests), waits) == (20.5, 1, [])


async def test_too_long_together(http: Http, endpoint: Endpoint, upstream: Upstream, waits: list[float]) -> None:
    """Two waits count together."""
    upstream.answers = [reply(503, retry_after="12")]
    error = await failure(http, endpoint, upstream)
    assert error.message == "acme is in trouble (503). Try again in 12 s."
    assert (len(upstream.requests), len(waits)) == (2, 1)


async def test_cancelling_the_wait(endpoint: Endpoint, upstream: Upstream) -> None:
    """Who is cancelled while waiting goes at once, and nothing more is sent."""
    upstream.answers = [reply(503, retry_after="15")]
    http = Http()
    began = time.monotonic()
    with anyio.move_on_after(0.2) as scope:
        await posted(http, endpoint, upstream)
    assert (scope.cancelled_caught, len(upstream.requests)) == (True, 1)
    assert time.monotonic() - began < 5
    await http.aclose()


async def test_connection_is_used_again(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """What is sent again goes over the same connection."""
    upstream.answers = [reply(503, b"busy"), reply(503, b"busy"), FINE]
    await posted(http, endpoint, upstream)
    assert upstream.connections == 1


async def test_log(http: Http, endpoint: Endpoint, upstream: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    """Each wait is told to the log, without what was sent or said."""
    caplog.set_level(logging.INFO, "agentbench")
    upstream.answers = [reply(503, b'{"error": "k3y"}'), FINE]
    await posted(http, endpoint, upstream)
    (record,) = [each for each in caplog.records if each.name.startswith("agentbench")]
    told = record.getMessage()
    assert (record.levelname, told[: told.index(" in ")]) == ("INFO", "acme answered 503: trying again")


# -- lists of models --------------------------------------------------------------------------------------------------


async def test_list(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """A list is asked for once more."""
    upstream.answers = [reply(503), reply(body=b"[]")]
    there = msgspec.structs.replace(endpoint, base_url=upstream.url)
    assert await http.get_json("/models", there) == []
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(("answer", "requests"), [(reply(503), 2), (reply(429, retry_after="6"), 1), (drop, 1)])
async def test_no_list(http: Http, endpoint: Endpoint, upstream: Upstream, answer: Any, requests: int) -> None:
    """Nobody waits for a list for long."""
    upstream.answers = [answer]
    there = msgspec.structs.replace(endpoint, base_url=upstream.url)
    with pytest.raises(UpstreamError):
        await http.get_json("/models", there)
    assert len(upstream.requests) == requests


# -- the rule itself --------------------------------------------------------------------------------------------------


async def test_other_errors() -> None:
    """What isn't said to be passing is raised as it is."""

    async def attempt() -> None:
        raise UpstreamRefused("No.")

    with pytest.raises(UpstreamRefused, match="No"):
        await retried(attempt, tries=3, patience=1, sleep=anyio.sleep)


async def test_waits_grow() -> None:
    """The waits may be ever longer, but not beyond eight seconds."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def attempt() -> None:
        raise Passing(UpstreamUnavailable("Gone."), "gone")

    with pytest.raises(UpstreamUnavailable):
        await retried(attempt, tries=200, patience=0, sleep=sleep)
    assert all(wait <= min(8, 0.5 * 2**number) for number, wait in enumerate(waits))
    assert 7 < max(waits) <= 8


async def test_closing_early(http: Http, endpoint: Endpoint, upstream: Upstream) -> None:
    """Leaving an answer that came at the second try closes its connection."""
    upstream.answers = [reply(503), stream(EVENT, then=hang)]
    async with aclosing(chunks_of(http, endpoint, upstream)) as chunks:
        assert await anext(chunks) == EVENT
    with anyio.fail_after(5):
        await upstream.client_left.wait()
