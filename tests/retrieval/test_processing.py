"""Processing: step by step, a few files at a time, by one process at a time, to an end that says what it was."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import pytest
from tests.retrieval.shelves import ANN, WordEmbedder, completed, opened, story

from agentbench.errors import MissingExtra, StorageError, UnknownName, UpstreamUnavailable
from agentbench.retrieval.processing import MOST_ATTEMPTS
from agentbench.storage import passages, processing
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from agentbench.retrieval.library import Library
    from agentbench.retrieval.values import TextKind

pytestmark = pytest.mark.anyio
T = TypeVar("T")


async def embedding(library: Library, file_id: str, *, done: int = 0) -> None:
    """Wait until so many passages of a file are embedded."""
    async with asyncio.timeout(10), aclosing(library.watch(file_id)) as changes:
        async for each in changes:
            if each.step == "embedding" and each.done >= done:
                return
    pytest.fail("it was never embedded")


async def test_a_file_goes_through_its_steps(sqlite: Database) -> None:
    """`watch` tells them in order, and how many passages are embedded, to the end."""
    embedder = WordEmbedder(delay=0.01)
    async with opened(sqlite, embedder) as library:
        file = await library.add(ANN, "a.txt", story("Step", 10).encode())
        seen = [each async for each in library.watch(file.id)]
        done = [each.done for each in seen if each.step == "embedding"]
        assert {each.total for each in seen if each.step == "embedding"} == {10}
        assert (done[0], done[-1]) == (0, 10)
        assert done == sorted(set(done))
        assert len(done) > 3
        steps = list(dict.fromkeys(each.step for each in seen))
        assert steps[-2:] == ["embedding", "completed"]
        assert set(steps) <= {"waiting", "extracting", "splitting", "embedding", "completed"}


async def test_a_watcher_elsewhere_sees_the_same(sqlite: Database) -> None:
    """Another process on the database sees how far it is, and its end; also that it is deleted."""
    embedder = WordEmbedder()
    async with opened(sqlite, embedder) as library, opened(sqlite, WordEmbedder()) as other:
        embedder.gate.clear()
        some = [await library.add(ANN, "a.txt", story("Far", 3).encode()) for _ in range(2)]
        await asyncio.gather(*(embedding(library, each.id) for each in some))
        async with aclosing(other.watch(some[0].id)) as changes, aclosing(other.watch(some[1].id)) as more:
            for each in (await anext(changes), await anext(more)):
                assert (each.step, each.done, each.total) == ("embedding", 0, 3)
            await library.delete(ANN, some[1].id)
            embedder.gate.set()
            assert [each.step async for each in changes][-1] == "completed"
            assert [each.step async for each in more] == ["deleted"]


async def test_few_files_are_processed_at_a_time(sqlite: Database) -> None:
    """Two are; the others wait for their turn, and all come to it."""
    embedder = WordEmbedder()
    async with opened(sqlite, embedder) as library:
        embedder.gate.clear()
        some = [await library.add(ANN, f"{each}.txt", b"One passage.") for each in range(5)]
        await embedding(library, some[1].id)
        now = await library.wait(ANN, [each.id for each in some], within=0.1)
        assert [each.status for each in now] == ["processing", "processing", "pending", "pending", "pending"]
        embedder.gate.set()
        done = await library.wait(ANN, [each.id for each in some], within=10)
        assert {each.status for each in done} == {"completed"}


async def test_a_failure_says_why_and_can_be_tried_again(sqlite: Database) -> None:
    """What was embedded before it failed stays; `process` does the rest, and nothing twice."""
    embedder = WordEmbedder()
    async with opened(sqlite, embedder) as library:
        embedder.gate.clear()
        file = await library.add(ANN, "a.txt", story("Retry", 10).encode())
        await embedding(library, file.id)
        embedder.errors = []
        embedder.gate.set()
        await embedding(library, file.id, done=4)
        embedder.errors = [UpstreamUnavailable("The embedder is down. Start it.")]
        [failed] = await library.wait(ANN, [file.id], within=10)
        assert (failed.status, failed.error) == ("failed", "The embedder is down. Start it.")
        assert len(embedder.passages) < 10
        await library.process(ANN, file.id)
        [done] = await library.wait(ANN, [file.id], within=10)
        assert (done.status, done.error) == ("completed", None)
        assert sorted(embedder.passages) == sorted(set(embedder.passages))
        assert len(embedder.passages) == 10
        assert await library.process(ANN, file.id) == done


async def test_what_nobody_foresaw_is_told_plainly(sqlite: Database, caplog: pytest.LogCaptureFixture) -> None:
    """The file says to look into the log, which has the error; no class names, nor what was in it."""
    embedder = WordEmbedder()
    embedder.errors = [ValueError("https://key:secret@example.com")]
    async with opened(sqlite, embedder) as library:
        file = await library.add(ANN, "a.txt", b"One.")
        [failed] = await library.wait(ANN, [file.id], within=10)
    assert failed.status == "failed"
    assert failed.error == (
        "Something unforeseen kept it from being processed, which the log tells. Process it again, or report it."
    )
    assert "secret" in caplog.text


async def test_a_program_that_ends_leaves_its_files_to_the_next(sqlite: Database) -> None:
    """A thread that is refused since the interpreter ends isn't the file's fault: another process goes on with it."""
    embedder = WordEmbedder()
    embedder.errors = [RuntimeError("cannot schedule new futures after shutdown")]
    async with opened(sqlite, embedder) as library:
        file = await library.add(ANN, "a.txt", b"One.")
        await library.wait(ANN, [file.id], within=0.5)
    async with opened(sqlite, WordEmbedder()) as library:
        library.resume()
        [done] = await library.wait(ANN, [file.id], within=10)
    assert done.status == "completed"


async def test_a_missing_extra_is_named(sqlite: Database) -> None:
    """Where the embedder isn't installed, the file says what to install."""
    embedder = WordEmbedder()
    embedder.errors = [MissingExtra("retrieval", "The embedder"), ModuleNotFoundError("numpy")]
    async with opened(sqlite, embedder) as library:
        some = [(await library.add(ANN, "a.txt", b"One.")).id for _ in range(2)]
        failed = await library.wait(ANN, some, within=10)
    needs = 'needs an optional part. Install it: pip install "agentbench[retrieval]"'
    assert {each.error for each in failed} == {f"The embedder {needs}", f"Processing files {needs}"}


