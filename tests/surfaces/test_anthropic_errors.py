"""What goes wrong, as the anthropic SDK's own exceptions."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anthropic
import httpx2
import pytest
from tests.runner.fakes import HANG, FakeProvider

from agentbench.errors import (
    AgentbenchError,
    ContextTooLong,
    NotAuthenticated,
    UpstreamError,
    UpstreamGarbled,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentbench.surfaces.anthropic import anthropic_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench import Workbench

    Put = Callable[[FakeProvider], FakeProvider]

HI: Any = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(bench: Workbench) -> Iterator[anthropic.Anthropic]:
    """Give the SDK's client."""
    with bench.anthropic() as client:
        yield client


def ask(client: anthropic.Anthropic, **fields: Any) -> Any:
    """Ask the agent."""
    return client.messages.create(**{"model": "bot", "max_tokens": 99, "messages": HI} | fields)


def inner(error: anthropic.APIStatusError) -> Any:
    """Return what the body says of an error; its shape is checked."""
    body = error.response.json()
    assert body.keys() == {"type", "error", "request_id"}
    assert (body["type"], body["request_id"]) == ("error", error.response.headers["request-id"])
    return body["error"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model(client: anthropic.Anthropic, *, stream: bool) -> None:
    """404, with the nearest name; also where a stream was wanted."""
    with pytest.raises(anthropic.NotFoundError) as caught:
        ask(client, model="scripted/txt", stream=stream)
    message = "There is no model 'scripted/txt'. Did you mean 'scripted/text'?"
    assert inner(caught.value) == {"type": "not_found_error", "message": message}


def test_an_unknown_model_to_count_for(client: anthropic.Anthropic) -> None:
    """Counting for nobody is an error too."""
    with pytest.raises(anthropic.NotFoundError):
        client.messages.count_tokens(model="scripted/txt", messages=HI)


@pytest.mark.parametrize(
    "fields",
    [{"system": 5}, {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, {"max_tokens": 0}],
)
def test_a_bad_request(client: anthropic.Anthropic, fields: dict[str, Any]) -> None:
    """400, with the part that is wrong."""
    with pytest.raises(anthropic.BadRequestError) as caught:
        ask(client, **fields)
    assert inner(caught.value)["type"] == "invalid_request_error"
    assert inner(caught.value)["message"].startswith(next(iter(fields)))


@pytest.mark.parametrize("path", ["messages", "messages/count_tokens"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"model": "bot"}', b'{"messages": [], "max_tokens": 1}'])
def test_a_bad_body(http: httpx2.Client, path: str, body: bytes) -> None:
    """What no SDK would send is refused in the same shape."""
    response = http.post(path, content=body)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1", ""])
def test_a_bad_limit(http: httpx2.Client, limit: str) -> None:
    """A page has 1 to 1000 models."""
    response = http.get("models", params={"limit": limit}, headers={"anthropic-version": "2023-06-01"})
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "kind", "name"),
    [
        (UpstreamRejected("No."), anthropic.BadRequestError, "invalid_request_error"),
        (ContextTooLong("Too long."), anthropic.BadRequestError, "invalid_request_error"),
        (UpstreamRateLimited("Slow down."), anthropic.RateLimitError, "rate_limit_error"),
        (UpstreamRefused("A wrong key."), anthropic.InternalServerError, "api_error"),
        (UpstreamGarbled("It sent HTML."), anthropic.InternalServerError, "api_error"),
        (UpstreamUnavailable("Nobody there."), anthropic.InternalServerError, "overloaded_error"),
        (UpstreamTimeout("Too slow."), anthropic.InternalServerError, "timeout_error"),
    ],
)
def test_an_upstream_error(
    client: anthropic.Anthropic,
    upstream: Put,
    error: AgentbenchError,
    kind: type[anthropic.APIStatusError],
    name: str,
    *,
    stream: bool,
) -> None:
    """Before the first event it is an HTTP status, also where a stream was wanted."""
    upstream(FakeProvider(refusals=(error,)))
    with pytest.raises(kind) as caught:
        ask(client, stream=stream)
    assert caught.value.status_code == error.status
    assert inner(caught.value) == {"type": name, "message": error.message}


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (401, "authentication_error"),
        (403, "permission_error"),
        (413, "request_too_large"),
        (418, "api_error"),
        (529, "overloaded_error"),
    ],
)
def test_other_statuses(status: int, name: str) -> None:
    """Each status has its type, also those that nothing here raises yet."""
    error = NotAuthenticated("No.")
    error.status = status  # type: ignore[misc]  # stands for a class of its own
    response = anthropic_error(error)
    assert response.status_code == status
    assert f'"type":"{name}"'.encode() in bytes(response.body)


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["messages", "messages/count_tokens"])
async def test_nobody(bench: Workbench, path: str) -> None:
    """A caller without a credential is told so in the same shape."""
    outside = httpx2.ASGITransport(app=bench.app)
    async with httpx2.AsyncClient(transport=outside, base_url="http://gateway.invalid/api/agents/v1/") as http:
        response = await http.post(path, json={})
    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")


