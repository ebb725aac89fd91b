"""One turn while it runs: from the merged request to the stored answer and its row in the ledger."""

from __future__ import annotations

import logging
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from anyio import CancelScope

from agentbench.errors import AgentbenchError, ContextTooLong
from agentbench.protocol import EventBuilder, draft
from agentbench.providers.base import play
from agentbench.runner.accounting import Meter, cost_of
from agentbench.runner.history import load_history
from agentbench.runner.merge import merged
from agentbench.storage import conversations, responses, usage
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy import Connection

    from agentbench.protocol import Event, Response
    from agentbench.providers.base import Provider
    from agentbench.runner.history import History
    from agentbench.runner.target import Target
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

__all__ = ["Run"]

_log = logging.getLogger(__name__)


class Run:
    """A turn that runs once. Iterate `events()`; then `response` and `row` tell how it went.

    However it ends (completed, failed, stopped, or its reader gone) the upstream is closed, the answer so far is
    stored and the ledger has its row.
    """

    def __init__(self, turn: Turn, target: Target, provider: Provider, database: Database) -> None:
        self.turn = turn
        self.target = target
        self.row: UsageRow | None = None
        self._provider = provider
        self._database = database
        self._meter = Meter()
        self._builder = EventBuilder(draft(turn.request, model=turn.request.model or target.name))
        self._parent: str | None = None
        self._started = False
        self._stopped = False
        self._scope: CancelScope | None = None

    @property
    def response(self) -> Response:
        """The response as it stands; final once `events()` has ended."""
        return self._builder.response

    def stop(self) -> None:
        """End the turn early but whole: the upstream is closed and the stream ends in `response.incomplete`.

        Call it on the event loop that runs `events()`.
        """
        self._stopped = True
        if self._scope is not None:
            self._scope.cancel()

    async def events(self) -> AsyncGenerator[list[Event]]:
        """Yield the events in batches. An error before the first event is raised, a later one is an event.

        Only a `StorageError` is raised at the end too: an answer that can't be kept has no last event.
        """
        try:
            try:
                async with aclosing(self._upstream()) as batches:
                    while (batch := await self._next(batches)) is not None:
                        if batch:
                            yield batch
            except Exception as error:
                if not self._started:
                    await self._record_failure(error)
                    raise
                self._note(error)
            last = self._end(interrupted=self._stopped)
            await self._keep()
            yield last
        finally:
            if self.row is None:  # the reader is gone: nobody sees another event, but it is stored and counted
                with CancelScope(shield=True):
                    self._end(interrupted=True)
                    await self._keep()

    async def _upstream(self) -> AsyncGenerator[list[Event]]:
        """Open the upstream, leaving out ever more of the past if it is too long and may be shortened."""
        history = await load_history(self._database, self.turn)
        self._parent = history.parent
        while True:
            try:
                async with aclosing(self._call(history)) as batches:
                    async for batch in batches:
                        yield batch
            except ContextTooLong:
                if self.turn.request.truncation != "auto" or not history.turns or self._started:
                    raise
                history = history.shortened()
            else:
                return

    async def _call(self, history: History) -> AsyncGenerator[list[Event]]:
        request = merged(self.turn.request, self.target, history)
        async with aclosing(play(self._provider, request, self.target.endpoint, self._builder)) as batches:
            async for batch in batches:
                if not self._started:
                    self._started = True
                    yield self._builder.start()
                self._meter.watch(batch)
                yield batch

    async def _next(self, batches: AsyncGenerator[list[Event]]) -> list[Event] | None:
        """Return the next batch; None at the end, or at once when `stop` is called."""
        with CancelScope() as self._scope:
            if self._stopped:
                return None
            return await anext(batches, None)
        return None

    def _end(self, *, interrupted: bool) -> list[Event]:
        first = [] if self._started else self._builder.start()
        if interrupted and self._builder.outcome is None:
            self._builder.cut("interrupted")
        return first + self._builder.finish()

    def _note(self, error: Exception) -> None:
        """Turn an error after the first event into the end of the stream."""
        if isinstance(error, AgentbenchError):
            self._builder.fail(error.message, code=error.code, kind=error.type)
        else:
            _log.exception("a turn broke off", exc_info=error)
            self._builder.fail(f"agentbench itself failed ({type(error).__name__}). Its log says more.")

    async def _record_failure(self, error: Exception) -> None:
        """Count a turn that nobody answered; nothing is stored, so the conversation is as it was."""
        code = error.code if isinstance(error, AgentbenchError) else "server_error"
        cost = await cost_of(self.target.endpoint, self.target.model, None)
        self.row = self._meter.row(self.turn, self.target, None, cost=cost, error=code)
        await self._database.write(partial(usage.append, row=self.row))

    async def _keep(self) -> None:
        """Store the answer and its row in one transaction, before anyone sees the last event."""
        error = self.response.error
        cost = await cost_of(self.target.endpoint, self.target.model, self.response.usage)
        code = None if error is None else error.code
        self.row = row = self._meter.row(self.turn, self.target, self.response, cost=cost, error=code)
        await self._database.write(partial(self._write, row=row))

    def _write(self, connection: Connection, *, row: UsageRow) -> None:
        usage.append(connection, row)
        if not self.turn.request.store:
            return
        responses.save(connection, self._stored())
        answered = self.response.output and self.response.status != "failed"
        if self.turn.conversation is not None and answered:
            conversations.move_head(connection, self.turn.conversation, self.response.id)

    def _stored(self) -> StoredResponse:
        cell, agent = self.turn.cell, self.target.agent
        return StoredResponse(
            response=self.response,
            input=self.turn.request.input,
            user=self.turn.principal.user,
            conversation_id=self.turn.conversation,
            parent=self._parent,
            agent=None if agent is None else agent.id,
            endpoint=self.target.endpoint.name,
            cell_id=None if cell is None else cell.id,
            cell_run=None if cell is None else cell.run,
            created_at=self._meter.time,
        )
