"""How fast the ledger takes rows: acknowledged commits a second, and how long one waits for its own.

Run: python benchmarks/ledger.py [--rows 5000] [--url postgresql://…]; without a URL in a temporary SQLite file.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from agentbench.protocol.values import new_id
from agentbench.storage import usage
from agentbench.storage.database import Database


def example_row() -> usage.UsageRow:
    """Return a row with all counts filled in."""
    return usage.UsageRow(
        id=new_id("usage"),
        time=datetime.now(UTC),
        user="ann",
        context="chat",
        conversation_id="conv_1",
        response_id="resp_1",
        endpoint="local",
        model="smollm2",
        input_tokens=1200,
        cached_tokens=800,
        cache_write_tokens=0,
        output_tokens=300,
        reasoning_tokens=0,
        cost=0.0042,
        time_to_first_token=0.2,
        duration=1.5,
        status="completed",
    )


async def append_rows(database: Database, count: int, waits: list[float]) -> None:
    """Append rows one after the other, and note how long each took to be committed."""
    for _ in range(count):
        started = time.perf_counter()
        await database.write(partial(usage.append, row=example_row()))
        waits.append(time.perf_counter() - started)


async def measure(database: Database, *, tasks: int, rows: int) -> None:
    """Print rows a second and the waits with so many tasks at once."""
    waits: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(append_rows(database, rows // tasks, waits) for _ in range(tasks)))
    taken = time.perf_counter() - started
    percentiles = [1000 * each for each in statistics.quantiles(waits, n=100)]
    p50, p99 = percentiles[49], percentiles[98]
    print(f"{tasks:3} tasks: {len(waits) / taken:8,.0f} rows/s   ack p50 {p50:6.2f} ms  p99 {p99:6.2f} ms")


async def run(url: str, rows: int) -> None:
    """Measure one task, then fifty."""
    database = Database(url)
    try:
        await append_rows(database, 10, [])
        for tasks in (1, 50):
            await measure(database, tasks=tasks, rows=rows)
    finally:
        database.close()


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{Path(folder) / 'ledger.db'}"
        asyncio.run(run(url, options.rows))


if __name__ == "__main__":
    main()
