"""One stretch of a run, up to where the client has to act or the run ends: a task that goes on without a reader."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack, aclosing, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

import anyio
import msgspec

from agentbench.errors import AgentbenchError, StorageError
from agentbench.protocol.assistants.events import AssistantEvent
from agentbench.protocol.assistants.objects import (
    LastError,
    RequiredAction,
    RequiredCall,
    RunStatus,
    RunStep,
    RunUsage,
    SubmitToolOutputs,
)
from agentbench.protocol.values import Value
from agentbench.runner.assistants.endings import coded_error, cut_reason, ended, error_of
from agentbench.runner.assistants.states import changed, close
from agentbench.storage import background, runs, threads

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from sqlalchemy import Connection

    from agentbench.protocol import Event
    from agentbench.runner.assistants.trail import Trail
    from agentbench.runner.run import Run
    from agentbench.storage.database import Database
    from agentbench.storage.runs import StoredRun

__all__ = ["Outcome", "StopReason", "Work"]

SIGN_SECONDS = 5.0
StopReason = Literal["cancelled", "expired", "stopped"]
_STOPPED = LastError(code="server_error", message="The process that ran it was stopped.")
_log = logging.getLogger(__name__)


class Outcome(Value, frozen=True, kw_only=True):
    """How a stretch ended. `required` are the calls that the client has to answer."""

    status: RunStatus
    error: LastError | None = None
    reason: str | None = None
    required: tuple[RequiredCall, ...] = ()


class Work:
    """A stretch of a run. `start` makes the run of its turn, or says why there is none; `seconds` bound the work.

    What `start` opens is closed at the end.
    Anyone on its event loop may follow it from the start.
    """

    def __init__(
        self,
        database: Database,
        stored: StoredRun,
        trail: Trail,
        start: Callable[[StoredRun, AsyncExitStack], Awaitable[Run | Outcome]],
        *,
        begun: Sequence[AssistantEvent] = (),
        seconds: float,
        watched: bool = False,
    ) -> None:
        self.stored = stored
        self.ended = anyio.Event()
        self.ended_at = 0.0
        self.loop = asyncio.get_running_loop()
        self._database = database
        self._trail = trail
        self._start = start
        self._seconds = seconds - stored.worked
        self._watched = watched
        self._told: list[AssistantEvent] = list(begun)
        self._more = anyio.Event()
        self._reason: StopReason | None = None
        self._run: Run | None = None
        self._is_stored = False

    async def follow(self, begun: int = 0) -> AsyncGenerator[list[AssistantEvent]]:
        """Yield all events, those that were and those to come, but for the first that the reader has had already."""
        while True:
            if len(self._told) > begun:
                batch, begun = self._told[begun:], len(self._told)
                yield batch
            elif self.ended.is_set():
                return
            else:
                await self._more.wait()

    def stop(self, reason: StopReason) -> None:
        """End it early: what was said so far is kept. Call it on its event loop."""
        self._reason = self._reason or reason
        if self._run is not None:
            self._run.stop(reason)

    def cancel(self, stored: StoredRun) -> None:
        """Stop it, and say that it is being cancelled."""
        if not self.ended.is_set():
            self._tell([AssistantEvent(name="thread.run.cancelling", data=stored.run)])
            self.stop("cancelled")

    async def work(self) -> None:
        """Do it."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._give_signs)
                group.start_soon(self._watch_time)
                await self._work()
                group.cancel_scope.cancel()
        finally:
            self.ended_at = time.monotonic()
            self.ended.set()
            self._wake()

    async def _work(self) -> None:
        begin = time.monotonic()
        try:
            outcome = await self._answered() if await self._began() else None
        except Exception as error:  # noqa: BLE001 - whatever it is, the run has to end, and tells it
            if not isinstance(error, AgentbenchError):
                _log.exception("the run %s broke off", self.stored.run.id)
            outcome = Outcome(status="failed", error=error_of(error))
        with anyio.CancelScope(shield=True):
            try:
                await self._finish(outcome, time.monotonic() - begin)
            except StorageError as error:
                self._tell_failure(error)

    async def _began(self) -> bool:
        """Note that work has begun; False if the run has ended meanwhile."""

        def begun(stored: StoredRun) -> StoredRun:
            run = stored.run
            status = "cancelling" if run.status == "cancelling" else "in_progress"
            run = msgspec.structs.replace(run, status=status, started_at=run.started_at or int(time.time()))
            return msgspec.structs.replace(stored, run=run)

        stored, is_ours = await self._database.write(partial(changed, stored=self.stored, change=begun))
        self.stored = stored or self.stored
        if self.stored.run.status == "cancelling":
            self.stop("cancelled")
        elif is_ours:
            self._tell([AssistantEvent(name="thread.run.in_progress", data=self.stored.run)])
        return is_ours

    async def _answered(self) -> Outcome:
        if self._reason is not None:
            return _stopped(self._reason)
        async with AsyncExitStack() as opened:
            started = await self._start(self.stored, opened)
            if isinstance(started, Outcome):
                return started
            self._run = started
            if self._reason is not None:
                started.stop(self._reason)
            async with aclosing(started.events(watched=self._watched)) as batches:
                async for batch in batches:
                    await self._take(batch)
            self._is_stored = True
            return self._outcome(started)

    async def _take(self, batch: Sequence[Event]) -> None:
        sources = () if self._run is None else self._run.sources
        told = self._trail.take(batch, sources)
        if self._trail.unsaved:
            await self._database.write(self._save)
            self._trail.unsaved.clear()
        self._tell(told)

    def _save(self, connection: Connection) -> None:
        for each in self._trail.unsaved.values():
            if isinstance(each, RunStep):
                runs.save_step(connection, each)
            else:
                threads.save_message(connection, each)

    def _outcome(self, run: Run) -> Outcome:
        response = run.response
        if response.status == "completed":
            calls = self._trail.waiting(run.own_tools)
            if not calls:
                return Outcome(status="completed")
            if self._reason is None:
                return Outcome(status="requires_action", required=calls)
        cut = response.incomplete_details
        if self._reason is not None:
            return _stopped(self._reason)
        if response.error is not None:
            return Outcome(status="failed", error=coded_error(response.error.code, response.error.message))
        if cut is None or cut.reason == "interrupted":  # the gateway lets nothing run that came over HTTP
            return _stopped("stopped")
        return Outcome(status="incomplete", reason=cut_reason(cut.reason))

    async def _finish(self, outcome: Outcome | None, seconds: float) -> None:
        """Store how it ended, then tell it."""
        if outcome is None:
            await self._database.write(partial(background.end, response_id=self.stored.run.id))
            return
        told: list[AssistantEvent] = []
        if not outcome.required:
            if outcome.status == "completed":
                told += self._trail.show_made()
            told += self._trail.close(outcome.status, reason=outcome.reason, error=outcome.error)
        stored = await self._database.write(partial(self._store_end, outcome=outcome, seconds=seconds))
        if stored is not None:
            self.stored = stored
            told.append(AssistantEvent(name=f"thread.run.{stored.run.status}", data=stored.run))
        self._tell(told)

    def _store_end(self, connection: Connection, *, outcome: Outcome, seconds: float) -> StoredRun | None:
        threads.lock(connection, self.stored.run.thread_id)  # first, as whoever cancels does: else both might wait
        background.end(connection, self.stored.run.id)
        if runs.get(connection, self.stored.run.thread_id, self.stored.run.id, self.stored.user) is None:
            return None
        self._save(connection)
        stored, is_ours = changed(connection, self.stored, partial(self._ended, outcome=outcome, seconds=seconds))
        if is_ours and stored is not None and outcome.required and stored.run.status == "cancelled":
            return close(connection, stored, "cancelled")
        return stored

    def _ended(self, stored: StoredRun, *, outcome: Outcome, seconds: float) -> StoredRun:
        stored = msgspec.structs.replace(
            stored,
            worked=stored.worked + seconds,
            used=_sum(stored.used, self._run),
            responses=(*stored.responses, self._run.response.id) if self._run and self._is_stored else stored.responses,
        )
        if stored.run.status == "cancelling":  # nothing else may follow that, also where it was through already
            return ended(stored, "cancelled")
        if not outcome.required:
            return ended(stored, outcome.status, error=outcome.error, reason=outcome.reason)
        action = RequiredAction(submit_tool_outputs=SubmitToolOutputs(tool_calls=outcome.required))
        run = msgspec.structs.replace(stored.run, status="requires_action", required_action=action)
        return msgspec.structs.replace(stored, run=run)

    def _tell_failure(self, error: StorageError) -> None:
        """Say that the end couldn't be stored; as nobody gives signs any more, the stored run will expire."""
        _log.warning("The end of the run %s could not be stored: %s", self.stored.run.id, error.message)
        failed = ended(self.stored, "failed", error=error_of(error))
        self._tell([AssistantEvent(name="thread.run.failed", data=failed.run)])

    async def _give_signs(self) -> None:
        while True:
            await anyio.sleep(SIGN_SECONDS)
            with suppress(StorageError):
                sign = partial(background.sign, response_id=self.stored.run.id, now=datetime.now(UTC))
                if await self._database.write(sign):
                    self.stop("cancelled")

    async def _watch_time(self) -> None:
        await anyio.sleep(max(0.0, self._seconds))
        self.stop("expired")

    def _tell(self, events: Sequence[AssistantEvent]) -> None:
        self._told.extend(events)
        self._wake()

    def _wake(self) -> None:
        more, self._more = self._more, anyio.Event()
        more.set()


def _stopped(reason: StopReason) -> Outcome:
    if reason == "stopped":
        return Outcome(status="failed", error=_STOPPED)
    return Outcome(status=reason)


def _sum(used: RunUsage, run: Run | None) -> RunUsage:
    """Return the tokens so far with those of another turn, as the ledger counts them."""
    if run is None or run.row is None:
        return used
    prompt = used.prompt_tokens + (run.row.input_tokens or 0)
    completion = used.completion_tokens + (run.row.output_tokens or 0)
    return RunUsage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
