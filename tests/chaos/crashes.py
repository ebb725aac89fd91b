"""Processes that are killed amid their work, on one database that goes on: what they acknowledged must be there.

Half of them are kernels, half are servers over HTTP. No model is asked: the answers are scripted.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select
from tests.chaos.killed_server import acknowledged_by
from tests.kill_streams import CONFIG

from agentbench import Workbench
from agentbench.storage import tables
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Table
    from tests.chaos.report import Report

__all__ = ["run"]

KILLS = 50
STREAMS = 100
HELD_S = 3.0
START = 1_000_000_000_000_000  # as CONFIG says, in millionths


def run(report: Report, *, share: float) -> None:
    """Kill, look, and go on with the same file."""
    kills = max(2, round(KILLS * share))
    for who, killed in (("kernels", _killed_kernel), ("servers", acknowledged_by)):
        with report.trying("crashes", f"kill -9 of {who} amid {STREAMS} streams") as row:
            with tempfile.TemporaryDirectory() as name:
                home, answers = Path(name), set[str]()
                for _ in range(kills // 2):
                    answers |= killed(home)
                    row.times += 1
                    row.lost += [f"{who}, kill {row.times}: {each}" for each in _look(home, answers)]
                row.lost += _balance(home, released=who == "kernels") if answers else ["nothing was answered"]
            row.measured = f"{len(answers)} answers acknowledged"


def _killed_kernel(home: Path) -> set[str]:
    """Run a process with many streams, and kill it at some moment; return the ids of what it saw complete."""
    script = Path(__file__).parent.parent / "kill_streams.py"
    command = [sys.executable, str(script), str(home), str(STREAMS), str(HELD_S)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(random.uniform(0, 1))  # noqa: S311 - any moment will do
    process.kill()
    rest, _ = process.communicate()
    whole = (first + rest)[: (first + rest).rfind("\n") + 1]
    return set(whole.split())


def _look(home: Path, answers: set[str]) -> list[str]:
    """Return what is missing or unsound."""
    with closing(Database(home=home)) as database:
        sound = database.read_now(lambda connection: connection.exec_driver_sql("PRAGMA integrity_check").scalar())
        stored = database.read_now(partial(_column, table=tables.responses, name="id"))
        counted = database.read_now(partial(_column, table=tables.usage, name="response_id"))
    wrong = [] if sound == "ok" else [f"the file is unsound: {sound}"]
    wrong += [f"{len(answers - set(stored))} answers aren't stored"] if answers - set(stored) else []
    wrong += [f"{len(answers - set(counted))} answers aren't in the ledger"] if answers - set(counted) else []
    return wrong + (["rows are doubled"] if len(counted) != len(set(counted)) else [])


def _balance(home: Path, *, released: bool) -> list[str]:
    """Return what is wrong with the balance; where it is `released`, no reservation may hold any more.

    A server's reservations hold for minutes, which nobody waits for here.
    """
    time.sleep(HELD_S + 0.1 if released else 0)
    with closing(Database(home=home)) as database:
        charged = database.read_now(lambda connection: connection.scalar(select(func.sum(tables.usage.c.credits)))) or 0
    with Workbench(CONFIG, home=home) as bench:
        left = bench.balance()
    expected = START - round(charged * 1e6)
    if left is None or left.reserved + left.balance != expected or (released and left.reserved):
        return [f"of {expected} there are {left}"]
    return []


def _column(connection: Connection, table: Table, name: str) -> list[str]:
    return list(connection.scalars(select(table.c[name])))
