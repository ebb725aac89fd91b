"""Opening, writing, reading and closing."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, event, func, select, text

from agentbench.errors import StorageError
from agentbench.storage import tables, usage
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio


def count(connection: Connection) -> int:
    """Count the rows of the ledger."""
    return connection.execute(select(func.count()).select_from(tables.usage)).scalar_one()


def appending(row: UsageRow, name: str) -> Callable[[Connection], None]:
    """Return a job that appends a row of that id."""
    return partial(usage.append, row=replace(row, id=name))


async def start_together(database: Database, *jobs: Callable[[Connection], Any]) -> list[asyncio.Task[Any]]:
    """Submit jobs while the writer is held up, so that they share one commit."""
    held, go = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        held.set()
        go.wait()

    holding = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(held.wait)
    writes = [asyncio.create_task(database.write(job)) for job in jobs]
    await asyncio.sleep(0)  # each task submits its job
    go.set()
    await holding
    return writes


def test_a_database_opens_on_first_use(home: Path) -> None:
    """Making one touches nothing; the first read makes the file in the home folder."""
    database = Database()
    existed = home.exists()
    assert (existed, database.read_now(count)) == (False, 0)
    assert (home / "agentbench.db").is_file()
    database.close()


def test_the_environment_names_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """AGENTBENCH_DATABASE_URL counts where no URL is given; its password never shows."""
    monkeypatch.setenv("AGENTBENCH_DATABASE_URL", "postgresql://ann:geheim@host:5433/bench?password=geheim")
    assert repr(Database()) == "Database('postgresql://ann:***@host:5433/bench')"


async def test_a_write_returns_what_its_job_returns(database: Database) -> None:
    """The job's value comes out, of a read too."""
    assert await database.write(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1
    assert await database.read(lambda connection: connection.execute(text("SELECT 2")).scalar()) == 2


def test_a_write_is_acknowledged_after_its_commit(database: Database, database_url: str, row: UsageRow) -> None:
    """At the moment that the caller is told, another connection sees the row."""
    other = Database(database_url)
    assert other.read_now(count) == 0
    seen: list[int] = []
    future = database._writer.submit(appending(row, "a"))
    future.add_done_callback(lambda _: seen.append(other.read_now(count)))
    database.close()
    other.close()
    assert seen == [1]


async def test_jobs_that_wait_share_a_commit(database: Database, row: UsageRow) -> None:
    """Twenty jobs that arrive during a commit need one more, not twenty."""
    commits: list[Connection] = []
    event.listen(database._opened().writer, "commit", commits.append)
    await asyncio.gather(*await start_together(database, *(appending(row, str(n)) for n in range(20))))
    assert (len(commits), await database.read(count)) == (2, 20)


async def test_a_failing_job_fails_alone(database: Database, row: UsageRow) -> None:
    """Its own exception reaches its caller, its own changes are undone, and the rest of the batch is kept."""

    def fail(connection: Connection) -> None:
        usage.append(connection, replace(row, id="b"))
        raise LookupError("mine")

    jobs = appending(row, "a"), fail, appending(row, "a"), appending(row, "c")
    writes = await start_together(database, *jobs)
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["NoneType", "LookupError", "IntegrityError", "NoneType"]
    assert [each.id for each in await database.read(usage.rows)] == ["a", "c"]


async def test_a_lost_transaction_fails_the_whole_batch(sqlite: Database, row: UsageRow) -> None:
    """When the disk is full, SQLite may drop what the batch did before, so none of it is acknowledged."""

    def forbid_growth(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")

    await sqlite.write(forbid_growth)
    large = replace(row, id="b", model="x" * 100_000)
    results = await asyncio.gather(
        *await start_together(sqlite, appending(row, "a"), partial(usage.append, row=large)), return_exceptions=True
    )
    assert ["disk is full" in str(result) for result in results] == [True, True]
    assert await sqlite.read(count) == 0


async def test_a_write_outlives_its_caller(database: Database, database_url: str, row: UsageRow) -> None:
    """A write that was submitted is carried out although the task that awaits it is cancelled."""
    (write,) = await start_together(database, appending(row, "a"))
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await write
    database.close()
    other = Database(database_url)
    assert await other.read(count) == 1
    other.close()


async def test_close_carries_out_what_is_queued(database: Database, database_url: str, row: UsageRow) -> None:
    """Rows whose callers were still waiting, or had given up, are there afterwards."""
    writes = await start_together(database, *(appending(row, str(n)) for n in range(300)))
    for write in writes[:150]:
        write.cancel()
    await asyncio.to_thread(database.close)
    other = Database(database_url)
    assert await other.read(count) == 300
    other.close()


async def test_close_may_come_twice(database: Database) -> None:
    """Closing again does nothing; reading and writing say what happened."""
    await database.read(count)
    database.close()
    database.close()
    with pytest.raises(StorageError, match="was closed"):
        await database.read(count)
    with pytest.raises(StorageError, match="was closed"):
        await database.write(count)


def test_each_event_loop_may_use_it(database: Database, row: UsageRow) -> None:
    """The database belongs to no loop and no thread."""
    threads = [
        threading.Thread(target=lambda name=name: asyncio.run(database.write(appending(row, name)))) for name in "abc"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.read_now(count) == 3


@pytest.mark.postgres
async def test_a_lost_connection_is_replaced(postgres_url: str, row: UsageRow) -> None:
    """The write that met it fails as a storage error; the next one works."""
    database = Database(postgres_url)
    with pytest.raises(StorageError, match="terminating connection"):
        await database.write(
            lambda connection: connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        )
    await database.write(appending(row, "a"))
    assert await database.read(count) == 1
    database.close()
