"""Files of the library: how they come in, what is refused, who may read them, and what stays of them."""

from __future__ import annotations

import asyncio
import io
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select
from tests.retrieval.shelves import ADMIN, ANN, BOB, WordEmbedder, completed, opened, story

from agentbench.errors import InvalidRequest, PermissionDenied, RequestTooLarge, UnknownName
from agentbench.storage import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
OF_FILES = (tables.files, tables.file_parts, tables.file_texts, tables.passages, tables.collection_files)


def rows(connection: Connection) -> dict[str, int]:
    """Count the rows of all tables that hold what is made of files."""
    return {each.name: connection.scalar(select(func.count()).select_from(each)) or 0 for each in OF_FILES}


async def test_a_file_is_stored_at_once_and_completed_soon(database: Database) -> None:
    """`add` returns a pending file; a moment later its text, its passages and their vectors are there."""
    text = story("Volcano", 5)
    async with opened(database) as library:
        added = await library.add(ANN, "../fire.md", text.encode(), meta={"a": 1})
        assert (added.status, added.name, added.content_type, added.user) == (
            "pending",
            "fire.md",
            "text/markdown",
            "ann",
        )
        [file] = await library.wait(ANN, [added.id], within=10)
        assert (file.status, file.characters, file.meta) == ("completed", len(text), {"a": 1})
        assert (file.embedder, file.dimensions) == ("fake/words", 64)
        assert file.passages >= 5
        assert await library.text(ANN, file.id) == text
        assert b"".join([part async for part in library.content(ANN, file.id)]) == text.encode()


async def test_a_large_file_is_stored_in_parts(sqlite: Database) -> None:
    """A file object is read to its end a megabyte at a time, and comes back the same."""
    data = bytes(range(256)) * 10_000
    async with opened(sqlite) as library:
        file = await library.add(ANN, "a.bin", io.BytesIO(data), process=False)
        parts = [part async for part in library.content(ANN, file.id)]
    assert (file.status, file.size) == ("stored", 2_560_000)
    assert [len(each) for each in parts] == [1_048_576, 1_048_576, 462_848]
    assert b"".join(parts) == data


async def test_what_is_refused_leaves_nothing(sqlite: Database) -> None:
    """A file over the limit, an empty one, and one for a collection that isn't there are not stored."""
    async with opened(sqlite, largest_file=1000) as library:
        with pytest.raises(RequestTooLarge, match="larger than 1000 bytes, the limit"):
            await library.add(ANN, "big", b"x" * 1001)
        with pytest.raises(InvalidRequest, match="empty"):
            await library.add(ANN, "none", b"")
        with pytest.raises(UnknownName, match="no collection 'nope'"):
            await library.add(ANN, "a", b"a", collection="nope")
    assert set(sqlite.read_now(rows).values()) == {0}


