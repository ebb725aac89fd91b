"""Leases on files: one worker at a time, and nothing is stored by one that lost its lease."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.storage.stored import START, claim, complete, counts, make, some_collection, some_file, some_passages

from agentbench.storage import collections, file_texts, files, passages, processing
from agentbench.storage.database import Database
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

pytestmark = pytest.mark.anyio
ANN = Reader("ann")


async def get(database: Database, file_id: str = "f") -> files.StoredFile:
    """Return a file as it is now."""
    found = await database.read(partial(files.get, file_id=file_id, reader=ANN))
    assert found is not None
    return found


async def begin(database: Database, *texts: str, worker: str = "one") -> None:
    """Store a file and its passages, and leave it with a worker."""

    def store(connection: Connection) -> None:
        files.add(connection, some_file("f"), [b"bytes"])
        claim(connection, worker)
        processing.save_text(connection, "f", worker, file_texts.FileText(text=" ".join(texts)), "digest")
        processing.save_passages(connection, "f", worker, some_passages(*texts))

    await database.write(store)


async def test_a_file_is_processed(database: Database) -> None:
    """On its way it is pending, processing and completed, and at the end it says what was made of it."""
    await database.write(lambda connection: files.add(connection, some_file("f"), []))
    claimed = await database.write(claim)
    assert claimed is not None
    assert (claimed.file.status, claimed.attempts) == ("processing", 1)
    assert await database.write(claim) is None
    steps: list[Callable[[Connection], bool]] = [
        lambda connection: processing.save_text(connection, "f", "one", file_texts.FileText(text="a b"), "digest"),
        lambda connection: processing.save_passages(connection, "f", "one", some_passages("a", "b")),
        lambda connection: processing.use_embedder(connection, "f", "one", "local/e5", 2),
        lambda connection: processing.save_vectors(connection, "f", "one", {0: b"12345678", 1: b"12345678"}),
        lambda connection: processing.complete(connection, "f", "one"),
    ]
    assert [await database.write(step) for step in steps] == [True] * 5
    done = await get(database)
    assert (done.status, done.text_digest, done.characters, done.passages) == ("completed", "digest", 3, 2)
    assert (done.embedder, done.dimensions, done.error) == ("local/e5", 2, None)


async def test_the_longest_waiting_is_next(database: Database) -> None:
    """Files are taken in the order in which they were queued; those that nobody asked for aren't."""

    def store(connection: Connection) -> None:
        files.add(connection, some_file("c", status="stored"), [])
        files.add(connection, some_file("b", updated_at=START.replace(year=2027)), [])
        files.add(connection, some_file("a", updated_at=START.replace(year=2028)), [])

    await database.write(store)
    taken = [await database.write(claim) for _ in range(3)]
    assert [each and each.file.id for each in taken] == ["b", "a", None]


async def test_two_processes_never_have_the_same_file(database: Database, database_url: str) -> None:
    """Of many that take files at once, each file is one's alone."""

    async def take(opened: Database, worker: str) -> None:
        while claimed := await opened.write(partial(claim, worker=worker)):
            taken.append(claimed.file.id)

    taken: list[str] = []
    await database.write(lambda connection: [files.add(connection, some_file(f"f{n:02}"), []) for n in range(20)])
    with closing(Database(database_url)) as other:
        await asyncio.gather(*(take(each, f"{each!r} {n}") for n in range(3) for each in (database, other)))
    assert sorted(taken) == [f"f{n:02}" for n in range(20)]


async def test_an_abandoned_file_is_taken_over(database: Database) -> None:
    """Once a lease has ended, another worker goes on with what is stored, and the first can store nothing more."""
    await begin(database, "a", "b")
    assert await database.write(partial(processing.renew, file_id="f", worker="one", until=START))
    claimed = await database.write(partial(claim, worker="two"))
    assert claimed is not None
    assert claimed.attempts == 2
    assert await database.read(partial(passages.count, file_id="f")) == (2, 0)
    late: list[Callable[[Connection], bool]] = [
        lambda connection: processing.renew(connection, "f", "one", START),
        lambda connection: processing.release(connection, "f", "one"),
        lambda connection: processing.save_text(connection, "f", "one", file_texts.FileText(text="x"), "x"),
        lambda connection: processing.save_passages(connection, "f", "one", []),
        lambda connection: processing.use_embedder(connection, "f", "one", "x", 1),
        lambda connection: processing.save_vectors(connection, "f", "one", {0: b"x"}),
        lambda connection: processing.complete(connection, "f", "one"),
        lambda connection: processing.fail(connection, "f", "one", "x"),
    ]
    assert [await database.write(each) for each in late] == [False] * len(late)
    assert await database.read(partial(passages.count, file_id="f")) == (2, 0)
    assert (await get(database)).text_digest == "digest"


