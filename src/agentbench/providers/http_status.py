"""What an upstream's error status and body mean, as one of our errors."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

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
from agentbench.providers.mask import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.config.endpoint import Endpoint

__all__ = ["key_source", "may_pass", "seconds_to_wait", "status_error"]

_CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error"}
_CONTEXT_WORDS = (
    "Input Tokens Exceeded",
    "Input is too long",
    "context length",
    "context limit",
    "context size",
    "context window",
    "maximum number of tokens",
    "prompt is too long",
)
_KEY_WORDS = ("API key not valid", "API key expired")  # Google says so with 400
_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_FILTER_CODES = {"content_filter", "ResponsibleAIPolicyViolation"}

_FINAL = {
    HTTPStatus.NOT_IMPLEMENTED,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED,
    HTTPStatus.VARIANT_ALSO_NEGOTIATES,
    HTTPStatus.LOOP_DETECTED,
    HTTPStatus.NOT_EXTENDED,
    HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED,
}
"""Troubles of a server that don't pass by themselves."""
_NO_STATUS = 600


def status_error(status: int, body: bytes, wait: float | None, endpoint: Endpoint) -> AgentbenchError:
    """Return the error that an upstream's status and body mean; `wait` is how long it asks to wait, in seconds."""
    said, codes = _what_it_says(body)
    said = shown(said, endpoint)
    tail, name = f" It says: {said}" if said else "", endpoint.name
    if status == HTTPStatus.PAYMENT_REQUIRED or codes & _NO_CREDIT:
        return UpstreamRefused(
            f"{name} says that the account has no credit left ({status}). Check its plan and billing.{tail}",
            endpoint=name,
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) or any(words in said for words in _KEY_WORDS):
        return UpstreamRefused(f"{name} refused the key ({status}). Check {key_source(endpoint)}.{tail}", endpoint=name)
    if codes & _FILTER_CODES:
        return UpstreamRejected(f"{name}'s content filter stopped the prompt. Change its words.", endpoint=name)
    is_too_long = codes & _CONTEXT_CODES or any(words in said for words in _CONTEXT_WORDS)
    if is_too_long and status != HTTPStatus.TOO_MANY_REQUESTS:
        return ContextTooLong(f"The conversation is too long for the model. Start a new one.{tail}")
    return _by_status(status, tail, wait, endpoint)


def _by_status(status: int, tail: str, wait: float | None, endpoint: Endpoint) -> UpstreamError:
    name = endpoint.name
    when = "Try again later." if wait is None else f"Try again in {math.ceil(wait)} s."
    match status:
        case HTTPStatus.NOT_FOUND:
            check = f"Check model and baseURL: {endpoint.base_url}"
            return UpstreamNotFound(f"{name} doesn't know this address or model (404). {check}.{tail}", endpoint=name)
        case HTTPStatus.REQUEST_TIMEOUT:
            return UpstreamTimeout(f"{name} took too long (408). Try again.{tail}", endpoint=name)
        case HTTPStatus.FAILED_DEPENDENCY:  # so Bedrock calls a model that broke down
            return UpstreamError(f"{name}'s model failed (424). Try again, or take another model.{tail}", endpoint=name)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return UpstreamRateLimited(f"{name} limits the rate (429). {when}{tail}", endpoint=name, retry_after=wait)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return UpstreamRejected(f"{name} rejected the request ({status}).{tail}", endpoint=name)
    return UpstreamUnavailable(f"{name} is in trouble ({status}). {when}{tail}", endpoint=name, retry_after=wait)


def may_pass(error: AgentbenchError, status: int, headers: Mapping[str, str]) -> bool:
    """Return whether the same request may succeed a little later; where the upstream says so itself, it is right."""
    told = headers.get("x-should-retry", "").lower()
    if told in ("true", "false"):
        return told == "true"
    return isinstance(error, UpstreamRateLimited | UpstreamUnavailable) and status < _NO_STATUS and status not in _FINAL


def seconds_to_wait(headers: Mapping[str, str], body: bytes = b"") -> float | None:
    """Return how long an upstream asks to wait, in seconds; None if neither headers nor body say it."""
    milliseconds = _seconds(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    seconds = _seconds(headers.get("retry-after"))
    return _retry_delay(body) if seconds is None else seconds


def key_source(endpoint: Endpoint) -> str:
    """Return where the endpoint's key was written, for a message."""
    prefix = "environment variable "
    return endpoint.origin.removeprefix(prefix) if endpoint.origin.startswith(prefix) else f"apiKey ({endpoint.origin})"


def _what_it_says(body: bytes) -> tuple[str, set[str]]:
    """Return an error body's message and codes, whatever shape it has; markup is not shown."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body.decode(errors="replace").strip()
        return ("" if text.startswith("<") else text), set()
    return _message(decoded), _codes(decoded)


def _message(told: Any) -> str:
    """Return the innermost message: servers wrap it in objects and lists, each in its own way."""
    if isinstance(told, list) and told:
        return _message(told[0])
    if isinstance(told, dict):
        return next(
            (_message(told[key]) for key in ("error", "message", "Message", "detail", "msg") if told.get(key)), ""
        )
    return told if isinstance(told, str) else ""


def _codes(told: Any) -> set[str]:
    """Return an error's code and type, and the finer code that Azure puts within."""
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return set()
    finer = error.get("innererror")
    codes = (error.get("code"), error.get("type"), finer.get("code") if isinstance(finer, dict) else None)
    return {code for code in codes if isinstance(code, str)}


class _Detail(msgspec.Struct, rename="camel"):
    retry_delay: str | None = None


class _Status(msgspec.Struct):
    details: list[_Detail] = []


class _Refusal(msgspec.Struct):
    error: _Status


def _retry_delay(body: bytes) -> float | None:
    """Return the seconds to wait that Google's body tells, which may be a list of one."""
    try:
        told = msgspec.json.decode(body, type=_Refusal | list[_Refusal])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    refusals = told if isinstance(told, list) else [told]
    delays = [detail.retry_delay for refusal in refusals for detail in refusal.error.details if detail.retry_delay]
    return _seconds(delays[0].removesuffix("s")) if delays else None


def _seconds(retry_after: str | None) -> float | None:
    """Return a number that isn't negative, or the seconds until an HTTP date."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        return _seconds_until(retry_after)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
