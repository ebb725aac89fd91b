"""What came of a run, as a trial."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import AgentbenchError
from agentbench.protocol.trial import Trial
from agentbench.runner.accounting import status_of

if TYPE_CHECKING:
    from agentbench.protocol.response import ResponseError
    from agentbench.runner.run import Run

__all__ = ["trial_of"]

_log = logging.getLogger(__name__)
_BUDGET = "budget_exceeded"


def trial_of(run: Run, error: Exception | None = None, /, *, wants_json: bool = False, **known: Any) -> Trial:
    """Return what came of a run that has ended, in `error` if it raised one; fields that are `known` are taken over.

    `error_type` is the error's code, as in the ledger, or why an answer was cut short. With `wants_json`, an answer
    that is no JSON has failed.
    """
    row, response = run.row, run.response
    agent = None if run.target.agent is None else run.target.agent.id
    trial = Trial(
        **{"agent": agent, "prompt": "", "place": 0} | known,
        model=run.target.name,
        status=status_of(response) if error is None else "failed",
        answer=response.output_text or None,
        input_tokens=None if row is None else row.input_tokens,
        cached_tokens=None if row is None else row.cached_tokens,
        output_tokens=None if row is None else row.output_tokens,
        reasoning_tokens=None if row is None else row.reasoning_tokens,
        cost=None if row is None else row.cost,
        seconds=None if row is None else row.duration,
        first_token=None if row is None else row.time_to_first_token,
        response_id=response.id if error is None else None,
    )
    failure = error or response.error
    if failure is not None:
        return failed(trial, failure)
    if (cut := response.incomplete_details) is not None:
        told = f"The answer was cut short: {cut.reason}."
        trial = msgspec.structs.replace(trial, error=told, error_type=cut.reason)
    return _parsed(trial) if wants_json else trial


def failed(trial: Trial, error: Exception | ResponseError) -> Trial:
    """Return a trial that ended in an error; one that a budget didn't allow was skipped."""
    if isinstance(error, Exception) and not isinstance(error, AgentbenchError):
        _log.error("a trial broke off", exc_info=error)
        code, message = "server_error", f"agentbench itself failed ({type(error).__name__}). Its log says more."
    else:
        code, message = error.code, error.message
    status = "skipped" if code == _BUDGET else "failed"
    return msgspec.structs.replace(trial, status=status, error=message, error_type=code)


def _parsed(trial: Trial) -> Trial:
    """Read the answer as JSON."""
    if trial.answer is None:
        return trial
    try:
        return msgspec.structs.replace(trial, parsed=msgspec.json.decode(trial.answer))
    except msgspec.DecodeError:
        if trial.status == "incomplete":
            return trial
        message = "The answer is not the JSON that was asked for."
        return msgspec.structs.replace(trial, status="failed", error=message, error_type="invalid_answer")
