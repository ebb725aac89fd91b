"""Searching the library: what is found, what is refused, and what embeds queries and passages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from tests.retrieval.shelves import ANN, BOB, WordEmbedder, completed, opened, story

from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.retrieval.values import TextKind
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


async def test_passages_are_found(database: Database) -> None:
    """In files and collections together, by vectors, words or both; the settings say how many."""
    async with opened(database, top_k=2) as library:
        fire = await completed(library, "fire.md", story("Volcano", 4))
        ice = await completed(library, "ice.md", "# Far north\n\nA glacier is a river of ice.")
        papers = await library.create(ANN, "papers")
        await library.link(ANN, papers.id, [fire.id])
        found = await library.search(ANN, ["glacier river"], files=[ice.id], collections=["papers"])
        assert (len(found.hits), found.searched, found.queries) == (2, fire.passages + 1, ("glacier river",))
        best = found.hits[0]
        assert (best.file, best.name, best.vector_rank, best.text_rank) == (ice.id, "ice.md", 1, 1)
        assert (await library.text(ANN, ice.id))[best.start : best.end] == best.text
        alone = await library.search(ANN, ["glacier"], files=[fire.id, ice.id], ranking="text", top_k=9)
        assert [hit.file for hit in alone.hits] == [ice.id]
        named = await library.search(ANN, ["glacier"], files=[fire.id, ice.id], only={"name": "fire*"})
        assert {hit.file for hit in named.hits} == {fire.id}


async def test_only_what_may_be_read_is_searched(sqlite: Database) -> None:
    """A collection of somebody else's is not there; neither is a query without words, nor nowhere."""
    async with opened(sqlite) as library:
        papers = await library.create(ANN, "papers")
        with pytest.raises(UnknownName, match=papers.id):
            await library.search(BOB, ["a"], collections=[papers.id])
        with pytest.raises(InvalidRequest, match="nothing to search for"):
            await library.search(ANN, [" ", ""], collections=["papers"])
        with pytest.raises(InvalidRequest, match="nowhere to search"):
            await library.search(ANN, ["a"])
        assert (await library.search(ANN, ["a"], collections=["papers"])).hits == ()


async def test_whole_files_are_given_once(sqlite: Database) -> None:
    """A file that is named, and in a collection that is, comes once with all its text."""
    async with opened(sqlite) as library:
        some = [await completed(library, f"{each}.txt", f"Text {each}.") for each in range(2)]
        papers = await library.create(ANN, "papers")
        await library.link(ANN, papers.id, [each.id for each in some])
        found = await library.whole(ANN, files=[some[1].id], collections=["papers"])
        assert [(file.name, text) for file, text in found] == [("1.txt", "Text 1."), ("0.txt", "Text 0.")]


async def test_what_is_not_completed_is_named(sqlite: Database) -> None:
    """A file that isn't ready makes a search fail with its state, alone and in a collection, until it is."""
    embedder = WordEmbedder()
    async with opened(sqlite, embedder) as library:
        file = await completed(library, "a.txt", "A volcano.")
        papers = await library.create(ANN, "papers")
        await library.link(ANN, papers.id, [file.id])
        assert (await library.search(ANN, ["a"], collections=["papers"])).searched == 1
        embedder.gate.clear()
        await library.set_text(ANN, file.id, "A geyser.")
        for places in ({"files": [file.id]}, {"collections": ["papers"]}):
            for call in (library.search(ANN, ["a"], **places), library.whole(ANN, **places)):
                with pytest.raises(InvalidRequest, match=r"'a.txt' is still (pending|processing)"):
                    await call
        assert await library.unfinished(ANN, "papers") == [file.id]
        embedder.gate.set()
        await library.wait(ANN, [file.id], within=10)
        found = await library.search(ANN, ["a"], collections=["papers"])
        assert [hit.text for hit in found.hits] == ["A geyser."]


