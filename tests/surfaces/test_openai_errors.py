"""What goes wrong, as the openai SDK's own exceptions."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import openai
import pytest
from tests.runner.fakes import HANG, FakeProvider

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
    from collections.abc import Callable

    import httpx2

    from agentbench import Workbench

    Put = Callable[[FakeProvider], FakeProvider]
    Ask = Callable[..., Any]


@pytest.fixture(params=["chat", "responses"])
def ask(request: pytest.FixtureRequest, client: openai.OpenAI) -> Ask:
    """Give a function that asks through one surface or the other."""
    if request.param == "chat":
        create: Any = client.chat.completions.create
        return lambda text="Hi", **fields: create(messages=[{"role": "user", "content": text}], **fields)
    answer: Any = client.responses.create
    return lambda text="Hi", **fields: answer(input=text, **fields)


def inner(error: openai.APIStatusError) -> Any:
    """Return what the body says of an error."""
    return error.response.json()["error"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_model(ask: Ask, *, stream: bool) -> None:
    """404, with the nearest name; also where a stream was wanted."""
    with pytest.raises(openai.NotFoundError) as caught:
        ask(model="scripted/txt", stream=stream)
    assert inner(caught.value) == {
        "message": "There is no model 'scripted/txt'. Did you mean 'scripted/text'?",
        "type": "not_found_error",
        "param": "model",
        "code": "not_found",
    }


@pytest.mark.parametrize("fields", [{"temperature": 9}, {"tools": [{"type": "web_search"}]}, {"model": 5}])
def test_a_bad_request(ask: Ask, fields: dict[str, Any]) -> None:
    """400, with the part that is wrong."""
    with pytest.raises(openai.BadRequestError) as caught:
        ask(**({"model": "bot"} | fields))
    assert inner(caught.value)["type"] == "invalid_request_error"
    assert inner(caught.value)["param"].startswith(next(iter(fields)))


@pytest.mark.parametrize("path", ["chat/completions", "responses"])
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"messages": [{"role": "user", "content": "Hi"}], "input": "Hi"}', "`model` is missing"),
    ],
)
def test_a_bad_body(http: httpx2.Client, path: str, body: bytes, message: str) -> None:
    """What no SDK would send is refused in the same shape."""
    response = http.post(path, content=body)
    assert response.status_code == 400
    assert message in response.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (UpstreamRejected("No."), openai.BadRequestError, 400),
        (ContextTooLong("Too long."), openai.BadRequestError, 400),
        (UpstreamRateLimited("Slow down."), openai.RateLimitError, 429),
        (UpstreamRefused("A wrong key."), openai.InternalServerError, 502),
        (UpstreamGarbled("It sent HTML."), openai.InternalServerError, 502),
        (UpstreamUnavailable("Nobody there."), openai.InternalServerError, 503),
        (UpstreamTimeout("Too slow."), openai.InternalServerError, 504),
    ],
)
def test_an_upstream_error(
    ask: Ask, upstream: Put, error: Any, kind: type[openai.APIStatusError], status: int, *, stream: bool
) -> None:
    """Before the first event it is an HTTP status, also where a stream was wanted."""
    upstream(FakeProvider(refusals=(error,)))
    with pytest.raises(kind) as caught:
        ask(model="bot", stream=stream)
    assert caught.value.status_code == status
    assert inner(caught.value) == {"message": error.message, "type": error.type, "param": None, "code": error.code}


@pytest.mark.parametrize("kind", [UpstreamRateLimited, UpstreamUnavailable])
@pytest.mark.parametrize(("seconds", "header"), [(3, "3"), (0.5, "0.5"), (None, None)])
def test_retry_after(
    ask: Ask, upstream: Put, kind: type[UpstreamError], seconds: float | None, header: str | None
) -> None:
    """How long to wait is told as the upstream told it."""
    upstream(FakeProvider(refusals=(kind("Slow down.", retry_after=seconds),)))
    with pytest.raises(openai.APIStatusError) as caught:
        ask(model="bot")
    assert caught.value.response.headers.get("retry-after") == header


@pytest.mark.parametrize("stream", [False, True])
def test_a_bug(ask: Ask, upstream: Put, caplog: pytest.LogCaptureFixture, *, stream: bool) -> None:
    """500 in the same shape, without a word from the inside, which the log has."""
    upstream(FakeProvider(refusals=(KeyError("secret-of-the-inside"),)))
    with caplog.at_level(logging.ERROR, "agentbench"), pytest.raises(openai.InternalServerError) as caught:
        ask(model="bot", stream=stream)
    assert inner(caught.value)["message"] == "agentbench itself failed (KeyError). Its log says more."
    assert "secret-of-the-inside" in caplog.text


def test_a_chat_that_fails_midway(client: openai.OpenAI) -> None:
    """The pieces before come; then the SDK raises."""
    messages: Any = [{"role": "user", "content": "Hi"}]
    stream = client.chat.completions.create(model="scripted/failed", messages=messages, stream=True)
    texts: list[str] = []
    with pytest.raises(openai.APIError, match="The model caught fire") as caught:
        texts.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    assert "".join(texts) == "Well, I "
    assert caught.value.code == "upstream_error"


def test_a_response_that_the_sdk_sees_fail(client: openai.OpenAI) -> None:
    """The events before come; then the SDK raises."""
    stream = client.responses.create(model="scripted/failed", input="Hi", stream=True)
    kinds: list[str] = []
    with pytest.raises(openai.APIError, match="The model caught fire"):
        kinds.extend(event.type for event in stream)
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert "response.output_text.delta" in kinds


def test_a_response_that_fails_midway(http: httpx2.Client) -> None:
    """`error`, then `response.failed`, then the end of the stream."""
    body = {"model": "scripted/failed", "input": "Hi", "stream": True}
    lines = http.post("responses", json=body).text.split("\n")
    names = [line for line in lines if line.startswith("event: ")]
    assert names[-2:] == ["event: error", "event: response.failed"]
    assert [line for line in lines if line][-1] == "data: [DONE]"


def test_previous_not_found(client: openai.OpenAI) -> None:
    """An answer that nobody stored can't be followed."""
    first = client.responses.create(model="bot", input="Hi", store=False)
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="bot", input="Hi", previous_response_id=first.id)
    assert inner(caught.value)["code"] == "previous_response_not_found"


def test_the_sdks_timeout(ask: Ask, upstream: Put) -> None:
    """A caller's patience holds without a network too; the upstream is closed."""
    provider = upstream(FakeProvider(HANG))
    with pytest.raises(openai.APITimeoutError):
        ask(model="bot", timeout=0.1)
    assert (provider.opened, provider.closed) == (1, 1)


def test_the_ledger(bench: Workbench, ask: Ask, upstream: Put) -> None:
    """A call that failed has its row, whichever surface it came through."""
    before = len(bench.usage())
    upstream(FakeProvider(refusals=(UpstreamRefused("A wrong key."),)))
    with pytest.raises(openai.InternalServerError):
        ask(model="bot")
    rows = bench.usage()
    assert len(rows) == before + 1
    assert rows.iloc[-1][["agent", "status", "error_type"]].tolist() == ["bot", "failed", "upstream_refused"]
