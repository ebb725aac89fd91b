"""A process of its own that appends ledger rows and prints the id of each as soon as it is acknowledged.

Run: python ledger_writer.py URL NAME COUNT
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from functools import partial

from agentbench.storage import usage
from agentbench.storage.database import Database
from agentbench.storage.usage import UsageRow


async def append(database: Database, name: str, count: int) -> None:
    """Append rows one after the other."""
    for number in range(count):
        row = UsageRow(
            id=f"{name}-{number}",
            time=datetime.now(UTC),
            user="ann",
            context="message",
            endpoint="local",
            model="smollm2",
            duration=1.5,
            status="completed",
        )
        await database.write(partial(usage.append, row=row))
        print(row.id, flush=True)  # noqa: T201 - the test reads it


async def run(url: str, name: str, count: int) -> None:
    """Append rows from five tasks at once."""
    database = Database(url)
    await asyncio.gather(*(append(database, f"{name}-{task}", count) for task in range(5)))
    database.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3])))