def test_a_large_body(http: httpx2.Client) -> None:
    """More than 20 MB is too much."""
    response = http.post("messages", content=b"x" * (20 * 1024 * 1024 + 1))
    assert (response.status_code, response.json()["error"]["type"]) == (413, "request_too_large")


@pytest.mark.parametrize("kind", [UpstreamRateLimited, UpstreamUnavailable])
@pytest.mark.parametrize(("seconds", "header"), [(3, "3"), (0.5, "0.5"), (None, None)])
def test_retry_after(
    client: anthropic.Anthropic, upstream: Put, kind: type[UpstreamError], seconds: float | None, header: str | None
) -> None:
    """How long to wait is told as the upstream told it."""
    upstream(FakeProvider(refusals=(kind("Slow down.", retry_after=seconds),)))
    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(client)
    assert caught.value.response.headers.get("retry-after") == header


@pytest.mark.parametrize("stream", [False, True])
def test_a_bug(client: anthropic.Anthropic, upstream: Put, caplog: pytest.LogCaptureFixture, *, stream: bool) -> None:
    """500 in the same shape, without a word from the inside, which the log has."""
    upstream(FakeProvider(refusals=(KeyError("secret-of-the-inside"),)))
    with caplog.at_level(logging.ERROR, "agentbench"), pytest.raises(anthropic.InternalServerError) as caught:
        ask(client, stream=stream)
    message = "agentbench itself failed (KeyError). Its log says more."
    assert inner(caught.value) == {"type": "api_error", "message": message}
    assert "secret-of-the-inside" in caplog.text


def test_a_message_that_fails_midway(client: anthropic.Anthropic) -> None:
    """The pieces before come; then the SDK raises."""
    stream = ask(client, model="scripted/failed", stream=True)
    kinds: list[str] = []
    with pytest.raises(anthropic.APIStatusError, match="The model caught fire"):
        kinds.extend(event.type for event in stream)
    assert kinds[0] == "message_start"
    assert kinds[-1] == "content_block_stop"


def test_the_sdks_timeout(client: anthropic.Anthropic, upstream: Put) -> None:
    """A caller's patience holds without a network too; the upstream is closed."""
    provider = upstream(FakeProvider(HANG))
    with pytest.raises(anthropic.APITimeoutError):
        ask(client, timeout=0.1)
    assert (provider.opened, provider.closed) == (1, 1)


def test_the_ledger(client: anthropic.Anthropic, bench: Workbench, upstream: Put) -> None:
    """A call that failed has its row."""
    before = len(bench.usage())
    upstream(FakeProvider(refusals=(UpstreamRefused("A wrong key."),)))
    with pytest.raises(anthropic.InternalServerError):
        ask(client)
    rows = bench.usage()
    assert len(rows) == before + 1
    assert rows.iloc[-1][["agent", "status", "error_type"]].tolist() == ["bot", "failed", "upstream_refused"]
