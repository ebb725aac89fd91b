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
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamUnavailable,
)
from agentbench.providers.http_status import status_error

if TYPE_CHECKING:
    from agentbench.config import Endpoint

URL = "http://127.0.0.1:9/v1"
LLAMA_CPP_CONTEXT = (
    b'{"error":{"code":400,"message":"request (2031 tokens) exceeds the available context size (1024 tokens), try'
    b' increasing it","type":"exceed_context_size_error","n_prompt_tokens":2031,"n_ctx":1024}}'
)


def error(endpoint: Endpoint, status: int, body: object = b"", retry_after: str | None = None) -> AgentbenchError:
    """Return the error for a status and a body, which is bytes or becomes JSON."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return status_error(status, raw, retry_after, endpoint)


def openai(message: str, **more: object) -> dict[str, object]:
    """Return an error body as OpenAI writes it."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None} | more}


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, UpstreamRejected, "acme rejected the request (400). It says: Hm."),
        (401, UpstreamRefused, "acme refused the key (401). Check ACME_API_KEY. It says: Hm."),
        (402, UpstreamRejected, "acme rejected the request (402). It says: Hm."),
        (403, UpstreamRefused, "acme refused the key (403). Check ACME_API_KEY. It says: Hm."),
        (
            404,
            UpstreamRejected,
            f"acme doesn't know this address or model (404). Check model and baseURL: {URL}. It says: Hm.",
        ),
        (422, UpstreamRejected, "acme rejected the request (422). It says: Hm."),
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
    ("retry_after", "seconds"),
    [("20", 20.0), ("0.5", 0.5), ("-3", 0.0), (None, None), ("", None), ("soon", None), ("nan", None), ("inf", None)],
)
def test_retry_after(endpoint: Endpoint, retry_after: str | None, seconds: float | None) -> None:
    """The wait comes in seconds; nonsense is no wait."""
    made = error(endpoint, 429, retry_after=retry_after)
    assert isinstance(made, UpstreamRateLimited)
    assert made.retry_after == seconds


def test_retry_after_in_words(endpoint: Endpoint) -> None:
    """A wait is shown in whole seconds, rounded up."""
    assert error(endpoint, 429, retry_after="1.2").message == "acme limits the rate (429). Try again in 2 s."


@pytest.mark.parametrize(("ahead", "low", "high"), [(60, 50, 60), (-60, 0, 0)])
def test_retry_after_date(endpoint: Endpoint, ahead: int, low: int, high: int) -> None:
    """The wait may come as a date; one in the past means now."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    made = error(endpoint, 429, retry_after=date)
    assert isinstance(made, UpstreamRateLimited)
    assert made.retry_after is not None
    assert low <= made.retry_after <= high


def test_key_is_masked(endpoint: Endpoint) -> None:
    """An upstream that echoes the key doesn't make us show it, not even a piece at the cut."""
    assert endpoint.api_key is not None
    key = endpoint.api_key.reveal()
    for padding in range(270, 310):
        made = error(endpoint, 401, openai("x" * padding + key))
        assert key[:6] not in made.message
