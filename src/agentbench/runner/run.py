"""One turn while it runs: from the merged request to the stored answer and its rows in the ledger."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from anyio import CancelScope

from agentbench.config.rates import Tokens
from agentbench.errors import AgentbenchError, ContextTooLong, InsufficientBalance
from agentbench.protocol import EventBuilder, draft
from agentbench.providers.base import play
from agentbench.runner.accounting import Call, row_of, status_of, summary
from agentbench.runner.budget import Amount, hold
from agentbench.runner.headers import with_headers
from agentbench.runner.history import History, load_history
from agentbench.runner.inputs import resolved
from agentbench.runner.merge import merged, with_past
from agentbench.runner.pacing import paced
from agentbench.runner.purse import microcredits
from agentbench.runner.rates import affordable_answer, rates_for, worst_case, worst_cost
from agentbench.runner.recordings import Trace
from agentbench.runner.steps import Steps
from agentbench.runner.tool_results import with_short_results
from agentbench.storage import responses
from agentbench.storage.responses import StoredResponse
from agentbench.storage.unsaved import Charge, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from agentbench.protocol import CreateResponse, Event, Response
    from agentbench.protocol.items import FunctionCall
    from agentbench.providers.base import Provider
    from agentbench.runner.purse import Purse
    from agentbench.runner.recordings import Recordings
    from agentbench.runner.target import Target
    from agentbench.runner.titles import Titler
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

__all__ = ["Run"]

_log = logging.getLogger(__name__)
_SHORTEST_ANSWER = 256
"""Tokens: a balance that is too small for them is too small for an answer."""


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
    ) -> None:
        self.turn = turn
        self.target = target
        self._recordings = recordings
        self.rows: tuple[UsageRow, ...] = ()
        self.row: UsageRow | None = None
        self.warning: str | None = None
        self._provider = provider
        self._database = database
        self._steps = steps or Steps({}, turn.request, None)
        self._titler = titler
        self._tell_titler: Callable[[Response], None] | None = None
        self._purse = purse
        self._has_ledger = ledger
        self._calls = [Call()]
        self._counted = 0
        self._early: list[asyncio.Task[None]] = []
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
    def tool_seconds(self) -> Mapping[str, float]:
        """How long each tool call took that has run here, by `call_id`."""
        return self._steps.seconds

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

        If it is `watched`, or asked for as a stream, its text comes at the endpoint's `stream_rate`.
        """
        request = self.turn.request
        watched = watched or (request.stream and not request.background)
        return paced(self._events(), self.target.endpoint.stream_rate if watched else 0)

    async def planned(self) -> CreateResponse:
        """Return what the first upstream call of this run would ask. It isn't sent, nor may the run begin."""
        self._titler = None
        await self._prepare()
        return with_past(self._steps.request(merged(self.turn.request, self.target)), self._history, ())

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

    async def _upstream(self) -> AsyncGenerator[list[Event]]:
        """Call the upstream, run the tools that it asks for here, and call it again, until it has answered."""
        await self._prepare()
        request = await self._next_request()
        if self.turn.request.background:
            self._started = True
            await self._database.write(partial(responses.save, stored=self._stored()))
            yield self._builder.start()
        while True:
            async with aclosing(self._fitting_call(request)) as batches:
                async for batch in batches:
                    yield batch
            made = self._builder.output[self._calls[-1].begun :]
            calls, theirs = self._steps.ours(made), self._steps.theirs(made)
            if self._builder.outcome != "completed" or self._is_refused(theirs) or not calls:
                return
            yield self._builder.next_call()
            if self._steps.limit is None and not theirs:
                await self._write_early()
            for result in await self._steps.run(calls):
                yield self._builder.item(result)
            if self._steps.limit is not None:
                self._builder.cut(self._steps.limit)
                return
            if theirs:  # the client runs those, and goes on with all the results
                self._builder.stop()
                return
            self._calls.append(Call(len(self._calls), begun=len(self._builder.output)))
            request = await self._next_request()

    async def _prepare(self) -> None:
        """Find out what was said before, who answers and with which tools."""
        self._history = await load_history(self._database, self.turn)
        self.target = await self._addressed()
        await self._steps.prepare()
        self.turn = await resolved(self._database, self.turn, self._history)
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

    def _is_refused(self, calls: Sequence[FunctionCall]) -> bool:
        forbidden = self._steps.forbidden(calls)
        if forbidden is not None:
            message = f"The model called {forbidden.name}, which tool_choice does not allow."
            self._builder.fail(message, code="tool_not_allowed", kind="model_error")
        return forbidden is not None

    async def _next_request(self) -> CreateResponse:
        """Return what the next upstream call asks, without the past; it is paid for."""
        request = self._steps.request(merged(self.turn.request, self.target))
        limit = await self._before_call(self._whole(request, self._history))
        return request if limit is None else msgspec.structs.replace(request, max_output_tokens=limit)

    def _whole(self, request: CreateResponse, history: History) -> CreateResponse:
        whole = with_past(request, history, self._builder.output)
        return with_short_results(whole, self.target.endpoint.max_tool_result_chars)

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
        call = self._calls[-1]
        try:
            async with aclosing(play(self._provider, request, self.target.endpoint, self._builder)) as batches:
                async for batch in batches:
                    call.request = request
                    if not self._started:
                        self._started = True
                        yield self._builder.start()
                    call.watch(batch)
                    yield batch
        finally:
            call.told = self._builder.call_usage
            call.is_whole = self._builder.outcome in ("completed", "incomplete")

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

    # -- the ledger ---------------------------------------------------------------------------------------------

    async def _before_call(self, request: CreateResponse) -> int | None:
        """Set aside what a call may cost at most.

        Returns how long the answer may be, where the request doesn't say and the balance is too small for a long one.
        Raises `BudgetExceeded` or `InsufficientBalance`, and then nothing is sent.
        """
        if self._purse is None and not self.turn.budgets:
            return None
        call, tokens = self._calls[-1], worst_case(request)
        rates = await rates_for(self.target.endpoint, self.target.model)
        worst = None if rates is None else worst_cost(rates, tokens)
        call.hold = hold(self.turn.budgets, self.target.name, Amount(worst, tokens.total_input + tokens.output))
        if self._purse is None or rates is None or worst is None:
            return None
        reserve = partial(self._purse.reserve, self.turn.principal.user)
        try:
            call.reservation = await reserve(microcredits(worst))
        except InsufficientBalance as error:
            limit = affordable_answer(rates, tokens.total_input, error.balance)
            if request.max_output_tokens is not None or limit < _SHORTEST_ANSWER:
                raise
            shorter = Tokens(input=tokens.total_input, output=limit)
            call.reservation = await reserve(microcredits(worst_cost(rates, shorter)))
            return limit
        return None

    async def _after_call(self, **ended: object) -> _Entry:
        """Count the call that has ended, well or as told."""
        call = self._calls[-1]
        rates = await rates_for(self.target.endpoint, self.target.model)
        self._counted = len(self._calls)
        made = self._builder.output[call.begun :]
        row, cost = row_of(call, self.turn, self.target, made, rates, **ended)
        self.rows = (*self.rows, row)
        if call.hold is not None:
            call.hold.settle(Amount(cost, (row.input_tokens or 0) + (row.output_tokens or 0)))
        return _Entry(row, call.reservation, cost or Decimal(0))

    async def _write_early(self) -> None:
        """Write the row of a call that has a next one, while its tools run; nobody waits for it."""
        entry = await self._after_call(context="tool_step", response_id=self.response.id)
        self._early.append(asyncio.create_task(self._record(self._outcome([entry]))))

    async def _entries(self, **ended: object) -> list[_Entry]:
        """Return what the ledger doesn't have yet once the turn has ended: the last call's, if there was one."""
        await asyncio.gather(*self._early)
        late = [await self._after_call(**ended)] if self._counted < len(self._calls) else []
        waited = self._calls[self._counted - 1].start - self._calls[0].start
        self.row = summary(self.rows, waited=waited, context=self.turn.context, **ended)
        return late

    def _outcome(self, entries: Sequence[_Entry]) -> Outcome:
        rows = tuple(entry.row for entry in entries) if self._has_ledger else ()
        charges = tuple(
            Charge(user=row.user, reservation=reservation, microcredits=microcredits(cost))
            for row, reservation, cost in entries
            if reservation is not None
        )
        return Outcome(rows=rows, charges=charges)

    async def _record(self, outcome: Outcome) -> None:
        self.warning = await self._database.record(outcome) or self.warning

    async def _record_failure(self, error: Exception) -> None:
        """Count a turn that nobody answered; nothing is stored, so the conversation is as it was."""
        code = error.code if isinstance(error, AgentbenchError) else "server_error"
        with CancelScope(shield=True):
            entries = await self._entries(status=status_of(None), error_type=code)
            await self._record(self._outcome(entries))

    async def _keep(self) -> None:
        """Store the answer and its last row in one transaction, before anyone sees the last event, cancelled or not."""
        error = self.response.error
        code = None if error is None else error.code
        with CancelScope(shield=True):
            status = status_of(self.response)
            entries = await self._entries(response_id=self.response.id, status=status, error_type=code)
            outcome = self._outcome(entries)
            if self.turn.request.store:
                answered = bool(self.response.output) and self.response.status != "failed"
                outcome = msgspec.structs.replace(outcome, response=self._stored(), is_head=answered)
            await self._record(outcome)
        if self._tell_titler is not None:
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
            created_at=self._calls[0].time,
        )


class _Entry(NamedTuple):
    """A row on its way to the ledger, and what pays for it."""

    row: UsageRow
    reservation: str | None
    cost: Decimal
