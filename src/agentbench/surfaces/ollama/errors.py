"""Errors as both sides read them: Ollama's clients look for `error`, Open WebUI's for `detail`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from agentbench.surfaces.base import amounts_of, json_response, when_to_return

if TYPE_CHECKING:
    from starlette.responses import Response as HTTPResponse

    from agentbench.errors import AgentbenchError

__all__ = ["error_line", "ollama_error", "refused", "said"]

_LONGEST = 2000


def ollama_error(error: AgentbenchError) -> HTTPResponse:
    """Return an error in the shape of this API."""
    return json_response(_body(error.message) | amounts_of(error), error.status, when_to_return(error))


def error_line(error: AgentbenchError) -> bytes:
    """Return the line that ends a stream in which something went wrong."""
    return msgspec.json.encode(_body(error.message)) + b"\n"


def refused(status: int, words: str, *, as_openai: bool) -> HTTPResponse:
    """Return what an upstream refuses, with its status and words; on the `/v1` routes as their clients expect it."""
    if not as_openai:
        return json_response(_body(words), status)
    inner = {"message": words, "type": "upstream_rejected", "param": None, "code": None}
    return json_response({"error": inner, "detail": words}, status)


def said(body: bytes) -> str:
    """Return what an Ollama says in the body of an error."""
    found: object = None
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        found = msgspec.json.decode(body)
    if isinstance(found, dict):
        found = found.get("error", found)
        found = found.get("message", found) if isinstance(found, dict) else found
    return found if isinstance(found, str) else body.decode(errors="replace")[:_LONGEST]


def _body(message: str) -> dict[str, str]:
    return {"error": message, "detail": message}
