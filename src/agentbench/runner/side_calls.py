"""Calls of a model beside an answer, such as for its title: each a run of its own, so that it is counted and paid."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio

from agentbench.errors import UpstreamError, UpstreamTimeout
from agentbench.runner.run import Run
from agentbench.runner.turn import Turn
from agentbench.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.config.endpoint import Catalog
    from agentbench.protocol import CreateResponse
    from agentbench.providers import Providers
    from agentbench.runner.purse import Purse
    from agentbench.runner.target import Target
    from agentbench.storage.database import Database
    from agentbench.telemetry import Watch

__all__ = ["SideCalls"]


class SideCalls:
    """Asks in the name of a turn, with a `context` of its own in the ledger and so many `seconds` for an answer.

    `catalog` returns the catalog as it is now.
    """

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        providers: Providers,
        database: Database,
        *,
        purse: Purse | None,
        telemetry: Telemetry | None = None,
        context: str,
        seconds: float,
    ) -> None:
        self._catalog, self._providers, self._database = catalog, providers, database
        self._purse, self._context, self._seconds = purse, context, seconds
        self._telemetry = telemetry or Telemetry({})

    async def ask(self, turn: Turn, target: Target, request: CreateResponse) -> str:
        """Return the answer's text; raises `UpstreamTimeout`, and `UpstreamError` for an answer that failed."""
        asked = Turn(
            request=request,
            principal=turn.principal,
            conversation=turn.conversation,
            cell=turn.cell,
            context=self._context,
            past=(),
            budgets=turn.budgets,
        )
        catalog = self._catalog()
        run = Run(
            asked,
            target,
            self._providers.of(target.endpoint),
            self._database,
            purse=self._purse if catalog.balance.enabled else None,
            ledger=catalog.keeps_ledger,
            watch=self._watch(asked, target),
        )
        with anyio.move_on_after(self._seconds) as limit:
            async with aclosing(run.events()) as batches:
                async for _ in batches:
                    pass
        if limit.cancelled_caught:
            raise UpstreamTimeout(f"{target.name} took more than {self._seconds:g} seconds.")
        if run.response.error is not None:
            raise UpstreamError(run.response.error.message)
        return run.response.output_text

    def _watch(self, asked: Turn, target: Target) -> Watch:
        return self._telemetry.watch(
            target.endpoint, target.model, conversation=asked.conversation, context=self._context, beside=True
        )
