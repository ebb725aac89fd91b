"""Collections of the library: what they are called, what joins them, and who may do what."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.retrieval.shelves import ADMIN, ANN, BOB, WordEmbedder, completed, opened, story

from agentbench.errors import InvalidRequest, PermissionDenied, UnknownName, UpstreamUnavailable

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def test_a_collection_goes_by_id_handle_and_name(sqlite: Database) -> None:
    """A name counts among the reader's own; two of one name have to be told apart by their ids."""
    async with opened(sqlite) as library:
        papers = await library.create(ANN, " pa\npers ", "What I read")
        assert (papers.name, papers.handle, papers.files) == ("pa pers", papers.id, 0)
        web = await library.create(ANN, "web", handle="web-1", kind="scratch")
        assert await library.collection(ANN, papers.id) == papers == await library.collection(ANN, "pa pers")
        assert await library.collection(ANN, "web-1") == web
        with pytest.raises(UnknownName, match="Did you mean 'pa pers'"):
            await library.collection(ANN, "papers")
        await library.create(ANN, "pa pers")
        with pytest.raises(InvalidRequest, match="2 collections are called 'pa pers'"):
            await library.collection(ANN, "pa pers")
        with pytest.raises(InvalidRequest, match="needs a name"):
            await library.create(ANN, " \n\0")


async def test_a_handle_is_made_once(database: Database) -> None:
    """Whoever asks for a handle that is there gets what is there, also at the same moment."""
    async with opened(database) as library:
        made = await asyncio.gather(*(library.create(ANN, "x", handle="h", kind="scratch") for _ in range(3)))
        assert len({each.id for each in made}) == 1
        assert (await library.create(BOB, "x", handle="h", kind="scratch")).id != made[0].id


async def test_grants_open_a_collection(sqlite: Database) -> None:
    """Without one it isn't there; with `read` it can't be changed; only its owner shares or deletes it."""
    async with opened(sqlite) as library:
        papers = await library.create(ANN, "papers")
        with pytest.raises(UnknownName):
            await library.collection(BOB, papers.id)
        shared = await library.grant(ANN, papers.id, [("bob", "read")])
        assert [(each.user, each.permission) for each in shared.grants] == [("bob", "read")]
        assert (await library.collection(BOB, papers.id)).id == papers.id
        with pytest.raises(PermissionDenied, match="may be read, not changed"):
            await library.change(BOB, papers.id, name="mine")
        await library.grant(ANN, papers.id, [("*", "write")])
        assert (await library.change(BOB, papers.id, description="ours")).description == "ours"
        for refused in (library.delete_collection(BOB, papers.id), library.grant(BOB, papers.id, [])):
            with pytest.raises(PermissionDenied, match="another user's"):
                await refused
        await library.delete_collection(ADMIN, papers.id)
        with pytest.raises(UnknownName):
            await library.collection(ANN, papers.id)


async def test_collections_are_listed(sqlite: Database) -> None:
    """One's own, others' that are shared, or both, by a part of the name or description."""
    async with opened(sqlite) as library:
        await library.create(ANN, "papers", "on volcanoes")
        await library.create(BOB, "recipes", "of volcanic heat", grants=[("*", "read")])
        await library.create(BOB, "secret")
        for shared, expected in ((None, ["recipes", "papers"]), (True, ["recipes"]), (False, ["papers"])):
            found, total = await library.collections(ANN, shared=shared)
            assert ([each.name for each in found], total) == (expected, len(expected))
        found, _ = await library.collections(ANN, query="VOLCANO")
        assert [each.name for each in found] == ["papers"]


async def test_linking_twice_changes_nothing(sqlite: Database) -> None:
    """A file that is in a collection already stays, once, and is searched once."""
    async with opened(sqlite) as library:
        file = await completed(library, "a.txt", "A volcano.")
        papers = await library.create(ANN, "papers")
        answers = [await library.link(ANN, papers.id, [file.id]) for _ in range(2)]
        assert [[each.status for each in answer] for answer in answers] == [["added"], ["already"]]
        assert (await library.collection(ANN, papers.id)).files == 1
        assert len((await library.search(ANN, ["volcano"], collections=[papers.id])).hits) == 1


