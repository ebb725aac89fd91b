"""Calls that embed or rerank: so many at a time, again after trouble that may pass, paid and counted."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

from anyio import CancelScope
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from agentbench.errors import (
    AgentbenchError,
    ContextTooLong,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentbench.protocol.response import Usage
from agentbench.runner.ledger import Ledger
from agentbench.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agentbench.config.endpoint import Catalog
    from agentbench.runner.purse import Purse
    from agentbench.runner.target import Target
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database

__all__ = ["EmbeddingCalls"]

_log = logging.getLogger(__name__)
_PASSING = (UpstreamRateLimited, UpstreamTimeout, UpstreamUnavailable)
_jitter = wait_exponential_jitter(initial=1, max=15, jitter=1)
"""Seconds: 1, 2, 4 … 15, and up to one more each, so that those who failed together don't come together."""


class _Answer(Protocol):
    @property
    def input_tokens(self) -> int | None: ...


A = TypeVar("A", bound=_Answer)


class EmbeddingCalls:
    """Makes the calls, each with its row in the ledger; `sleep` waits before one is made again."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        database: Database,
        *,
        purse: Purse,
        sleep: Callable[[float], Awaitable[Any]],
        telemetry: Telemetry | None = None,
    ) -> None:
        self._catalog = catalog
        self._database = database
        self._purse = purse
        self._sleep = sleep
        self._telemetry = telemetry or Telemetry({})
        self._places: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], asyncio.Semaphore]]
        self._places = WeakKeyDictionary()

    async def make(self, turn: Turn, target: Target, ask: Callable[[], Awaitable[A]], *, patience: float) -> A:
        """Return what `ask` returns, asking again through trouble of up to `patience` seconds.

        `turn` holds a request that stands for the real one, to reckon with. Raises what the last try raised, and
        `BudgetExceeded` or `InsufficientBalance` where nobody may pay for the call.
        """
        catalog = self._catalog()
        purse = self._purse if catalog.balance.enabled else None
        ledger = Ledger(turn, target, self._database, purse=purse, keeps_rows=catalog.keeps_ledger)
        ended: dict[str, object] = {"status": "incomplete"}
        async with self._place(target.endpoint.name, catalog.retrieval.concurrency):
            try:
                await ledger.pay(turn.request)
                watch = self._telemetry.watch(target.endpoint, target.model, context=turn.context)
                answer = await watch.embedding(self._answer(target, ask, patience))
                _note(ledger, turn, answer)
                ended = {"status": "completed"}
            except AgentbenchError as error:
                ended = {"status": "failed", "error_type": error.code}
                raise
            finally:
                with CancelScope(shield=True):
                    await ledger.record(await ledger.close((), **ended))
        return answer

    def _place(self, endpoint: str, most: int) -> asyncio.Semaphore:
        here = self._places.setdefault(asyncio.get_running_loop(), {})
        return here.setdefault((endpoint, most), asyncio.Semaphore(most))

    async def _answer(self, target: Target, ask: Callable[[], Awaitable[A]], patience: float) -> A:
        def is_over(state: RetryCallState) -> bool:
            spent = max(state.idle_for, state.seconds_since_start or 0)
            return spent + state.upcoming_sleep > patience

        retrying = AsyncRetrying(
            sleep=self._sleep,
            stop=is_over,
            wait=_seconds,
            retry=retry_if_exception_type(_PASSING),
            before_sleep=_tell,
            reraise=True,
        )
        try:
            return await retrying(ask)
        except ContextTooLong:
            message = f"{target.name} can't take a text as long as one of these. Split it: retrieval.passageSize."
            raise UpstreamRejected(message, endpoint=target.endpoint.name) from None


def _note(ledger: Ledger, turn: Turn, answer: _Answer) -> None:
    call = ledger.call
    call.request, call.is_whole = turn.request, True
    call.told = None if answer.input_tokens is None else Usage.of(answer.input_tokens, 0)


def _seconds(state: RetryCallState) -> float:
    """Never come back before the upstream asks to, nor all at the same moment."""
    asked = getattr(_error(state), "retry_after", None)
    return (asked or 0) + _jitter(state)


def _tell(state: RetryCallState) -> None:
    _log.info("%s Trying again in %.1f s.", _error(state), state.upcoming_sleep)


def _error(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()
