"""Several processes on one database, and one that is killed."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agentbench.storage import usage

if TYPE_CHECKING:
    from agentbench.storage.database import Database


def start_writer(url: str, name: str, count: int) -> subprocess.Popen[str]:
    """Start a process in which five tasks append so many rows each and print their ids."""
    script = Path(__file__).with_name("ledger_writer.py")
    command = [sys.executable, str(script), url, name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ids(database: Database) -> set[str]:
    """Return the ids in the ledger."""
    return {row.id for row in database.read_now(usage.rows)}


def test_processes_write_at_once(database_url: str, database: Database) -> None:
    """Two kernels and a server make the empty database theirs, meet no error and lose no row."""
    writers = [start_writer(database_url, name, 100) for name in ("a", "b", "c")]
    outputs = [writer.communicate() for writer in writers]
    assert [(writer.returncode, errors) for writer, (_, errors) in zip(writers, outputs, strict=True)] == [(0, "")] * 3
    acknowledged = {line for out, _ in outputs for line in out.splitlines()}
    assert len(acknowledged) == 1500
    assert ids(database) == acknowledged


def test_a_killed_process_loses_no_acknowledged_row(sqlite_url: str, sqlite: Database) -> None:
    """Whatever it was doing, the rows that it was told of are there, and the file is sound."""
    writer = start_writer(sqlite_url, "a", 10_000)
    assert writer.stdout is not None
    acknowledged = [line.strip() for line in itertools.islice(writer.stdout, 200)]
    writer.kill()
    rest, _ = writer.communicate()
    acknowledged += [line for line in rest.splitlines(keepends=False) if line.startswith("a-")]
    assert writer.returncode != 0
    assert len(acknowledged) >= 200
    assert set(acknowledged) <= ids(sqlite)
    check = sqlite.read_now(lambda connection: connection.exec_driver_sql("PRAGMA integrity_check").scalar())
    assert check == "ok"
