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
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamUnavailable,
)
from agentbench.providers.mask import shown

if TYPE_CHECKING:
    from agentbench.config.endpoint import Endpoint

__all__ = ["key_source", "status_error"]

_CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error"}
_CONTEXT_WORDS = ("context length", "context size", "context window")


def status_error(status: int, body: bytes, retry_after: str | None, endpoint: Endpoint) -> AgentbenchError:
    """Return the error that an upstream's status and body mean."""
    said, codes = _what_it_says(body)
    said = shown(said, endpoint)
    tail = f" It says: {said}" if said else ""
    name = endpoint.name
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return UpstreamRefused(f"{name} refused the key ({status}). Check {key_source(endpoint)}.{tail}", endpoint=name)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        seconds = _seconds(retry_after)
        when = f" Try again in {math.ceil(seconds)} s." if seconds is not None else " Try again later."
        return UpstreamRateLimited(f"{name} limits the rate (429).{when}{tail}", endpoint=name, retry_after=seconds)
    if codes & _CONTEXT_CODES or any(words in said for words in _CONTEXT_WORDS):
        return ContextTooLong(f"The conversation is too long for the model. Start a new one.{tail}")
    if status == HTTPStatus.NOT_FOUND:
        return UpstreamRejected(
            f"{name} doesn't know this address or model (404). Check model and baseURL: {endpoint.base_url}.{tail}",
            endpoint=name,
        )
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return UpstreamRejected(f"{name} rejected the request ({status}).{tail}", endpoint=name)
    return UpstreamUnavailable(f"{name} is in trouble ({status}). Try again later.{tail}", endpoint=name)


def key_source(endpoint: Endpoint) -> str:
    """Return where the endpoint's key was written, for a message."""
    prefix = "environment variable "
    return endpoint.origin.removeprefix(prefix) if endpoint.origin.startswith(prefix) else f"apiKey ({endpoint.origin})"


def _what_it_says(body: bytes) -> tuple[str, set[str]]:
    """Return an error body's message and codes, whatever shape it has; markup is not shown."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body.decode(errors="replace").strip()
        return ("" if text.startswith("<") else text), set()
    return _message(decoded), _codes(decoded)


def _message(told: Any) -> str:
    """Return the innermost message: servers wrap it in objects and lists, each in its own way."""
    if isinstance(told, list) and told:
        return _message(told[0])
    if isinstance(told, dict):
        return next((_message(told[key]) for key in ("error", "message", "detail", "msg") if told.get(key)), "")
    return told if isinstance(told, str) else ""


def _codes(told: Any) -> set[str]:
    inner = told.get("error") if isinstance(told, dict) else None
    return {str(inner.get(key)) for key in ("code", "type")} if isinstance(inner, dict) else set()


def _seconds(retry_after: str | None) -> float | None:
    """Return how long to wait, from seconds or an HTTP date."""
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
