"""Two processes that pay from the same balances at once."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from agentbench.config.balance import BalanceRules
from agentbench.storage import balances, tables

if TYPE_CHECKING:
    from agentbench.storage.database import Database

START = 2_000
SPENDER = Path(__file__).with_name("balance_spender.py")


def start_spender(url: str, seed: int, tasks: int) -> subprocess.Popen[str]:
    """Start a process in which so many tasks reserve 50 each, at once."""
    command = [sys.executable, str(SPENDER), url, str(seed), str(tasks)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lowest(database: Database) -> int:
    """Return the smallest balance that there is."""
    query = select(func.coalesce(func.min(tables.balances.c.microcredits), START))
    return database.read_now(lambda connection: int(connection.scalar(query) or 0))


def test_nobody_overspends(database_url: str, database: Database) -> None:
    """200 calls at once, made by two processes for two users: no balance is ever below zero, and each ends right."""
    spenders = [start_spender(database_url, seed, 100) for seed in (1, 2)]
    seen = []
    while any(each.poll() is None for each in spenders):
        seen.append(lowest(database))
    outputs = [each.communicate() for each in spenders]
    assert [errors for _, errors in outputs] == ["", ""]
    assert min(seen) >= 0
    done = [line.split() for out, _ in outputs for line in out.splitlines()]
    assert len(done) == 200
    assert sum(what == "refused" for _, what in done) > 0
    for user in ("ann", "bob"):
        charged = sum(int(what) for name, what in done if name == user and what != "refused")
        show = partial(balances.show, user=user, rules=BalanceRules(start=START), now=datetime.now(UTC))
        standing = database.read_now(show)
        assert (standing.balance, standing.reserved) == (START - charged, 0)
