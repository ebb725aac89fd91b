"""One turn while it runs: from the merged request to the stored answer and its row in the ledger."""

from __future__ import annotations

import logging
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from anyio import CancelScope

from agentbench.errors import AgentbenchError, ContextTooLong
from agentbench.protocol import EventBuilder, draft
from agentbench.providers.base import play
from agentbench.runner.accounting import Meter, cost_of
from agentbench.runner.headers import with_headers
from agentbench.runner.history import History, load_history
from agentbench.runner.inputs import resolved
from agentbench.runner.merge import merged, with_past
from agentbench.runner.pacing import paced
from agentbench.runner.steps import Steps
from agentbench.runner.tool_results import with_short_results
from agentbench.storage import conversations, responses, usage
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from sqlalchemy import Connection

    from agentbench.protocol import CreateResponse, Event, Item, Response
    from agentbench.providers.base import Provider
    from agentbench.runner.target import Target
    from agentbench.runner.titles import Titler
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

    def __init__(
        self,
        turn: Turn,
        target: Target,
        provider: Provider,
        database: Database,
        *,
        steps: Steps | None = None,
        titler: Titler | None = None,
    ) -> None:
        self.turn = turn
        self.target = target
        self.row: UsageRow | None = None
        self._provider = provider
        self._database = database
        self._steps = steps or Steps({}, turn.request, None)
        self._titler = titler
        self._tell_titler: Callable[[Response], None] | None = None
        self._meter = Meter()
        self._builder = EventBuilder(draft(turn.request, model=turn.request.model or target.name))
        self._history = History()
        self._started = False
        self._stopped: str | None = None
        self._scope: CancelScope | None = None

    @property
    def own_tools(self) -> frozenset[str]:
        """The names of the tools that run here; their calls and results are items of the answer like any other."""
        return frozenset(self._steps.tools)

    @property
    def response(self) -> Response:
        """The response as it stands; final once `events()` has ended."""
        return self._builder.response

    @property
    def record(self) -> tuple[StoredResponse, ...]:
        """The turns before this one and this one, as they are or would be stored."""
        return (*self._history.turns, self._stored())

    def stop(self, reason: str = "interrupted") -> None:
        """End the turn early but whole: the upstream is closed and the stream ends in `response.incomplete`.

        Call it on the event loop that runs `events()`.
        """
        self._stopped = reason
        if self._scope is not None:
            self._scope.cancel()

    def events(self, *, watched: bool = False) -> AsyncGenerator[list[Event]]:
        """Yield the events in batches. An error before the first event is raised, a later one is an event.

        Only a `StorageError` is raised at the end too: an answer that can't be kept has no last event. If it is
        `watched`, or asked for as a stream, its text comes at the endpoint's `stream_rate`.
        """
        request = self.turn.request
        watched = watched or (request.stream and not request.background)
        return paced(self._events(), self.target.endpoint.stream_rate if watched else 0)

    async def _events(self) -> AsyncGenerator[list[Event]]:
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
            last = self._end(self._stopped)
            await self._keep()
            yield last
        finally:
            if self.row is None:  # the reader is gone: nobody sees another event, but it is stored and counted
                self._end(self._stopped or "interrupted")
                await self._keep()

    async def _upstream(self) -> AsyncGenerator[list[Event]]:
        """Call the upstream, run the tools that it asks for here, and call it again, until it has answered."""
        self._history = history = await load_history(self._database, self.turn)
        self.target = await self._addressed()
        await self._steps.prepare()
        self.turn = await resolved(self._database, self.turn, history)
        if self._titler is not None and not history.turns:
            self._tell_titler = await self._titler.begin(self.turn, self.target)
        if self.turn.request.background:
            self._started = True
            await self._database.write(partial(responses.save, stored=self._stored()))
            yield self._builder.start()
        while True:
            begun = len(self._builder.output)
            async with aclosing(self._fitting_call(history)) as batches:
                async for batch in batches:
                    yield batch
            made = self._builder.output[begun:]
            calls = self._steps.ours(made)
            if self._builder.outcome != "completed" or self._is_refused(made) or not calls:
                return
            yield self._builder.next_call()
            for result in await self._steps.run(calls):
                yield self._builder.item(result)
            if self._steps.limit is not None:
                self._builder.cut(self._steps.limit)
                return
            if self._steps.theirs(made):  # the client runs the others, and goes on with all the results
                self._builder.stop()
                return

    async def _addressed(self) -> Target:
        """Return the target with the headers that this very request is to carry."""
        endpoint = await with_headers(
            self.target.endpoint,
            self.turn.principal,
            self._database,
            conversation=self.turn.conversation,
            parent=self._history.parent,
            message=self.response.id,
        )
        return msgspec.structs.replace(self.target, endpoint=endpoint)

    def _is_refused(self, made: Sequence[Item]) -> bool:
        forbidden = self._steps.forbidden(self._steps.theirs(made))
        if forbidden is not None:
            message = f"The model called {forbidden.name}, which tool_choice does not allow."
            self._builder.fail(message, code="tool_not_allowed", kind="model_error")
        return forbidden is not None

    async def _fitting_call(self, history: History) -> AsyncGenerator[list[Event]]:
        """Make one upstream call, leaving out ever more of the past if it is too long and may be shortened."""
        merge = merged(self.turn.request, self.target)
        request = self._steps.request(merge)
        while True:
            whole = with_past(request, history, self._builder.output)
            whole = with_short_results(whole, self.target.endpoint.max_tool_result_chars)
            try:
                async with aclosing(self._call(whole)) as batches:
                    async for batch in batches:
                        yield batch
            except ContextTooLong:
                if request.truncation != "auto" or not history.turns:
                    raise
                history = history.shortened()
            else:
                return

    async def _call(self, request: CreateResponse) -> AsyncGenerator[list[Event]]:
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

    def _end(self, stopped: str | None) -> list[Event]:
        first = [] if self._started else self._builder.start()
        if stopped is not None and self._builder.outcome is None:
            self._builder.cut(stopped)
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
        """Store the answer and its row in one transaction, before anyone sees the last event, cancelled or not."""
        error = self.response.error
        code = None if error is None else error.code
        with CancelScope(shield=True):
            cost = await cost_of(self.target.endpoint, self.target.model, self.response.usage)
            self.row = row = self._meter.row(self.turn, self.target, self.response, cost=cost, error=code)
            await self._database.write(partial(self._write, row=row))
        if self._tell_titler is not None:
            self._tell_titler(self.response)

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
            parent=self._history.parent,
            agent=None if agent is None else agent.id,
            endpoint=self.target.endpoint.name,
            cell_id=None if cell is None else cell.id,
            cell_run=None if cell is None else cell.run,
            created_at=self._meter.time,
        )
