"""Files that join a collection, before they are processed or after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.retrieval.shelves import ANN, BOB, WordEmbedder, completed, opened

from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def test_files_join_once_they_are_completed(database: Database) -> None:
    """One that is ready is in at once; one that nobody asked to process is processed, and in then."""
    embedder = WordEmbedder()
    async with opened(database, embedder) as library:
        made = await library.create(ANN, "birds")
        ready = await completed(library, "falcon.txt", "Falcons are fast.")
        raw = await library.add(ANN, "swift.txt", b"Swifts sleep on the wing.", process=False)
        embedder.gate.clear()
        await library.join(ANN, made.id, [raw.id, ready.id])
        assert (await library.collection(ANN, made.id)).files == 1
        embedder.gate.set()
        await library.wait(ANN, [raw.id], within=10)
        assert (await library.collection(ANN, made.id)).files == 2


async def test_a_file_that_failed_is_tried_again(database: Database) -> None:
    """It joins if it is completed then."""
    embedder = WordEmbedder()
    embedder.errors = [UnknownName("model", "m")]
    async with opened(database, embedder) as library:
        made = await library.create(ANN, "birds")
        file = await library.add(ANN, "falcon.txt", b"Falcons are fast.")
        [failed] = await library.wait(ANN, [file.id], within=10)
        await library.join(ANN, made.id, [file.id])
        [joined] = await library.wait(ANN, [file.id], within=10)
        assert (failed.status, joined.status) == ("failed", "completed")
        assert (await library.collection(ANN, made.id)).files == 1


async def test_a_file_of_another_embedder_is_embedded_anew(database: Database) -> None:
    """It is in the collection, which can be searched once that is done."""
    async with opened(database, WordEmbedder("fake/old", dimensions=32)) as library:
        file = await completed(library, "falcon.txt", "Falcons are fast.")
    async with opened(database) as library:
        made = await library.create(ANN, "birds")
        await library.join(ANN, made.id, [file.id])
        await library.wait(ANN, [file.id], within=10)
        assert [hit.file for hit in (await library.search(ANN, ["falcons"], collections=[made.id])).hits] == [file.id]


async def test_files_of_others_do_not_join(database: Database) -> None:
    """Not even those that one may read."""
    async with opened(database) as library:
        made = await library.create(BOB, "mine")
        file = await completed(library, "falcon.txt", "Falcons are fast.")
        shared = await library.create(ANN, "shared", grants=[("bob", "read")])
        await library.link(ANN, shared.id, [file.id])
        assert (await library.file(BOB, file.id)).id == file.id
        with pytest.raises(UnknownName):
            await library.join(BOB, made.id, [file.id])


async def test_somebody_else_pays_for_a_query(database: Database) -> None:
    """The reader's right counts, and the payer's embedder embeds."""
    asked: list[str] = []
    async with opened(database) as library:
        made = await library.create(ANN, "birds")
        file = await completed(library, "falcon.txt", "Falcons are fast.")
        await library.link(ANN, made.id, [file.id])
        embedder = library._embedder("ann")
        library._embedder = lambda user: (asked.append(user), embedder)[1]
        found = await library.search(ANN, ["falcons"], collections=[made.id], payer="bob")
        assert ([hit.file for hit in found.hits], asked) == ([file.id], ["bob"])
