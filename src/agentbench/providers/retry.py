"""When a request is sent again, and after how long. What counts as passing is for those who send to say."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_random_exponential

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentbench.errors import AgentbenchError

__all__ = ["Passing", "retried"]

T = TypeVar("T")

_log = logging.getLogger(__name__)
_jitter = wait_random_exponential(multiplier=0.5, max=8)
"""Seconds: anything up to 0.5, then up to 1, 2 … 8."""


class Passing(Exception):
    """What went wrong may be over soon: `error` is to be raised if not, `why` is for the log."""

    def __init__(self, error: AgentbenchError, why: str, *, wait: float | None = None) -> None:
        super().__init__(why)
        self.error = error
        self.why = why
        self.wait = wait
        """How long the upstream asks to wait, in seconds."""


async def retried(
    attempt: Callable[[], Awaitable[T]], *, tries: int, patience: float, sleep: Callable[[float], Awaitable[Any]]
) -> T:
    """Return what `attempt` returns, calling it up to `tries` times while it raises `Passing`.

    An upstream that asks for waits of more than `patience` seconds in all isn't waited for: its error is raised at
    once, as is any other.
    """
    try:
        return await attempt()  # which mostly goes well: tenacity costs as much as the request
    except Passing as passing:
        failed = [passing]

    async def again() -> T:
        if failed:
            raise failed.pop()
        return await attempt()

    try:
        return await _retrying(tries, patience, sleep)(again)
    except Passing as passing:
        raise passing.error from None


def _retrying(tries: int, patience: float, sleep: Callable[[float], Awaitable[Any]]) -> AsyncRetrying:
    def is_worth_it(state: RetryCallState) -> bool:
        error = _error(state)
        return isinstance(error, Passing) and (not error.wait or error.wait <= patience - state.idle_for)

    return AsyncRetrying(
        sleep=sleep,
        stop=stop_after_attempt(tries),
        wait=_seconds,
        retry=is_worth_it,
        before_sleep=_tell,
        reraise=True,
    )


def _seconds(state: RetryCallState) -> float:
    """Never come back before the upstream asks to, nor all at the same moment."""
    error = _error(state)
    asked = error.wait if isinstance(error, Passing) else None
    return (asked or 0) + _jitter(state)


def _tell(state: RetryCallState) -> None:
    if state.next_action is not None:
        _log.info("%s: trying again in %.1f s", _error(state), state.next_action.sleep)


def _error(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()
