"""One turn while it runs: from the merged request to the stored answer and its rows in the ledger."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from anyio import CancelScope

from agentbench.errors import AgentbenchError, ContextTooLong
from agentbench.protocol import EventBuilder, draft
from agentbench.providers.base import play
from agentbench.runner.accounting import status_of
from agentbench.runner.documents import without_searches
from agentbench.runner.headers import with_headers
from agentbench.runner.history import History, load_history
from agentbench.runner.inputs import resolved
from agentbench.runner.interrupting import Wait
from agentbench.runner.ledger import Ledger
from agentbench.runner.merge import merged, with_past
from agentbench.runner.pacing import paced
from agentbench.runner.recordings import Trace
from agentbench.runner.steps import Steps
from agentbench.runner.tool_results import with_short_results
from agentbench.storage import responses
from agentbench.storage.responses import StoredResponse
from agentbench.telemetry import SILENT, Watch

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from agentbench.protocol import CreateResponse, Event, Item, Response
    from agentbench.protocol.items import FunctionCall
    from agentbench.providers.base import Provider
    from agentbench.runner.documents import Source
    from agentbench.runner.grounding import Grounding, Grounds
    from agentbench.runner.purse import Purse
    from agentbench.runner.recordings import Recordings
    from agentbench.runner.target import Target
    from agentbench.runner.titles import Titler
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

__all__ = ["Run"]

_log = logging.getLogger(__name__)


class Run:
    """A turn that runs once. Iterate `events()`; then `response`, `rows` and `row` tell how it went.

    However it ends (completed, failed, stopped, or its reader gone) the upstream is closed, the answer so far is
    stored, and the ledger has a row for each upstream call: at least one, also where no upstream was asked. `row` is
    all of them as one, None while the turn runs. Each call is paid from the `purse`, if there is one; without `ledger`
    no row is stored. What the database doesn't take is kept until it does, and `warning` says so.
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
        purse: Purse | None = None,
        ledger: bool = True,
        recordings: Recordings | None = None,
        grounding: Grounding | None = None,
        watch: Watch = SILENT,
    ) -> None:
        self.turn = turn
        self.target = target
        self._recordings = recordings
        self._grounding = grounding
        self._watch = watch
        self._grounds: Grounds | None = None
        self._provider = provider
        self._database = database
        self._steps = steps or Steps({}, turn.request, None)
        self._titler = titler
        self._tell_titler: Callable[[Response], None] | None = None
        self._ledger = Ledger(turn, target, database, purse=purse, keeps_rows=ledger)
        self._builder = EventBuilder(draft(turn.request, model=turn.request.model or target.name))
        self._history = History()
        self._started = False
        self._ended = False
        self._stopped: str | None = None
        self._scope: CancelScope | None = None
        self._wait = Wait()
        self._is_reading = False

    @property
    def own_tools(self) -> frozenset[str]:
        """What runs here, whose calls and results are items of the answer like any other.

        The names of tools, and the `call_id` of the search of documents: a client may have a tool of its name.
        """
        search = () if self._grounds is None else (self._grounds.items[0].call_id,)
        return frozenset((*self._steps.tools, *search))

    @property
    def tool_seconds(self) -> Mapping[str, float]:
        """How long each tool call took that has run here, and the search of documents, by `call_id`."""
        search = {} if self._grounds is None else {self._grounds.items[0].call_id: self._grounds.seconds}
        return {**search, **self._steps.seconds}

    @property
    def sources(self) -> tuple[Source, ...]:
        """The turn's documents, with the passages that the answer rests on; there once the first events are."""
        return () if self._grounds is None else self._grounds.sources

    @property
    def response(self) -> Response:
        """The response as it stands; final once `events()` has ended."""
        return self._builder.response

    @property
    def rows(self) -> tuple[UsageRow, ...]:
        """The rows of the calls that have ended."""
        return self._ledger.rows

    @property
    def row(self) -> UsageRow | None:
        """All rows as one; None while the turn runs."""
        return self._ledger.row

    @property
    def is_running(self) -> bool:
        """Whether it has begun, and its answer is not whole and stored yet."""
        return self._scope is not None and not self._ended

    @property
    def warning(self) -> str | None:
        """What to tell the person about what couldn't be stored, if anything."""
        return self._ledger.warning

    @property
    def record(self) -> tuple[StoredResponse, ...]:
        """The turns before this one and this one, as they are or would be stored."""
        return (*self._history.turns, self._stored())

    def stop(self, reason: str = "interrupted") -> None:
        """End the turn early but whole: the upstream is closed and the stream ends in `response.incomplete`.

        Call it on the event loop that runs `events()`.
        """
        self._stopped = reason
        if self._is_reading:
            self._wait.interrupt()
        elif self._scope is not None:
            self._scope.cancel()

    def events(self, *, watched: bool = False) -> AsyncGenerator[list[Event]]:
        """Yield the events in batches. An error before the first event is raised, a later one is an event.

        If it is `watched`, or asked for as a stream, its text comes at the endpoint's `stream_rate`.
        """
        request = self.turn.request
        watched = watched or (request.stream and not request.background)
        events = self._watch.turn(self._events(), request, self._builder)
        return paced(events, self.target.endpoint.stream_rate if watched else 0)

    async def planned(self) -> CreateResponse:
        """Return what the first upstream call of this run would ask. It isn't sent, nor may the run begin."""
        self._titler = None
        await self._prepare(rewriting=False)
        request = self._steps.request(merged(self.turn.request, self.target))
        return self._grounded(with_past(request, self._history, ()))

    async def _events(self) -> AsyncGenerator[list[Event]]:
        trace = Trace(self.response.id, self.turn.request, self.target.name)
        if self._recordings is not None:
            self._recordings.begin(trace, user=self.turn.principal.user)
        try:
            try:
                async with aclosing(self._upstream()) as batches:
                    while (batch := await self._next(batches)) is not None:
                        if batch:
                            trace.add(batch)
                            yield batch
            except Exception as error:
                if not self._started:
                    trace.refuse(error)
                    await self._record_failure(error)
                    raise
                self._note(error)
            trace.add(last := self._end(self._stopped))
            await self._keep()
            yield last
        finally:
            if self.row is None:  # the reader is gone: nobody sees another event, but it is stored and counted
                trace.add(self._end(self._stopped or "interrupted"))
                await self._keep()
            self._ended = True

    async def _upstream(self) -> AsyncGenerator[list[Event]]:
        """Call the upstream, run the tools that it asks for here, and call it again, until it has answered."""
        with self._watch.inside():
            await self._prepare()
        request = await self._next_request()
        if self.turn.request.background:
            self._started = True
            await self._database.write(partial(responses.save, stored=self._stored()))
            yield self._begin()
        while True:
            async with aclosing(self._fitting_call(request)) as batches:
                async for batch in batches:
                    yield batch
            calls, theirs = self._steps.ours(self._made), self._steps.theirs(self._made)
            if self._builder.outcome != "completed" or self._is_refused(theirs) or not calls:
                return
            yield self._builder.next_call()
            if self._steps.limit is None and not theirs:
                await self._ledger.write_early(self._made, self.response.id)
            for result in await self._steps.run(calls):
                yield self._builder.item(result)
            if self._steps.limit is not None:
                self._builder.cut(self._steps.limit)
                return
            if theirs:  # the client runs those, and goes on with all the results
                self._builder.stop()
                return
            self._ledger.begin_call(begun=len(self._builder.output))
            request = await self._next_request()

    async def _prepare(self, *, rewriting: bool = True) -> None:
        """Find out what was said before, who answers and with which tools, and what documents say."""
        self._history = await load_history(self._database, self.turn)
        plain, self.target = self.target, await self._addressed()
        await self._steps.prepare()
        self.turn = await resolved(self._database, self.turn, self._history)
        if self._grounding is not None:
            past = self._history.items
            self._grounds = await self._grounding.grounds(self.turn, plain, past, rewriting=rewriting)
        if self._titler is not None and not self._history.turns:
            self._tell_titler = await self._titler.begin(self.turn, self.target)

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

    @property
    def _made(self) -> tuple[Item, ...]:
        """What the current upstream call has made."""
        return self._builder.output[self._ledger.call.begun :]

    def _is_refused(self, calls: Sequence[FunctionCall]) -> bool:
        forbidden = self._steps.forbidden(calls)
        if forbidden is not None:
            message = f"The model called {forbidden.name}, which tool_choice does not allow."
            self._builder.fail(message, code="tool_not_allowed", kind="model_error")
        return forbidden is not None

    async def _next_request(self) -> CreateResponse:
        """Return what the next upstream call asks, without the past; it is paid for."""
        request = self._steps.request(merged(self.turn.request, self.target))
        limit = await self._ledger.pay(self._whole(request, self._history))
        return request if limit is None else msgspec.structs.replace(request, max_output_tokens=limit)

    def _whole(self, request: CreateResponse, history: History) -> CreateResponse:
        whole = self._grounded(with_past(request, history, self._builder.output))
        return with_short_results(whole, self.target.endpoint.max_tool_result_chars)

    def _grounded(self, request: CreateResponse) -> CreateResponse:
        return request if self._grounds is None else self._grounds.request(request)

    def _begin(self) -> list[Event]:
        """Announce the response, and show what was searched for it."""
        out = self._builder.start()
        if self._grounds is not None:
            out += [event for item in self._grounds.items for event in self._builder.item(item)]
            self._builder.cite = self._grounds.cite if self._grounds.cites else None
            self._ledger.call.begun = len(self._builder.output)
        return out

    async def _fitting_call(self, request: CreateResponse) -> AsyncGenerator[list[Event]]:
        """Make one upstream call, leaving out ever more of the past if it is too long and may be shortened."""
        history = self._history
        while True:
            try:
                async with aclosing(self._call(self._whole(request, history))) as batches:
                    async for batch in batches:
                        yield batch
            except ContextTooLong:
                if request.truncation != "auto" or not history.turns:
                    raise
                history = history.shortened()
            else:
                return

    async def _call(self, request: CreateResponse) -> AsyncGenerator[list[Event]]:
        call = self._ledger.call
        asked = play(self._provider, request, self.target.endpoint, self._builder)
        try:
            async with aclosing(self._watch.call(asked, request, lambda: self._made)) as batches:
                async for batch in batches:  # the first says only that the upstream answers
                    call.request = request
                    if not self._started:
                        self._started = True
                        yield self._begin()
                    yield batch
                    break
                self._is_reading = True
                while (more := await self._read(batches)) is not None:
                    call.watch(more)
                    yield more
        finally:
            self._is_reading = False
            call.told = self._builder.call_usage
            call.is_whole = self._builder.outcome in ("completed", "incomplete")

    async def _next(self, batches: AsyncGenerator[list[Event]]) -> list[Event] | None:
        """Return the next batch; None at the end, or at once when `stop` is called."""
        if self._is_reading:
            return None if self._stopped else await anext(batches, None)
        with CancelScope() as self._scope:
            if self._stopped:
                return None
            return await anext(batches, None)
        return None

    async def _read(self, batches: AsyncGenerator[list[Event]]) -> list[Event] | None:
        """Do what `_next` does where nothing but the upstream is waited for: it costs less."""
        try:
            return await self._wait.on(anext(batches, None))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._stopped is None or task is None or task.cancelling():
                raise
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
        with CancelScope(shield=True):
            await self._ledger.record(await self._ledger.close(self._made, status=status_of(None), error_type=code))

    async def _keep(self) -> None:
        """Store the answer and its last row in one transaction, before anyone sees the last event, cancelled or not."""
        error = self.response.error
        code = None if error is None else error.code
        with CancelScope(shield=True):
            status = status_of(self.response)
            outcome = await self._ledger.close(self._made, response_id=self.response.id, status=status, error_type=code)
            if self.turn.request.store:
                answered = bool(without_searches(self.response.output)) and self.response.status != "failed"
                outcome = msgspec.structs.replace(outcome, response=self._stored(), is_head=answered)
            await self._ledger.record(outcome)
        if self._tell_titler is not None:
            with self._watch.inside():
                self._tell_titler(self.response)

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
            created_at=self._ledger.first.time,
        )
