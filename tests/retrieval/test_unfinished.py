"""Which files of a collection an answer has to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.retrieval.shelves import ANN, BOB, WordEmbedder, completed, opened

from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def test_unfinished(database: Database) -> None:
    """Those in it that are processed anew, and those that the reader has added and will join it."""
    embedder = WordEmbedder()
    async with opened(database, embedder) as library:
        papers = await library.create(ANN, "papers", grants=[("bob", "write")])
        old = await completed(library, "old.txt", "A falcon dives.")
        await completed(library, "else.txt", "Not in it.")
        await library.link(ANN, papers.id, [old.id])
        assert await library.unfinished(ANN, "papers") == []
        embedder.gate.clear()
        await library.set_text(ANN, old.id, "A falcon sleeps.")
        mine = await library.add(ANN, "mine.txt", b"Mine.", collection=papers.id)
        theirs = await library.add(BOB, "theirs.txt", b"Theirs.", collection=papers.id)
        assert set(await library.unfinished(ANN, papers.id)) == {old.id, mine.id}
        assert set(await library.unfinished(BOB, papers.id)) == {old.id, theirs.id}
        embedder.gate.set()
        await library.wait(ANN, [old.id, mine.id], within=10)
        await library.wait(BOB, [theirs.id], within=10)
        assert await library.unfinished(ANN, papers.id) == []


async def test_of_somebody_else(sqlite: Database) -> None:
    """A collection that the reader may not read isn't there."""
    async with opened(sqlite) as library:
        papers = await library.create(ANN, "papers")
        with pytest.raises(UnknownName):
            await library.unfinished(BOB, papers.id)
