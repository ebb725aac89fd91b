"""How fast passages are stored and found, and how much memory their search takes.

Run: python benchmarks/retrieval/speed.py [--passages 100000] [--url postgresql://…]; without a URL in a temporary
SQLite file. Vectors are random; words come from a vocabulary in which, as in a language, few are common.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from agentbench.protocol.values import new_id
from agentbench.retrieval.index import Index
from agentbench.retrieval.indexing import new_passages, packed
from agentbench.retrieval.values import Piece
from agentbench.storage import collections, files, processing
from agentbench.storage.database import Database
from agentbench.storage.searchable import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from agentbench.retrieval.values import Ranking

DIMENSIONS = 384
COLLECTIONS = 10
PASSAGES_A_FILE = 100
WORDS_A_PASSAGE = 120
SEARCHES = 60
WORKER = "benchmark"

random = np.random.default_rng(7)
vocabulary = np.array([f"w{hashlib.sha1(str(n).encode()).hexdigest()[:6]}" for n in range(30_000)])  # noqa: S324 - names


def words(count: int) -> str:
    """Return words, of which the first of the vocabulary are the most common."""
    return " ".join(vocabulary[np.minimum(random.zipf(1.2, count), len(vocabulary)) - 1])


def store_file(connection: Connection, collection_id: str, pieces: Sequence[Piece], vectors: np.ndarray) -> None:
    """Store a file as a worker does, from its bytes to its vectors."""
    now = datetime.now(UTC)
    file = files.StoredFile(
        id=new_id("file"),
        user="ann",
        name="a.txt",
        content_type="text/plain",
        size=1,
        digest="",
        status="pending",
        created_at=now,
        updated_at=now,
    )
    files.add(connection, file, [b"-"], joins=[collection_id])
    processing.claim(connection, WORKER, now=now, until=now + timedelta(minutes=1))
    processing.save_passages(connection, file.id, WORKER, new_passages(pieces))
    processing.use_embedder(connection, file.id, WORKER, "benchmark/random", DIMENSIONS)
    processing.save_vectors(connection, file.id, WORKER, dict(enumerate(packed(vectors))))
    processing.complete(connection, file.id, WORKER)


async def fill(database: Database, collection_ids: Sequence[str], count: int) -> tuple[float, float]:
    """Store so many passages in all collections; returns passages a second, and a second of this process's work."""
    spent = worked = 0.0
    for number in range(count // PASSAGES_A_FILE):
        texts = [words(WORDS_A_PASSAGE) for _ in range(PASSAGES_A_FILE)]
        pieces = [Piece(text=each, start=0, end=len(each)) for each in texts]
        vectors = random.standard_normal((PASSAGES_A_FILE, DIMENSIONS), np.float32)
        job = partial(
            store_file,
            collection_id=collection_ids[number % len(collection_ids)],
            pieces=pieces,
            vectors=vectors,
        )
        started, busy = time.perf_counter(), time.process_time()
        await database.write(job)
        spent += time.perf_counter() - started
        worked += time.process_time() - busy
    return count / spent, count / worked


async def waits(index: Index, scopes: Sequence[Scope], ranking: Ranking) -> list[float]:
    """Return how many milliseconds searches took, each scope loaded before."""
    taken = []
    for number in range(SEARCHES + len(scopes)):
        query, vector = words(6), random.standard_normal((1, DIMENSIONS), np.float32)
        started = time.perf_counter()
        found = await index.search([query], vector, scopes[number % len(scopes)], top_k=5, ranking=ranking)
        taken.append(1000 * (time.perf_counter() - started))
        if len(found.hits) != 5:  # noqa: PLR2004 - top_k
            raise AssertionError(found)
    return taken[len(scopes) :]


async def measure(database: Database, collection_ids: Sequence[str], total: int) -> None:
    """Print how long searches take in one collection, in all, and how much memory that needs."""
    ones = [Scope(collections=(each,)) for each in collection_ids]
    everything = [Scope(collections=tuple(collection_ids))]
    rows: tuple[tuple[str, list[Scope], Ranking], ...] = (
        ("one, fused", ones, "fused"),
        ("one, vectors", ones, "vectors"),
        ("one, text", ones, "text"),
        ("all, fused", everything, "fused"),
    )
    for label, scopes, ranking in rows:
        index = Index(database)
        started = time.perf_counter()
        await index.search(["first"], np.ones((1, DIMENSIONS), np.float32), scopes[0], top_k=5)
        cold = time.perf_counter() - started
        taken = await waits(index, scopes, ranking)
        p50, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        memory = psutil.Process().memory_info().rss / 1e6
        print(
            f"{total:8,} {label:14} p50 {p50:6.1f} ms  p95 {p95:6.1f} ms  min {min(taken):6.1f} ms"
            f"  first {cold:5.2f} s  index {index.nbytes / 1e6:5.0f} MB  process {memory:5.0f} MB"
        )


async def run(url: str, passages: int) -> None:
    """Fill and measure, tenfold more each time."""
    database = Database(url)
    try:
        now = datetime.now(UTC)
        ids = [new_id("coll") for _ in range(COLLECTIONS)]
        for each in ids:
            made = collections.Collection(id=each, user="ann", handle=each, name=each, created_at=now, updated_at=now)
            await database.write(partial(collections.add, collection=made))
        there = 0
        for total in sorted({min(passages, each) for each in (1000, 10_000, 100_000, passages)}):
            rate, work_rate = await fill(database, ids, total - there)
            there = total
            print(f"{total:8,} stored at {rate:,.0f} passages/s ({work_rate:,.0f} a second of work)")
            await measure(database, ids, total)
    finally:
        database.close()


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(options.url or f"sqlite:///{Path(folder) / 'speed.db'}", options.passages))


if __name__ == "__main__":
    main()
