"""Error statuses of upstreams as our errors: what happened, then what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from agentbench.errors import (
    AgentbenchError,
    ContextTooLong,
    UpstreamError,
    UpstreamNotFound,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentbench.providers.http_status import may_pass, seconds_to_wait, status_error

if TYPE_CHECKING:
    from agentbench.config import Endpoint

URL = "http://127.0.0.1:9/v1"
LLAMA_CPP_CONTEXT = (
    b'{"error":{"code":400,"message":"request (2031 tokens) exceeds the available context size (1024 tokens), try'
    b' increasing it","type":"exceed_context_size_error","n_prompt_tokens":2031,"n_ctx":1024}}'
)


def error(endpoint: Endpoint, status: int, body: object = b"", wait: float | None = None) -> AgentbenchError:
    """Return the error for a status and a body, which is bytes or becomes JSON."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return status_error(status, raw, wait, endpoint)


def openai(message: str, **more: object) -> dict[str, object]:
    """Return an error body as OpenAI writes it."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None} | more}


def google(*details: dict[str, object]) -> dict[str, object]:
    """Return an error body as Google writes it."""
    return {"error": {"code": 429, "message": "No.", "status": "RESOURCE_EXHAUSTED", "details": details}}


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, UpstreamRejected, "acme rejected the request (400). It says: Hm."),
        (401, UpstreamRefused, "acme refused the key (401). Check ACME_API_KEY. It says: Hm."),
        (
            402,
            UpstreamRefused,
            "acme says that the account has no credit left (402). Check its plan and billing. It says: Hm.",
        ),
        (403, UpstreamRefused, "acme refused the key (403). Check ACME_API_KEY. It says: Hm."),
        (
            404,
            UpstreamNotFound,
            f"acme doesn't know this address or model (404). Check model and baseURL: {URL}. It says: Hm.",
        ),
        (408, UpstreamTimeout, "acme took too long (408). Try again. It says: Hm."),
        (422, UpstreamRejected, "acme rejected the request (422). It says: Hm."),
        (424, UpstreamError, "acme's model failed (424). Try again, or take another model. It says: Hm."),
        (429, UpstreamRateLimited, "acme limits the rate (429). Try again later. It says: Hm."),
        (500, UpstreamUnavailable, "acme is in trouble (500). Try again later. It says: Hm."),
        (529, UpstreamUnavailable, "acme is in trouble (529). Try again later. It says: Hm."),
    ],
)
def test_statuses(endpoint: Endpoint, status: int, kind: type[AgentbenchError], message: str) -> None:
    """Each status has its error, which names the endpoint and says what to do."""
    made = error(endpoint, status, openai("Hm."))
    assert (type(made), made.message) == (kind, message)


def test_where_the_key_comes_from(endpoint: Endpoint) -> None:
    """A refused key is looked for where it was written."""
    in_a_file = msgspec.structs.replace(endpoint, origin="agentbench.yaml:7")
    assert error(in_a_file, 401).message == "acme refused the key (401). Check apiKey (agentbench.yaml:7)."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (openai("No."), "No."),
        ({"error": "No."}, "No."),
        ({"message": "No."}, "No."),
        ({"detail": "No."}, "No."),
        ({"detail": [{"loc": ["body", "n"], "msg": "No.", "type": "x"}]}, "No."),
        ({"object": "error", "message": {"detail": [{"msg": "No."}]}, "code": None}, "No."),
        ([{"error": {"code": 400, "message": "No.", "status": "INVALID_ARGUMENT"}}], "No."),
        (b"No.", "No."),
        (b"", ""),
        (b"<html><body>Bad gateway</body></html>", ""),
        (b"  <!DOCTYPE html>\n<title>Oops</title>", ""),
        ([], ""),
        (3, ""),
        ({"error": None, "detail": 3}, ""),
    ],
)
def test_what_it_says(endpoint: Endpoint, body: object, said: str) -> None:
    """The message is found whatever its shape; markup is never shown."""
    tail = f" It says: {said}" if said else ""
    assert error(endpoint, 400, body).message == f"acme rejected the request (400).{tail}"


def test_long_words(endpoint: Endpoint) -> None:
    """A long message is cut."""
    assert len(error(endpoint, 400, openai("long " * 1000)).message) < 360


@pytest.mark.parametrize(
    "body",
    [
        openai("Too many tokens.", code="context_length_exceeded"),
        openai("This model's maximum context length is 4096 tokens. However, you requested 5000."),
        LLAMA_CPP_CONTEXT,
    ],
    ids=["OpenAI", "vLLM", "llama.cpp"],
)
def test_context_too_long(endpoint: Endpoint, body: object) -> None:
    """A conversation that no longer fits is told apart from other rejections."""
    made = error(endpoint, 400, body)
    assert (type(made), made.status) == (ContextTooLong, 400)
    assert made.message.startswith("The conversation is too long for the model. Start a new one. It says: ")


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (429, UpstreamRateLimited, "acme limits the rate (429). Try again in 2 s."),
        (503, UpstreamUnavailable, "acme is in trouble (503). Try again in 2 s."),
    ],
)
def test_wait(endpoint: Endpoint, status: int, kind: type[AgentbenchError], message: str) -> None:
    """A wait is shown in whole seconds, rounded up."""
    made = error(endpoint, status, wait=1.2)
    assert (type(made), made.message) == (kind, message)


@pytest.mark.parametrize("status", [429, 503])
def test_wait_is_kept(endpoint: Endpoint, status: int) -> None:
    """The error carries the exact wait."""
    made = error(endpoint, status, wait=1.2)
    assert isinstance(made, UpstreamError)
    assert made.retry_after == 1.2


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active"])
def test_no_credit(endpoint: Endpoint, code: str) -> None:
    """An account without credit is told apart from too many requests, and doesn't get better by waiting."""
    made = error(endpoint, 429, openai("You exceeded your current quota.", type=code, code=code))
    assert (type(made), may_pass(made, 429, {})) == (UpstreamRefused, False)
    assert made.message == (
        "acme says that the account has no credit left (429). Check its plan and billing. "
        "It says: You exceeded your current quota."
    )


