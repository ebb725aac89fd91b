"""Errors as they are kept on a cassette, and raised again."""

from __future__ import annotations

import builtins

import httpx2

from agentbench import errors
from agentbench.providers.cassettes.exchange import Failure

__all__ = ["failure_of", "raised"]

_PLAIN = str | int | float | bool | None


def failure_of(error: BaseException) -> Failure:
    """Return what is kept of an error."""
    facts = vars(error) if isinstance(error, errors.AgentbenchError) else {}
    kept = {name: value for name, value in facts.items() if isinstance(value, _PLAIN) and name != "message"}
    return Failure(error=type(error).__name__, message=str(error), facts=kept)


def raised(failure: Failure) -> Exception:
    """Return the error that was kept; one of a class that isn't known here becomes an `UpstreamError`."""
    ours = getattr(errors, failure.error, None)
    if isinstance(ours, type) and issubclass(ours, errors.AgentbenchError):
        error = ours.__new__(ours)
        errors.AgentbenchError.__init__(error, failure.message)
        vars(error).update(failure.facts)
        return error
    for module in (httpx2, builtins):
        known = getattr(module, failure.error, None)
        if isinstance(known, type) and issubclass(known, httpx2.RequestError if module is httpx2 else Exception):
            return _made(known, failure.message)
    return errors.UpstreamError(failure.message)


def _made(kind: type[Exception], message: str) -> Exception:
    try:
        return kind(message)
    except TypeError:  # some want more than a message
        return errors.UpstreamError(message)
