"""One thread that runs all write jobs, many to a commit.

Owns order, savepoints and futures; what a transaction is on this database it is told.
"""

from __future__ import annotations

from concurrent.futures import Future
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from agentbench.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

__all__ = ["Writer"]

T = TypeVar("T")

MOST_RUNS = 5
"""How often a job is run that others of another process get in the way of."""

LARGEST_BATCH = 256
"""Jobs to a commit at most, so that a flood keeps neither its first caller nor another process waiting for long."""


class Writer:
    """Runs jobs in the order of their submission; those that arrive during a commit share the next one.

    A job that failed because of what another process wrote at the same time, as `collided` tells by its error, is run
    again, in a transaction of its own.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Connection]],
        *,
        collided: Callable[[BaseException], bool] = lambda _: False,
    ) -> None:
        self._transaction = transaction
        self._collided = collided
        self._changed = Condition()
        self._waiting: list[_Pending[Any]] = []
        self._thread: Thread | None = None
        self._closed = False

    def submit(self, job: Callable[[Connection], T]) -> Future[T]:
        """Queue a job; the future has its result after the commit, and can't be cancelled."""
        pending = _Pending(job)
        with self._changed:
            if self._closed:
                raise StorageError("The database was closed. Make a new Database to go on.")
            if self._thread is None:
                self._thread = Thread(target=self._run, name="agentbench-writer", daemon=True)
                self._thread.start()
            self._waiting.append(pending)
            self._changed.notify()
        return pending.future

    def close(self) -> None:
        """Carry out what is queued, then stop; more calls do nothing."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._commit(batch)

    def _next_batch(self) -> list[_Pending[Any]]:
        """Wait for jobs; an empty batch means closed and drained."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            batch = self._waiting[:LARGEST_BATCH]
            del self._waiting[:LARGEST_BATCH]
            return batch

    def _commit(self, batch: list[_Pending[Any]]) -> None:
        try:
            with self._transaction() as connection:
                for pending in batch:
                    pending.run(connection)
        except BaseException as error:  # noqa: BLE001 - the callers get it, and the thread must live on
            for pending in batch:
                pending.error = pending.error or error
        # Alone, it holds no lock that others wait for while it waits for theirs.
        again = [each for each in batch if each.error and each.runs < MOST_RUNS and self._collided(each.error)]
        for pending in batch:
            if pending not in again:
                pending.resolve()
        for pending in again:
            self._commit([pending])


class _Pending(Generic[T]):
    """A job on its way to its commit."""

    def __init__(self, job: Callable[[Connection], T]) -> None:
        self.job = job
        self.future: Future[T] = Future()
        # A future that runs can't be cancelled: the write happens even if nobody waits for it any more.
        self.future.set_running_or_notify_cancel()
        self.result: T
        self.error: BaseException | None = None
        self.runs = 0

    def run(self, connection: Connection) -> None:
        """Do the job in a savepoint and keep what it gives or raises; raise only if the transaction is lost."""
        self.runs, self.error = self.runs + 1, None
        # In plain SQL: SQLAlchemy's own nested transactions cost more than the job itself.
        connection.exec_driver_sql("SAVEPOINT job")
        try:
            self.result = self.job(connection)
            connection.exec_driver_sql("RELEASE SAVEPOINT job")
        except BaseException as error:
            self.error = error
            if not _undone(connection):
                raise

    def resolve(self) -> None:
        """Tell the caller."""
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


def _undone(connection: Connection) -> bool:
    """Go back to the savepoint; False if the whole transaction is gone (disk full, connection lost)."""
    try:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
    except SQLAlchemyError:
        return False
    return True