async def test_vectors_that_do_not_fit_are_refused(sqlite: Database) -> None:
    """An embedder that gives fewer vectors than texts makes the file fail, not the search."""

    class Short(WordEmbedder):
        async def embed(self, texts: Sequence[str], kind: TextKind) -> NDArray[np.float32]:
            return (await super().embed(texts, kind))[1:]

    async with opened(sqlite, Short()) as library:
        file = await library.add(ANN, "a.txt", b"One.")
        [failed] = await library.wait(ANN, [file.id], within=10)
    assert failed.error == "The embedder fake/words gave 0 vectors of 64 numbers for 1 texts."


async def test_a_restart_goes_on_where_it_was(database: Database) -> None:
    """A library that closes gives its files back at once; the next neither extracts nor embeds what is done."""
    first, second = WordEmbedder(), WordEmbedder()
    async with opened(database, first) as library:
        file = await library.add(ANN, "a.txt", story("Restart", 12).encode())
        first.delay = 0.05
        await embedding(library, file.id, done=4)
    assert 4 <= len(first.passages) < 12
    stored = database.read_now(partial(passages.count, file_id=file.id))[1]
    async with opened(database, second) as library:
        library.resume()
        [done] = await library.wait(ANN, [file.id], within=5)
        assert done.status == "completed"
    assert len(second.passages) == 12 - stored
    assert database.read_now(partial(passages.count, file_id=file.id)) == (12, 12)


async def test_what_a_dead_process_had_is_picked_up(sqlite: Database) -> None:
    """A lease that nobody renews ends; whoever looks next takes the file, and the old worker can store nothing."""
    async with opened(sqlite, lease=0.3) as library:
        file = await library.add(ANN, "a.txt", b"One passage.", process=False)
        now = datetime.now(UTC)
        await sqlite.write(partial(processing.queue, file_id=file.id))
        await sqlite.write(partial(processing.claim, worker="dead", now=now, until=now + timedelta(seconds=0.5)))
        [done] = await library.wait(ANN, [file.id], within=5)
        assert done.status == "completed"
        assert not await sqlite.write(partial(processing.fail, file_id=file.id, worker="dead", error="x"))