async def test_another_embedder_needs_a_reindex(sqlite: Database) -> None:
    """Vectors of one embedder are never compared with those of another; the command mends it, without extracting."""
    async with opened(sqlite, WordEmbedder("old/model", dimensions=32)) as library:
        files = [await completed(library, f"{each}.txt", story("Volcano", 3)) for each in range(2)]
        papers = await library.create(ANN, "papers")
        await library.link(ANN, papers.id, [each.id for each in files])
    new = WordEmbedder("new/model")
    async with opened(sqlite, new) as library:
        mixed = "was embedded by old/model, and queries are embedded by new/model"
        with pytest.raises(InvalidRequest, match=f"'papers' {mixed}. Run: %agent know reindex papers"):
            await library.search(ANN, ["volcano"], collections=["papers"])
        with pytest.raises(InvalidRequest, match=f"'0.txt' {mixed}. Process it again"):
            await library.search(ANN, ["volcano"], files=[files[0].id])
        assert (await library.search(ANN, ["volcano"], collections=["papers"], ranking="text")).hits
        await library.process(ANN, files[0].id)
        await library.wait(ANN, [files[0].id], within=10)
        with pytest.raises(InvalidRequest, match=mixed):
            await library.search(ANN, ["volcano"], collections=["papers"])
        queued = await library.reindex(ANN, "papers")
        assert [(each.name, each.status) for each in queued] == [("1.txt", "pending")]
        done = await library.wait(ANN, [each.id for each in files], within=10)
        assert {(each.embedder, each.dimensions) for each in done} == {("new/model", 64)}
        assert len(new.passages) == sum(each.passages for each in files)
        assert (await library.search(ANN, ["volcano"], collections=["papers"])).hits
        assert await library.reindex(ANN, "papers") == []


async def test_the_same_name_may_mean_another_model(sqlite: Database) -> None:
    """Where an embedder gives vectors of another length than it did, the same command mends it."""
    async with opened(sqlite, WordEmbedder(dimensions=32)) as library:
        file = await completed(library, "a.txt", "A volcano.")
        papers = await library.create(ANN, "papers")
        await library.link(ANN, papers.id, [file.id])
    async with opened(sqlite, WordEmbedder(dimensions=64)) as library:
        with pytest.raises(InvalidRequest, match=r"with 32 dimensions, and queries are embedded by .* with 64"):
            await library.search(ANN, ["volcano"], collections=["papers"])
        assert len(await library.reindex(ANN, "papers")) == 1
        [done] = await library.wait(ANN, [file.id], within=10)
        assert (done.status, done.dimensions) == ("completed", 64)
        assert (await library.search(ANN, ["volcano"], collections=["papers"])).hits


async def test_every_file_can_be_made_anew(sqlite: Database) -> None:
    """After other sizes of passages, `every` file of a collection is split again."""
    async with opened(sqlite) as library:
        file = await completed(library, "a.txt", story("Volcano", 6))
        papers = await library.create(ANN, "papers")
        await library.link(ANN, papers.id, [file.id])
    async with opened(sqlite, passage_size=1000) as library:
        assert len(await library.reindex(ANN, "papers", every=True)) == 1
        [done] = await library.wait(ANN, [file.id], within=10)
    assert (file.passages, done.passages) == (6, 1)


async def test_a_query_is_embedded_as_one(sqlite: Database) -> None:
    """Queries go to the embedder together, each once, as queries."""
    asked: list[tuple[list[str], TextKind]] = []

    class Recorder(WordEmbedder):
        async def embed(self, texts: Sequence[str], kind: TextKind) -> object:
            asked.append((list(texts), kind))
            return await super().embed(texts, kind)

    async with opened(sqlite, Recorder()) as library:
        file = await completed(library, "a.txt", "A volcano.")
        await asyncio.gather(library.search(ANN, ["one ", "two", "one"], files=[file.id]))
    assert asked[-1] == (["one", "two"], "query")
