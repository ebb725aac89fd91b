"""The database: where it is, when it opens, and the two ways in, `write` and `read`.

Owns engines and the writer thread. Knows no query: those are functions of a `Connection` in the modules named after
their subjects.
"""

from __future__ import annotations

import asyncio
import os
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sqlalchemy import URL, Connection, Engine

from agentbench.errors import StorageError
from agentbench.storage.engine import open_reader, open_writer, parse_url
from agentbench.storage.failures import database_name, explained
from agentbench.storage.home import home_folder, make_private_folder
from agentbench.storage.migrations import migrate
from agentbench.storage.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["Database"]

T = TypeVar("T")


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
        self._lock = Lock()
        self._engines: _Engines | None = None
        self._closed = False
        self._writer = Writer(self._transaction)

    def __repr__(self) -> str:
        return f"Database({database_name(self._url)!r})"

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction and return what it returns, once that is committed.

        Jobs run in order on one thread and share commits; one that raises is undone alone and raises here. A job
        that was submitted is carried out even if its caller is cancelled. It must not commit or roll back itself.
        """
        with explained(self._url):
            return await asyncio.wrap_future(self._writer.submit(job))

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that only reads, on a worker thread; all its queries see the same moment."""
        return await asyncio.to_thread(self.read_now, job)

    def read_now(self, job: Callable[[Connection], T]) -> T:
        """Run a job that only reads, on this thread."""
        with explained(self._url), self._opened().reader.begin() as connection:
            return job(connection)

    def close(self) -> None:
        """Carry out the writes that are queued, then disconnect; more calls do nothing. Blocks until done."""
        self._writer.close()
        with self._lock:
            self._closed = True
            if self._engines is not None:
                self._engines.dispose()

    def _transaction(self) -> AbstractContextManager[Connection]:
        return self._opened().writer.begin()

    def _opened(self) -> _Engines:
        with self._lock:
            if self._closed:
                raise StorageError("The database was closed. Make a new Database to go on.")
            if self._engines is None:
                self._engines = self._open()
            return self._engines

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
        return engines


class _Engines(NamedTuple):
    writer: Engine
    reader: Engine

    def dispose(self) -> None:
        self.writer.dispose()
        self.reader.dispose()
