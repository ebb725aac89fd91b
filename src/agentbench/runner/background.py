"""Runs that outlive their request: one task each on the event loop that started them, until they end or are stopped.

The database knows which are being made and that their process lives, so that a response whose process was killed ends
as failed, and one that another process makes can be stopped.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import anyio
import msgspec

from agentbench.errors import RateLimited, StorageError
from agentbench.protocol.response import ResponseError
from agentbench.storage import background, responses

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlalchemy import Connection

    from agentbench.protocol import Event, Response
    from agentbench.runner.run import Run
    from agentbench.storage.database import Database
    from agentbench.storage.responses import StoredResponse

__all__ = ["GONE_SECONDS", "MOST_RUNS", "Background", "BackgroundRun", "is_pending"]

MOST_RUNS = 100
"""Of one process at the same time."""

GONE_SECONDS = 20.0
"""A process that has given no sign for so long has ended."""

_SIGN_SECONDS = 5.0
_CLOSING_SECONDS = 5.0
_log = logging.getLogger(__name__)


def is_pending(response: Response) -> bool:
    """Tell whether a response is still to come."""
    return response.status in ("queued", "in_progress")


class BackgroundRun:
    """A run that goes on without a reader; anyone on its event loop may follow it from the start."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.ended = anyio.Event()
        self._batches: list[list[Event]] = []
        self._more = anyio.Event()
        self._error: Exception | None = None

    @property
    def own_tools(self) -> frozenset[str]:
        """The names of the tools that run here; whole once `begun` has returned."""
        return self.run.own_tools

    @property
    def response(self) -> Response:
        """The response as it stands."""
        return self.run.response

    async def begun(self) -> None:
        """Wait until the response is stored; raises what kept it from that."""
        while not self._batches and not self.ended.is_set():
            await self._more.wait()
        if not self._batches and self._error is not None:
            raise self._error

    async def events(self) -> AsyncGenerator[list[Event]]:
        """Yield all events, those that were and those to come. Raises what the run raises."""
        seen = 0
        while True:
            while seen < len(self._batches):
                seen += 1
                yield self._batches[seen - 1]
            if self.ended.is_set():
                break
            await self._more.wait()
        if self._error is not None:
            raise self._error

    async def work(self) -> None:
        """Do the run."""
        try:
            async with aclosing(self.run.events()) as batches:
                async for batch in batches:
                    self._batches.append(batch)
                    self._wake()
        except Exception as error:  # noqa: BLE001 - who follows gets it, and the log if nobody could
            self._error = error
            if self._batches:
                _log.exception("a background run broke off", exc_info=error)
        finally:
            self.ended.set()
            self._wake()

    def _wake(self) -> None:
        more, self._more = self._more, anyio.Event()
        more.set()


class Background:
    """The background runs of one process. `aclose` ends them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._runs: dict[str, tuple[BackgroundRun, asyncio.Task[None]]] = {}

    async def start(self, run: Run) -> BackgroundRun:
        """Start a run; returns once its response is stored. Raises `RateLimited` where too many run, and its errors."""
        if len(self._runs) >= MOST_RUNS:
            raise RateLimited(f"{MOST_RUNS} background responses are being made. Wait for some.", retry_after=5)
        started, response_id = BackgroundRun(run), run.response.id
        await self._database.write(partial(background.begin, response_id=response_id, now=datetime.now(UTC)))
        self._runs[response_id] = (started, asyncio.create_task(self._work(started)))
        await started.begun()
        return started

    async def find(self, response_id: str, user: str) -> StoredResponse | None:
        """Return the user's stored response as it stands, whoever makes it; None if there is none."""
        if kept := self._database.unsaved.chain(response_id, user):
            return kept[-1]
        stored = await self._database.read(partial(responses.get, response_id=response_id, user=user))
        if stored is None or not is_pending(stored.response):
            return stored
        if response_id in self._runs:
            started, _ = self._runs[response_id]
            if is_pending(started.response):
                return msgspec.structs.replace(stored, response=started.response)
            await started.ended.wait()  # else it would be told as done before it is stored
        return await self._database.write(partial(_checked, response_id=response_id, user=user))

    async def cancel(self, response_id: str) -> None:
        """Stop a run and wait for its end; one of another process is asked to stop, within seconds."""
        if response_id in self._runs:
            started, _ = self._runs[response_id]
            started.run.stop("cancelled")
            await started.ended.wait()
        else:
            await self._database.write(partial(background.request_stop, response_id=response_id))

    async def aclose(self) -> None:
        """Stop the runs of this event loop and wait for their ends; call it there."""
        here = asyncio.get_running_loop()
        ending = [(started, task) for started, task in self._runs.values() if task.get_loop() is here]
        for started, _ in ending:
            started.run.stop()
        tasks = [task for _, task in ending]
        if tasks:
            _, slow = await asyncio.wait(tasks, timeout=_CLOSING_SECONDS)
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    async def _work(self, started: BackgroundRun) -> None:
        response_id = started.response.id
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._give_signs, started)
                await started.work()
                group.cancel_scope.cancel()
        finally:
            del self._runs[response_id]
            with anyio.CancelScope(shield=True), suppress(StorageError):
                await self._database.write(partial(background.end, response_id=response_id))

    async def _give_signs(self, started: BackgroundRun) -> None:
        while True:
            await anyio.sleep(_SIGN_SECONDS)
            with suppress(StorageError):  # the run itself will tell, when it can't store its answer
                sign = partial(background.sign, response_id=started.response.id, now=datetime.now(UTC))
                if await self._database.write(sign):
                    started.run.stop("cancelled")


def _checked(connection: Connection, response_id: str, user: str) -> StoredResponse | None:
    """Return a response that another process makes; it failed if that process gives no sign."""
    stored = responses.get(connection, response_id, user)
    if stored is None or not is_pending(stored.response):
        return stored
    if background.is_alive(connection, response_id, datetime.now(UTC) - timedelta(seconds=GONE_SECONDS)):
        return msgspec.structs.replace(stored, response=msgspec.structs.replace(stored.response, status="in_progress"))
    error = ResponseError(code="interrupted", message="The process that made this response ended before it was done.")
    failed = msgspec.structs.replace(stored.response, status="failed", error=error)
    stored = msgspec.structs.replace(stored, response=failed)
    responses.save(connection, stored)
    background.end(connection, response_id)
    return stored