async def test_a_file_that_breaks_off_leaves_nothing(sqlite: Database) -> None:
    """Bytes that can't be read to their end a second time are not stored in part."""

    class Broken(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            if self.reads > 5:
                raise OSError("the disk is gone")
            return super().read(size)

    async with opened(sqlite) as library:
        with pytest.raises(OSError, match="the disk is gone"):
            await library.add(ANN, "a", Broken(b"x" * 3_000_000))
    assert set(sqlite.read_now(rows).values()) == {0}


async def test_the_same_file_twice_is_two_files(sqlite: Database) -> None:
    """Two uploads of one file at once both succeed, and are found one by one."""
    data = story("Twin", 3).encode()
    async with opened(sqlite) as library:
        both = await asyncio.gather(*(library.add(ANN, "a.txt", data) for _ in range(2)))
        done = await library.wait(ANN, [each.id for each in both], within=10)
    assert len({each.id for each in both}) == 2
    assert [(each.status, each.digest) for each in done] == [("completed", both[0].digest)] * 2


async def test_others_files_are_not_there(sqlite: Database) -> None:
    """To another reader a file looks like none, whatever is done with it; who sees all sees it."""
    async with opened(sqlite) as library:
        file = await completed(library, "a.txt", "Ann's secret volcano.")
        doing = [
            library.file(BOB, file.id),
            library.text(BOB, file.id),
            library.set_text(BOB, file.id, "x"),
            library.rename(BOB, file.id, "x"),
            library.delete(BOB, file.id),
            library.process(BOB, file.id),
            library.wait(BOB, [file.id]),
            library.search(BOB, ["volcano"], files=[file.id]),
            library.whole(BOB, files=[file.id]),
            anext(library.content(BOB, file.id)),
        ]
        for each in doing:
            with pytest.raises(UnknownName, match=f"There is no file '{file.id}'"):
                await each
        assert await library.files(BOB, own=False) == ([], 0)
        assert (await library.file(ADMIN, file.id)).name == "a.txt"
        assert await library.delete_all(BOB) == 0


async def test_a_shared_file_is_read_not_written(sqlite: Database) -> None:
    """Who may read a collection may read its files, and who may write it too; only the owner changes a file."""
    async with opened(sqlite) as library:
        file = await completed(library, "a.txt", "Ann's volcano.")
        shared = await library.create(ANN, "shared", grants=[("bob", "write")])
        await library.link(ANN, shared.id, [file.id])
        assert await library.text(BOB, file.id) == "Ann's volcano."
        assert (await library.files(BOB, own=False))[1] == 1
        assert (await library.files(BOB))[1] == 0
        assert (await library.files(BOB, collection=shared.id))[1] == 1
        with pytest.raises(UnknownName):
            await library.delete(BOB, file.id)
        other = await library.create(BOB, "bobs", grants=[("*", "read")])
        [linked] = await library.link(BOB, other.id, [file.id])
        assert (linked.status, linked.reason) == (
            "refused",
            "'a.txt' is another user's, who alone may put it into a collection.",
        )


async def test_a_deleted_file_leaves_nothing(database: Database) -> None:
    """With a file go its parts, text, passages, vectors and memberships."""
    async with opened(database) as library:
        kept = await completed(library, "kept.txt", "Stay.")
        before = database.read_now(rows)
        file = await completed(library, "a.txt", story("Gone", 4))
        papers = await library.create(ANN, "papers")
        await library.link(ANN, papers.id, [file.id])
        await library.delete(ANN, file.id)
        assert database.read_now(rows) == before
        assert (await library.collection(ANN, "papers")).files == 0
        assert await library.delete_all(ANN) == 1
        with pytest.raises(UnknownName):
            await library.file(ANN, kept.id)
    assert set(database.read_now(rows).values()) == {0}


async def test_files_are_listed(sqlite: Database) -> None:
    """Last changed first, by a glob, and by kind: texts and pages aren't uploads."""
    async with opened(sqlite) as library:
        for name in ("b.md", "a.md", "c.txt"):
            await library.add(ANN, name, b"x", process=False)
        await library.add(ANN, "note.md", b"x", kind="text", process=False)
        found, total = await library.files(ANN, limit=2)
        assert ([each.name for each in found], total) == (["c.txt", "a.md"], 3)
        globbed, _ = await library.files(ANN, glob="*.MD")
        assert [each.name for each in globbed] == ["a.md", "b.md"]
        assert (await library.files(ANN, kinds=("text",)))[1] == 1


async def test_a_file_is_renamed(sqlite: Database) -> None:
    """The new name is cleaned as the first one is."""
    async with opened(sqlite) as library:
        file = await library.add(ANN, "a.txt", b"x", process=False)
        assert (await library.rename(ANN, file.id, "../b\0.txt")).name == "b.txt"


async def test_a_new_text_takes_the_place_of_the_old(sqlite: Database) -> None:
    """`set_text` makes new passages of it; the bytes stay."""
    async with opened(sqlite) as library:
        file = await completed(library, "a.txt", story("Old", 4))
        changed = await library.set_text(ANN, file.id, "A new volcano.\0")
        assert changed.status == "pending"
        [done] = await library.wait(ANN, [file.id], within=10)
        assert (done.status, done.passages, done.digest) == ("completed", 1, file.digest)
        assert await library.text(ANN, file.id) == "A new volcano.\ufffd"
        found = await library.search(ANN, ["old volcano"], files=[file.id])
        assert [hit.text for hit in found.hits] == ["A new volcano.\ufffd"]
        with pytest.raises(InvalidRequest, match="is empty"):
            await library.set_text(ANN, file.id, " \n")


async def test_the_last_text_wins(sqlite: Database) -> None:
    """A text that is set while another is being processed takes its place, and nothing of the other stays."""
    embedder = WordEmbedder()
    async with opened(sqlite, embedder) as library:
        embedder.gate.clear()
        file = await library.add(ANN, "a.txt", story("First", 6).encode())
        await asyncio.sleep(0.2)
        await asyncio.gather(*(library.set_text(ANN, file.id, f"Text {each}.") for each in range(5)))
        embedder.gate.set()
        [done] = await library.wait(ANN, [file.id], within=10)
        assert (done.status, done.passages) == ("completed", 1)
        assert await library.text(ANN, file.id) == "Text 4."
        assert sqlite.read_now(rows)["passages"] == 1


async def test_a_collection_may_be_closed_while_data_is_read(sqlite: Database) -> None:
    """The right to write a collection is asked for when the file is stored, not only before."""
    async with opened(sqlite) as library:
        shared = await library.create(ANN, "shared", grants=[("bob", "write")])
        await library.grant(ANN, shared.id, [("bob", "read")])
        with pytest.raises(PermissionDenied, match="may be read, not changed"):
            await library.add(BOB, "a.txt", b"x", collection=shared.id)
        assert sqlite.read_now(partial(rows))["files"] == 0


async def test_a_hostile_name_is_no_name(database: Database) -> None:
    """What no database takes as text is the name of nothing, and finds nothing."""
    async with opened(database) as library:
        for name in ("\0", "\ud800", "%", "'; --"):
            for call in (library.file(ANN, name), library.wait(ANN, [name]), library.collection(ANN, name)):
                with pytest.raises(UnknownName):
                    await call
            assert await library.files(ANN, glob=name) == ([], 0)
            assert await library.collections(ANN, query=name) == ([], 0)
            made = await library.create(ANN, f"a{name}", f"b{name}")
            assert (await library.collection(ANN, made.name)).id == made.id
            await library.delete_collection(ANN, made.id)
