"""Files on their way to passages: a few at a time, each leased to this process for as long as it lives.

What is to be done says the database alone: any process on it goes on with what another has left.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from agentbench.errors import AgentbenchError, MissingExtra, StorageError
from agentbench.protocol.values import new_id
from agentbench.retrieval.steps import Lost, Steps
from agentbench.retrieval.watching import woken
from agentbench.storage import processing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.retrieval.values import Embedder, Progress
    from agentbench.retrieval.watching import Changes
    from agentbench.storage.database import Database
    from agentbench.storage.processing import Claim

__all__ = ["AT_ONCE", "MOST_ATTEMPTS", "Processing"]

AT_ONCE = 2
"""Files of one process that are processed at the same time."""

MOST_ATTEMPTS = 10
"""How often a file is begun whose process ends each time, before it is taken to be the reason."""

LEASE_S = 15.0
"""How long after its last sign of life a process keeps a file."""

_CLOSING_S = 5.0
_PAUSES_S = (0.5, 2.0)
_TOO_OFTEN = f"It was begun {MOST_ATTEMPTS} times, and the process ended each time. Process it again, or split it."
_UNFORESEEN = "Something unforeseen kept it from being processed, which the log tells. Process it again, or report it."
_log = logging.getLogger(__name__)


class _Ending(Exception):
    """The interpreter ends, so that no work can be begun any more."""


class _Job(NamedTuple):
    file_id: str
    steps: Steps
    task: asyncio.Task[None]


class Processing:
    """Processes the files that wait for it. All calls belong on one event loop; `aclose` ends it there."""

    def __init__(
        self,
        database: Database,
        changes: Changes,
        *,
        embedder: Callable[[str], Embedder],
        settings: Callable[[], RetrievalSettings],
    ) -> None:
        self.lease = LEASE_S
        self._database = database
        self._changes = changes
        self._embedder = embedder
        self._settings = settings
        self._more = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._closing = False
        self._jobs: dict[str, _Job] = {}  # by worker: one of a file may still be ending when the next begins

    def wake(self) -> None:
        """Look for files to process at once, and from now on from time to time."""
        self._more.set()
        if self._looking is None or self._looking.done():
            # Of its own: files are processed for nobody's cell, whoever woke this.
            self._looking = asyncio.create_task(self._look(), context=Context())

    def progress(self, file_id: str) -> Progress | None:
        """Return how far a file is that is processed here; None for others."""
        found = [job.steps.progress for job in self._jobs.values() if job.file_id == file_id]
        return found[-1] if found else None

    def stop(self, file_ids: Iterable[str]) -> None:
        """Stop working on files that were deleted or queued anew."""
        gone = set(file_ids)
        for job in self._jobs.values():
            if job.file_id in gone:
                job.task.cancel()

    async def aclose(self) -> None:
        """Stop, and give the files back. On another event loop than the one it runs on, it does nothing."""
        if self._looking is None or self._looking.get_loop() is not asyncio.get_running_loop():
            return
        self._closing = True
        self._more.set()
        await asyncio.wait({self._looking}, timeout=_CLOSING_S)
        tasks = [job.task for job in self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._looking, self._closing, self._more = None, False, asyncio.Event()

    async def _look(self) -> None:
        while not self._closing:
            self._more.clear()
            with suppress(AgentbenchError):  # whoever uses the database is told; here it is tried again
                while len(self._jobs) < AT_ONCE and await self._begin():
                    pass
            await woken(self._more, within=self.lease / 2)

    async def _begin(self) -> bool:
        """Begin with the next file; False if there is none."""
        worker, now = new_id("worker"), datetime.now(UTC)
        job = partial(processing.claim, worker=worker, now=now, until=now + timedelta(seconds=self.lease))
        claim = await self._database.write(job)
        if claim is None:
            return False
        steps = Steps(
            claim.file,
            worker,
            self._database,
            embedder=self._embedder,
            settings=self._settings(),
            tell=self._changes.tell,
        )
        self._jobs[worker] = _Job(claim.file.id, steps, asyncio.create_task(self._work(claim, worker, steps)))
        self._changes.tell()
        return True

    async def _work(self, claim: Claim, worker: str, steps: Steps) -> None:
        """Do the steps for as long as the lease holds."""
        file_id = claim.file.id
        tasks = [asyncio.create_task(each) for each in (self._do(claim, worker, steps), self._keep(file_id, worker))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            try:
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._write(processing.release, file_id=file_id, worker=worker)
            finally:
                del self._jobs[worker]
                self._more.set()
                self._changes.tell()

    async def _do(self, claim: Claim, worker: str, steps: Steps) -> None:
        """Do the steps, and store what keeps them from being done."""
        try:
            error = _TOO_OFTEN if claim.attempts > MOST_ATTEMPTS else await _failure(steps)
        except Lost:
            return
        except _Ending:
            self._closing = True
            return
        if error is not None:
            await self._write(processing.fail, file_id=claim.file.id, worker=worker, error=error)

    async def _keep(self, file_id: str, worker: str) -> None:
        """Renew the lease; returns once it is lost."""
        until = datetime.now(UTC) + timedelta(seconds=self.lease)
        while datetime.now(UTC) < until:
            await asyncio.sleep(self.lease / 3)
            then = datetime.now(UTC) + timedelta(seconds=self.lease)
            renewed = await self._write(processing.renew, file_id=file_id, worker=worker, until=then)
            if renewed is False:
                return
            until = then if renewed else until

    async def _write(self, job: Callable[..., bool], **values: Any) -> bool | None:
        """Write what another process does, or has to do, if it can't be written now; None says so."""
        with suppress(StorageError):
            return await self._database.write(partial(job, **values))
        return None


async def _failure(steps: Steps) -> str | None:
    """Do the steps; return what kept them from being done, and what to do about it."""
    try:
        await _persistently(steps)
    except AgentbenchError as error:
        return error.message
    except ModuleNotFoundError:
        return MissingExtra("retrieval", "Processing files").message
    except Lost:
        raise
    except Exception as error:  # noqa: BLE001 - what nobody foresaw must not leave the file without an end
        if _is_ending(error):
            raise _Ending from None
        _log.exception("a file could not be processed")
        return _UNFORESEEN
    return None


def _is_ending(error: Exception) -> bool:
    """Whether a thread was refused since the interpreter ends, which Python tells by its words alone."""
    return isinstance(error, RuntimeError) and str(error).startswith("cannot schedule new futures after")


async def _persistently(steps: Steps) -> None:
    """Do the steps, again from where they are while the database is in trouble."""
    for pause in _PAUSES_S:
        with suppress(StorageError):
            await steps.run()
            return
        await asyncio.sleep(pause)
    await steps.run()
