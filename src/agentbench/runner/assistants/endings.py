"""How runs, steps and messages end: their states, times, reasons and errors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import AgentbenchError
from agentbench.protocol.assistants.objects import LastError, Reason

if TYPE_CHECKING:
    from agentbench.protocol.assistants.objects import RunStatus, RunStep, ThreadMessage
    from agentbench.storage.runs import StoredRun

__all__ = ["closed_message", "closed_step", "coded_error", "cut_reason", "ended", "error_of", "message_reason"]

_LIMITED = frozenset({"insufficient_balance", "budget_exceeded", "payment_required", "rate_limit_exceeded"})
_WRONG = frozenset({"context_length_exceeded", "invalid_request", "not_found", "unreadable_file", "upstream_rejected"})
_STAMPS = {"cancelled": "cancelled_at", "failed": "failed_at", "completed": "completed_at"}
_STEP_STAMPS = _STAMPS | {"expired": "expired_at"}
_REASONS = {
    "cancelled": "run_cancelled",
    "expired": "run_expired",
    "failed": "run_failed",
    "max_completion_tokens": "max_tokens",
    "content_filter": "content_filter",
}


def ended(
    stored: StoredRun, status: RunStatus, *, error: LastError | None = None, reason: str | None = None
) -> StoredRun:
    """Return a run in the state that it stays in."""
    changes: dict[str, object] = {
        "status": status,
        "required_action": None,
        "usage": stored.used,
        "last_error": error,
        "incomplete_details": None if reason is None else Reason(reason=reason),
    }
    if status != "expired":
        changes["expires_at"] = None
    if status in _STAMPS:
        changes[_STAMPS[status]] = int(time.time())
    return msgspec.structs.replace(stored, run=msgspec.structs.replace(stored.run, **changes))


def closed_step(step: RunStep, status: str, error: LastError | None = None) -> RunStep:
    """Return a step as it is once the run has ended so; of an incomplete run, what was said counts as done."""
    if status in ("incomplete", "completed"):
        status = "completed" if step.type == "message_creation" else "cancelled"
    changes = {"status": status, _STEP_STAMPS[status]: int(time.time()), "last_error": error}
    return msgspec.structs.replace(step, **changes)


def closed_message(message: ThreadMessage, status: str) -> ThreadMessage:
    """Return a message that nobody goes on writing."""
    reason = Reason(reason=message_reason(status, None))
    return msgspec.structs.replace(
        message, status="incomplete", incomplete_at=int(time.time()), incomplete_details=reason
    )


def message_reason(status: str, cut: str | None) -> str:
    """Return why a message is incomplete, from how its run ended and why that was cut."""
    return _REASONS.get(cut or status, "run_failed" if cut is None else "max_tokens")


def cut_reason(reason: str) -> str:
    """Return why a run is incomplete, from why its response is."""
    return "max_completion_tokens" if reason == "max_output_tokens" else reason


def error_of(error: Exception) -> LastError:
    """Return an error as runs tell it."""
    if isinstance(error, AgentbenchError):
        return coded_error(error.code, error.message)
    return coded_error("server_error", f"agentbench itself failed ({type(error).__name__}). Its log says more.")


def coded_error(code: str, message: str) -> LastError:
    """Return an error of one of our codes as runs tell it."""
    told = "rate_limit_exceeded" if code in _LIMITED else "invalid_prompt" if code in _WRONG else "server_error"
    return LastError(code=told, message=message)
