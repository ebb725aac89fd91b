"""Two processes that write the same rows at the same time, which only PostgreSQL lets them."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.storage.stored import some_collection, some_file

from agentbench.storage import collections, files
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]


@pytest.fixture
def two(postgres_url: str) -> Iterator[tuple[Database, Database]]:
    """Give two processes' databases, with the collections a and b."""
    pair = Database(postgres_url), Database(postgres_url)
    for name in ("a", "b"):
        pair[0]._writer.submit(partial(collections.add, collection=some_collection(name))).result()
    yield pair
    for each in pair:
        each.close()


def touching(first: str, second: str, met: threading.Barrier) -> Callable[[Connection], int]:
    """Return a job that touches two collections, and between them waits for the other the first time."""
    runs: list[int] = []

    def job(connection: Connection) -> int:
        collections.touch(connection, [first])
        if not runs:
            met.wait(10)
        runs.append(1)
        collections.touch(connection, [second])
        return len(runs)

    return job


async def test_jobs_that_wait_for_each_other(two: tuple[Database, Database]) -> None:
    """The one that the server gives up on is run once more, and both are done."""
    met = threading.Barrier(2)
    runs = await asyncio.gather(two[0].write(touching("a", "b", met)), two[1].write(touching("b", "a", met)))
    found = await two[0].read(
        lambda connection: [each.version for each in collections.by_name(connection, "Papers", "ann")]
    )
    assert (sorted(runs), found) == ([1, 2], [2, 2])


async def test_a_collection_that_goes_while_a_file_is_stored(two: tuple[Database, Database]) -> None:
    """The file's job finds out what is there now, not that a row is missing."""
    seen = threading.Event()
    gone = threading.Event()

    def add(connection: Connection) -> bool:
        there = bool(collections.by_handle(connection, "a", "ann"))
        seen.set()
        gone.wait(10)
        files.add(connection, some_file("f"), [], joins=["a"] if there else [])
        return there

    adding = asyncio.create_task(two[0].write(add))
    await asyncio.to_thread(seen.wait, 10)
    await two[1].write(partial(collections.delete_one, collection_id="a"))
    gone.set()
    assert not await adding