async def test_a_deleted_file_takes_nothing_more(database: Database) -> None:
    """What a worker still stores of a deleted file is refused, and nothing stays."""
    await begin(database, "a")
    await database.write(partial(files.delete_all, file_ids=["f"]))
    assert not await database.write(lambda connection: processing.save_vectors(connection, "f", "one", {0: b"1234"}))
    assert not await database.write(lambda connection: processing.complete(connection, "f", "one"))
    assert await database.read(counts) == {}


async def test_embedding_goes_on_where_it_stopped(database: Database) -> None:
    """After a failure and a retry, only passages without vectors are left, unless another embedder is to make them."""
    await begin(database, "a", "b")
    await database.write(lambda connection: processing.use_embedder(connection, "f", "one", "local/e5", 1))
    await database.write(lambda connection: processing.save_vectors(connection, "f", "one", {0: b"1234"}))
    assert await database.write(lambda connection: processing.fail(connection, "f", "one", "down \0"))
    assert (await get(database)).error == "down \ufffd"
    assert await database.write(partial(processing.queue, file_id="f"))
    claimed = await database.write(claim)
    assert claimed is not None
    assert (claimed.attempts, claimed.file.error) == (1, None)
    await database.write(lambda connection: processing.use_embedder(connection, "f", "one", "local/e5", 1))
    left = await database.read(partial(passages.unembedded, file_id="f", limit=5))
    assert [(each.number, each.text, each.name) for each in left] == [(1, "b", "a.txt")]
    await database.write(lambda connection: processing.use_embedder(connection, "f", "one", "other/e5", 1))
    assert await database.read(partial(passages.count, file_id="f")) == (2, 0)


async def test_a_released_file_is_free_at_once(database: Database) -> None:
    """Another worker may take it, and the attempt that was broken off doesn't count."""
    await begin(database, "a")
    assert await database.write(lambda connection: processing.release(connection, "f", "one"))
    claimed = await database.write(partial(claim, worker="two"))
    assert claimed is not None
    assert claimed.attempts == 1


async def test_what_is_queued_afresh(database: Database) -> None:
    """Passages go, and the text unless a person wrote it; a file that isn't there can't be queued."""
    await begin(database, "a", "b")
    assert await database.write(partial(processing.queue, file_id="f", afresh=True))
    assert await database.read(counts) == {"files": 1, "file_parts": 1}
    assert await database.write(partial(processing.edit, file_id="f", text="mine", digest="m"))
    await database.write(partial(processing.queue, file_id="f", afresh=True))
    assert await database.read(counts) == {"files": 1, "file_parts": 1, "file_texts": 1}
    assert ((await get(database)).characters, (await get(database)).text_digest) == (4, "m")
    assert not await database.write(partial(processing.queue, file_id="missing"))


async def test_processing_twice_doubles_nothing(database: Database) -> None:
    """A file that is processed again has its passages once, and its collections are told."""

    def store(connection: Connection) -> None:
        collections.add(connection, some_collection("papers"))
        complete(connection, some_file("f"), some_passages("a", "b"), [b"1234"] * 2, joins=["papers"])

    def again(connection: Connection) -> None:
        processing.queue(connection, "f", afresh=True)
        make(connection, "f", some_passages("a", "c"), [b"1234"] * 2)

    await database.write(store)
    before = await database.read(counts)
    for _ in range(2):
        await database.write(again)
    papers = await database.read(partial(collections.get, collection_id="papers", reader=ANN))
    assert papers is not None
    assert await database.read(counts) == before
    assert papers.version > 2
    assert (await get(database)).passages == 2
