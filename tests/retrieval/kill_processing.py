"""Uploads and processes files in one process after the other, and kills each at some moment; prints what was done.

Usage: kill_processing.py HOME ROUNDS
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import signal
import sys
import time
from contextlib import closing
from pathlib import Path

from tests.retrieval.shelves import ANN, WordEmbedder, opened, story

from agentbench.retrieval.extraction import extract
from agentbench.retrieval.indexing import packed
from agentbench.retrieval.splitting import split
from agentbench.storage.database import Database

LEASE_S = 0.5
LOADED = (extract, packed, split)  # before the first fork, or each process would take a second to load them


def text_of(name: str) -> str:
    """Return the text of the file of that name; some have many passages, some are larger than a part."""
    number = int(name.partition(".")[0])
    return story(f"File {number}", 2 + number % 12) + " " * (1_200_000 if number % 7 == 0 else 0)


def tell(*words: str) -> None:
    """Print a line in one piece."""
    os.write(sys.stdout.fileno(), f"{' '.join(words)}\n".encode())


async def work(home: Path, first: int) -> None:
    """Upload and delete files while they are processed."""
    with closing(Database(home=home)) as database:
        async with opened(database, WordEmbedder(delay=0.02), lease=LEASE_S) as library:
            papers = await library.create(ANN, "papers", handle="papers")
            for number in range(first, first + 9):
                name = f"{number}.txt"
                data = io.BytesIO(text_of(name).encode())
                file = await library.add(ANN, name, data, collection=papers.id)
                tell("added", file.id)
                if number % 5 == 0:
                    tell("deleting", file.id)
                    await library.delete(ANN, file.id)
                    tell("deleted", file.id)
                await asyncio.sleep(0.03)
            await asyncio.sleep(60)


def killed(home: Path, first: int) -> None:
    """Run a process, and kill it some time after it has begun."""
    process = os.fork()
    if process == 0:
        asyncio.run(work(home, first))
        os._exit(1)  # it is never reached
    time.sleep(random.uniform(0.1, 0.8))  # noqa: S311 - any moment will do
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


if __name__ == "__main__":
    for each in range(int(sys.argv[2])):
        killed(Path(sys.argv[1]), each * 10)
