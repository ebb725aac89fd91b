"""The database: where it is, when it opens, and the ways in: `write`, `record` and `read`.

Owns engines and the writer thread. Knows no query: those are functions of a `Connection` in the modules named after
their subjects.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from agentbench.errors import StorageError
from agentbench.storage.engine import open_reader, open_writer, parse_url
from agentbench.storage.failures import collided, database_name, explained
from agentbench.storage.home import home_folder, make_private_folder
from agentbench.storage.schema import migrate
from agentbench.storage.unsaved import Outcome, Unsaved, save, spill_places
from agentbench.storage.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

__all__ = ["Database"]

T = TypeVar("T")

PATIENCE_S = 2.0
"""How long an answer waits for the database to take it."""

PATIENCE_IN_TROUBLE_S = 0.25
"""How long it waits while others wait to be stored already."""

_log = logging.getLogger(__name__)


class Database:
    """One database, opened and migrated on first use, from any thread and any event loop.

    `url` is a SQLite or PostgreSQL URL, `home` a folder that holds `agentbench.db`. Without either
    `AGENTBENCH_DATABASE_URL` counts, and without that the home folder of `AGENTBENCH_HOME` or of the user. Whoever
    made it closes it.
    """

    def __init__(self, url: str | None = None, *, home: Path | None = None) -> None:
        given = url or (os.environ.get("AGENTBENCH_DATABASE_URL") if home is None else None)
        self._home = None if given else (home or home_folder(os.environ)).absolute()
        self._url = parse_url(given) if given else URL.create("sqlite", database=f"{self._home}/agentbench.db")
        self._file = Path(str(self._url.database)) if self._url.drivername == "sqlite" else None
        self._wal = None if self._file is None else Path(f"{self._file}-wal")
        self._lock = Lock()
        self._engines: _Engines | None = None
        self._closed = False
        self._writer = Writer(self._transaction, collided=collided)
        self.unsaved = Unsaved(spill_places(self._url, os.environ))
        self._flushing: Future[None] | None = None
        self._problem = ""  # that the log was told of
        self._replaced: str | None = None

    def __repr__(self) -> str:
        return f"Database({database_name(self._url)!r})"

    async def write(self, job: Callable[[Connection], T], *, within: float | None = None) -> T:
        """Run a job in a transaction and return what it returns, once that is committed.

        Jobs run in order on one thread and share commits; one that raises is undone alone and raises here. A job
        that was submitted is carried out even if its caller is cancelled, or didn't wait longer than `within` seconds,
        which raises `StorageError`. It must not commit or roll back itself, and may be run again, after being undone.
        """
        with explained(self._url):
            written = asyncio.wrap_future(self._writer.submit(job))
            # A time-out of asyncio's would also count the time in which the loop itself was held up.
            try:
                await asyncio.wait({written}, timeout=within)
                if written.done():
                    return written.result()
            finally:
                written.cancel()  # if it isn't done, nobody waits for it any more
            raise StorageError(f"The database {database_name(self._url)} is busy: it took nothing in time.")

    async def record(self, outcome: Outcome) -> str | None:
        """Store what a turn leaves, or keep it until that is possible; returns what went wrong, None if nothing did.

        Takes no longer than `PATIENCE_S`. The log is told once of each problem.
        """
        try:
            await self.write(partial(save, outcome=outcome), within=self.patience)
        except StorageError as error:
            told = f"{error.message} {self.unsaved.keep(outcome)}"
            if self._problem != told:
                self._problem = told
                _log.warning("An answer could not be stored. %s", told)
            return told
        told_once, self._replaced = self._replaced, None
        return told_once

    @property
    def patience(self) -> float:
        """How many seconds an answer may wait for a write now."""
        return PATIENCE_IN_TROUBLE_S if self.unsaved else PATIENCE_S

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that only reads, on a worker thread; all its queries see the same moment."""
        return await asyncio.to_thread(self.read_now, job)

    def read_now(self, job: Callable[[Connection], T]) -> T:
        """Run a job that only reads, on this thread."""
        with explained(self._url):
            opened = self._opened()
            if self.unsaved:
                self._flush()
            with opened.reader.begin() as connection:
                return job(connection)

    def close(self) -> None:
        """Carry out the writes that are queued, then disconnect; more calls do nothing. Blocks until done."""
        if self.unsaved and not self._closed:
            self._flush()
        self._writer.close()
        with self._lock:
            self._closed = True
            if self._engines is not None:
                self._engines.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        writer = self._opened().writer
        if self.unsaved:
            self._save_kept(writer)
        with writer.begin() as connection:
            yield connection

    def _save_kept(self, writer: Engine) -> None:
        """Store what is kept in a transaction of its own: one that is too large for the disk must not fail others."""
        with writer.begin() as connection:
            try:
                saved = self.unsaved.replay(connection)
            except SQLAlchemyError:
                return
        self.unsaved.forget(saved)
        if not self.unsaved:
            self._problem = ""
            level = logging.WARNING if self.unsaved.dropped else logging.INFO
            _log.log(level, "What had waited is stored (%d); %d found no room.", len(saved), self.unsaved.dropped)

    def _flush(self) -> None:
        """Give what is kept a moment to be stored."""
        with suppress(Exception):  # whoever wrote what is kept was told
            if self._flushing is None or self._flushing.done():
                self._flushing = self._writer.submit(lambda _: None)
            self._flushing.result(PATIENCE_IN_TROUBLE_S)

    def _opened(self) -> _Engines:
        with self._lock:
            if self._closed:
                raise StorageError("The database was closed. Make a new Database to go on.")
            if self._engines is not None and self._engines.file != _identity(self._file):
                self._abandon(self._engines)
            if self._engines is None:
                self._engines = self._open()
                self.unsaved.load()
            return self._engines

    def _abandon(self, engines: _Engines) -> None:
        """Leave a file that another one, or none, has taken the place of."""
        self._replaced = (
            f"The database {database_name(self._url)} was deleted or replaced while it was in use. What it held is"
            " not there any more; this goes on with what is there now."
        )
        _log.warning(self._replaced)
        engines.dispose()
        self._engines = None
        if self._wal is not None and engines.wal == _identity(self._wal):
            # SQLite would mix the old file's changes into the new one.
            self._wal.unlink(missing_ok=True)
            Path(f"{self._file}-shm").unlink(missing_ok=True)

    def _open(self) -> _Engines:
        if self._home is not None:
            make_private_folder(self._home)
        engines = _Engines(writer=open_writer(self._url), reader=open_reader(self._url))
        try:
            with engines.writer.begin() as connection:
                migrate(connection)
        except BaseException:
            engines.dispose()
            raise
        return engines._replace(file=_identity(self._file), wal=_identity(self._wal))


class _Engines(NamedTuple):
    writer: Engine
    reader: Engine
    file: tuple[int, int] | None = None  # of SQLite: writes to a deleted file succeed, and are gone
    wal: tuple[int, int] | None = None

    def dispose(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


def _identity(file: Path | None) -> tuple[int, int] | None:
    """Tell a file from another one in its place."""
    if file is None:
        return None
    with suppress(OSError):
        found = file.stat()
        return found.st_dev, found.st_ino
    return None