async def test_a_file_that_is_not_ready_is_refused(sqlite: Database) -> None:
    """The reason says its state, which stays what it is; the others join all the same."""
    embedder = WordEmbedder()
    async with opened(sqlite, embedder) as library:
        papers = await library.create(ANN, "papers")
        done = await completed(library, "done.txt", "Done.")
        stored = await library.add(ANN, "stored.txt", b"x", process=False)
        blank = await library.add(ANN, "blank.txt", b"  \n")
        await library.wait(ANN, [blank.id], within=10)
        embedder.gate.clear()
        slow = await library.add(ANN, "slow.txt", b"Slow.")
        before = [await library.file(ANN, each.id) for each in (stored, blank)]
        linked = await library.link(ANN, "papers", [stored.id, blank.id, slow.id, done.id], wait=0.1)
        assert [each.status for each in linked] == ["refused", "refused", "refused", "added"]
        assert [each.reason for each in linked[:3]] == [
            "'stored.txt' was not processed yet. Process it first.",
            "'blank.txt' could not be processed: There is no text in this file. Process it again, or leave it out.",
            "'slow.txt' is still processing. Wait until it is completed.",
        ]
        assert [await library.file(ANN, each.id) for each in (stored, blank)] == before
        embedder.gate.set()
        [late] = await library.link(ANN, papers.id, [slow.id], wait=10)
        assert (late.status, late.file.status) == ("added", "completed")
        with pytest.raises(UnknownName, match="no file 'nope'"):
            await library.link(ANN, papers.id, ["nope"])


async def test_a_file_joins_when_it_is_completed(database: Database) -> None:
    """The collection that was named when it was added has it from that moment on, not before, nor if it fails."""
    embedder = WordEmbedder()
    async with opened(database, embedder) as library:
        papers = await library.create(ANN, "papers")
        embedder.gate.clear()
        file = await library.add(ANN, "a.txt", b"A volcano.", collection="papers")
        assert (await library.collection(ANN, "papers")).files == 0
        assert await library.unfinished(ANN, "papers") == [file.id]
        embedder.gate.set()
        await library.wait(ANN, [file.id], within=10)
        assert [each.id for each in (await library.files(ANN, collection="papers"))[0]] == [file.id]
        assert await library.unfinished(ANN, "papers") == []
        embedder.errors = [UpstreamUnavailable("It is down. Try again.")]
        failed = await library.add(ANN, "b.txt", b"Another.", collection=papers.id)
        await library.wait(ANN, [failed.id], within=10)
        assert (await library.collection(ANN, "papers")).files == 1
        await library.process(ANN, failed.id)
        await library.wait(ANN, [failed.id], within=10)
        assert (await library.collection(ANN, "papers")).files == 2


async def test_files_leave_a_collection_and_stay(sqlite: Database) -> None:
    """`unlink`, `empty` and deleting the collection leave the files, which can be searched alone."""
    async with opened(sqlite) as library:
        some = [await completed(library, f"{each}.txt", story("Volcano", 1)) for each in range(3)]
        ids = [each.id for each in some]
        papers = await library.create(ANN, "papers")
        await library.link(ANN, papers.id, ids)
        await library.unlink(ANN, papers.id, ids[:1])
        assert (await library.collection(ANN, papers.id)).files == 2
        with pytest.raises(UnknownName, match=ids[0]):
            await library.unlink(ANN, papers.id, ids)
        assert (await library.empty(ANN, papers.id)).files == 0
        await library.delete_collection(ANN, papers.id)
        assert (await library.files(ANN))[1] == 3
        assert (await library.search(ANN, ["volcano"], files=ids)).searched == 3
