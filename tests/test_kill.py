"""A process that is killed while it streams: what it acknowledged is there, what it held is free again."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, select
from tests.kill_streams import CONFIG

from agentbench import Workbench
from agentbench.storage import tables
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Table

STREAMS = 500
HELD_S = 3.0


def killed(home: Path, after: int) -> set[str]:
    """Run a process with many streams, kill it some time after so many answers; return the ids it acknowledged."""
    script = Path(__file__).with_name("kill_streams.py")
    command = [sys.executable, str(script), str(home), str(STREAMS), str(HELD_S)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = list(itertools.islice(process.stdout, after))
    time.sleep(random.uniform(0, 0.3))  # noqa: S311 - any moment will do
    process.kill()
    rest, _ = process.communicate()
    whole = rest[: rest.rfind("\n") + 1].splitlines()
    assert process.returncode != 0
    return {line.strip() for line in (*acknowledged, *whole)}


def column(connection: Connection, table: Table, name: str) -> list[object]:
    """Return a column's values."""
    return list(connection.scalars(select(table.c[name])))


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """Kill a process amid its streams; give its home folder and what it acknowledged."""
    home = tmp_path_factory.mktemp("killed")
    return home, killed(home, after=600)


def test_completed_answers_are_there(aftermath: tuple[Path, set[str]]) -> None:
    """Each that a client saw complete has its row in the ledger and its stored response; the file is sound."""
    home, acknowledged = aftermath
    with closing(Database(home=home)) as database:
        counted = database.read_now(partial(column, table=tables.usage, name="response_id"))
        stored = database.read_now(partial(column, table=tables.responses, name="id"))
        check = database.read_now(lambda connection: connection.exec_driver_sql("PRAGMA integrity_check").scalar())
    assert len(acknowledged) >= 600
    assert acknowledged <= set(counted)
    assert acknowledged <= set(stored)
    assert len(counted) == len(set(counted))
    assert check == "ok"


def test_no_reservation_outlives_its_time(aftermath: tuple[Path, set[str]]) -> None:
    """What the dead process held comes back; the balance is the start less what the ledger says was charged."""
    home, _ = aftermath
    with closing(Database(home=home)) as database:
        held = database.read_now(partial(column, table=tables.reservations, name="expires_at"))
        assert 0 < len(held) <= STREAMS
        time.sleep(max(0.0, (max(held) - datetime.now(UTC)).total_seconds()) + 0.05)
        charged = sum(database.read_now(partial(column, table=tables.usage, name="credits")))
    with Workbench(CONFIG, home=home) as bench:
        standing = bench.balance()
        assert (standing.reserved, standing.balance) == (0, 1_000_000_000_000_000 - round(charged * 1e6))