async def test_a_living_process_keeps_its_file(sqlite: Database) -> None:
    """Another library on the database leaves it alone for as long as its lease is renewed."""
    embedder, other = WordEmbedder(), WordEmbedder()
    async with opened(sqlite, embedder, lease=0.3) as library:
        embedder.gate.clear()
        file = await library.add(ANN, "a.txt", b"One passage.")
        await embedding(library, file.id)
        async with opened(sqlite, other, lease=0.3) as neighbour:
            [waiting] = await neighbour.wait(ANN, [file.id], within=1)
            assert waiting.status == "processing"
        embedder.gate.set()
        await library.wait(ANN, [file.id], within=5)
    assert (len(embedder.passages), other.passages) == (1, [])


async def test_two_libraries_share_the_work(database: Database) -> None:
    """Files that wait are taken by whichever is free; none twice."""
    both = [WordEmbedder(delay=0.02) for _ in range(2)]
    async with opened(database, both[0]) as one, opened(database, both[1]) as two:
        two.resume()
        some = [await one.add(ANN, f"{each}.txt", f"Passage {each}.".encode()) for each in range(12)]
        two.resume()
        await one.wait(ANN, [each.id for each in some], within=10)
    texts = [*both[0].passages, *both[1].passages]
    assert sorted(texts) == sorted(f"Passage {each}." for each in range(12))


async def test_deleting_stops_the_work(database: Database) -> None:
    """A file that is deleted while it is embedded leaves nothing, and the next one's turn comes."""
    embedder = WordEmbedder()
    async with opened(database, embedder) as library:
        embedder.gate.clear()
        some = [await library.add(ANN, f"{each}.txt", story("Gone", 3).encode()) for each in range(3)]
        await embedding(library, some[0].id)
        await library.delete(ANN, some[0].id)
        with pytest.raises(UnknownName):
            await library.wait(ANN, [some[0].id])
        embedder.gate.set()
        done = await library.wait(ANN, [each.id for each in some[1:]], within=10)
        assert [each.status for each in done] == ["completed"] * 2
        assert database.read_now(partial(passages.count, file_id=some[0].id)) == (0, 0)


async def test_a_file_that_ends_its_process_is_left_alone(sqlite: Database) -> None:
    """After some attempts that ended with their process, it fails, and says so."""
    async with opened(sqlite) as library:
        file = await library.add(ANN, "a.txt", b"One.", process=False)
    await sqlite.write(partial(processing.queue, file_id=file.id))
    now = datetime.now(UTC)
    for _ in range(MOST_ATTEMPTS):
        await sqlite.write(partial(processing.claim, worker="dead", now=now, until=now - timedelta(seconds=1)))
    async with opened(sqlite) as library:
        [failed] = await library.wait(ANN, [file.id], within=5)
        assert failed.status == "failed"
        assert failed.error == (
            "It was begun 10 times, and the process ended each time. Process it again, or split it."
        )
        await library.process(ANN, file.id)
        [done] = await library.wait(ANN, [file.id], within=5)
        assert done.status == "completed"


async def test_a_library_can_be_used_again(sqlite: Database) -> None:
    """After `aclose` the next call starts it anew; closing twice does nothing."""
    async with opened(sqlite) as library:
        await completed(library, "a.txt", "One.")
        await library.aclose()
        await library.aclose()
        await completed(library, "b.txt", "Two.")


async def test_a_database_in_trouble_is_asked_again(sqlite_url: str) -> None:
    """A write that fails for a moment costs the file nothing: it goes on from what is stored."""

    class Flaky(Database):
        failures = 1

        async def write(self, job: Callable[[Connection], T], *, within: float | None = None) -> T:
            if "save_vectors" in repr(job) and self.failures:
                self.failures -= 1
                raise StorageError("The database is busy.")
            return await super().write(job, within=within)

    embedder = WordEmbedder()
    with closing(Flaky(sqlite_url)) as database:
        async with opened(database, embedder) as library:
            file = await library.add(ANN, "a.txt", story("Trouble", 3).encode())
            [done] = await library.wait(ANN, [file.id], within=10)
    assert (done.status, done.passages, database.failures) == ("completed", 3, 0)