@pytest.mark.parametrize(
    "body",
    [
        openai("The response was filtered. https://go.example.org", code="content_filter"),
        openai("Filtered.", innererror={"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}),
    ],
)
def test_content_filter(endpoint: Endpoint, body: object) -> None:
    """A prompt that a filter stopped is told in plain words."""
    made = error(endpoint, 400, body)
    assert type(made) is UpstreamRejected
    assert made.message == "acme's content filter stopped the prompt. Change its words."


def test_odd_codes(endpoint: Endpoint) -> None:
    """Codes that aren't text mean nothing."""
    made = error(endpoint, 400, openai("No.", code=["content_filter"], type={}, innererror="content_filter"))
    assert made.message == "acme rejected the request (400). It says: No."


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("20", 20.0), ("0.5", 0.5), ("-3", 0.0), ("", None), ("soon", None), ("nan", None), ("inf", None)],
)
def test_seconds_to_wait(retry_after: str, seconds: float | None) -> None:
    """The wait comes in seconds; nonsense is no wait."""
    assert seconds_to_wait({"retry-after": retry_after}) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "1"}, 1.0),
    ],
)
def test_milliseconds_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    """Milliseconds say it more exactly."""
    assert seconds_to_wait(headers) == seconds


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({}, google({"@type": "ErrorInfo"}, {"@type": "RetryInfo", "retryDelay": "7s"}), 7.0),
        ({}, [google({"retryDelay": "0.5s"})], 0.5),
        ({"retry-after": "1"}, google({"retryDelay": "7s"}), 1.0),
        ({}, google({"retryDelay": "soon"}), None),
        ({}, google(), None),
        ({}, {"error": {"details": "none"}}, None),
        ({}, {"error": "No."}, None),
        ({}, [], None),
    ],
)
def test_wait_in_the_body(headers: dict[str, str], body: object, seconds: float | None) -> None:
    """Google tells the wait in the body, which may be a list of one; a header goes before it."""
    assert seconds_to_wait(headers, msgspec.json.encode(body)) == seconds


@pytest.mark.parametrize("body", [b"", b"Busy.", b'{"error": "\xff"}'])
def test_no_wait_in_the_body(body: bytes) -> None:
    """A body that isn't JSON tells no wait."""
    assert seconds_to_wait({}, body) is None


@pytest.mark.parametrize(("ahead", "low", "high"), [(60, 50, 60), (-60, 0, 0)])
def test_date_to_wait_for(ahead: int, low: int, high: int) -> None:
    """The wait may come as a date; one in the past means now."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    seconds = seconds_to_wait({"retry-after": date})
    assert seconds is not None
    assert low <= seconds <= high


@pytest.mark.parametrize(
    ("status", "passes"),
    [
        *(
            (400, False),
            (401, False),
            (402, False),
            (404, False),
            (408, False),
            (424, False),
            (501, False),
            (505, False),
            (511, False),
        ),
        *((429, True), (500, True), (502, True), (503, True), (504, True), (529, True)),
    ],
)
def test_what_may_pass(endpoint: Endpoint, status: int, passes: bool) -> None:  # noqa: FBT001 - a column of the table
    """Limits and troubles may pass, but not what the server can't do at all, nor what the request asks."""
    made = error(endpoint, status)
    assert may_pass(made, status, {}) == passes
    assert may_pass(made, status, {"x-should-retry": "true"})
    assert not may_pass(made, status, {"x-should-retry": "false"})


def test_too_long_does_not_pass(endpoint: Endpoint) -> None:
    """Servers that call a too long conversation a trouble of their own will do so again."""
    made = error(endpoint, 500, openai("It exceeds the context size."))
    assert not may_pass(made, 500, {})


def test_key_is_masked(endpoint: Endpoint) -> None:
    """An upstream that echoes the key doesn't make us show it, not even a piece at the cut."""
    assert endpoint.api_key is not None
    key = endpoint.api_key.reveal()
    for padding in range(270, 310):
        made = error(endpoint, 401, openai("x" * padding + key))
        assert key[:6] not in made.message
