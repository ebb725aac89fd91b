"""Searching: the order of hits, filters, what a change does, and that every database gives the same."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.retrieval.corpus import CORPUS, DIMENSIONS, embed, pieces, store
from tests.storage.stored import complete, make, some_collection, some_file

from agentbench.errors import InvalidRequest
from agentbench.retrieval.index import Index
from agentbench.retrieval.indexing import new_passages, packed
from agentbench.retrieval.terms import terms
from agentbench.storage import collections, files, processing, searchable
from agentbench.storage.database import Database
from agentbench.storage.searchable import Scope, embedders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from agentbench.retrieval.values import Found, Ranking

pytestmark = pytest.mark.anyio
ALL = Scope(collections=("all",))
QUESTIONS = ["환불은 언제까지?", "How fast is a falcon?", "store in Seoul", "배송 이틀", "days", "no such words"]
RANKINGS: tuple[Ranking, ...] = ("fused", "vectors", "text")


@pytest.fixture
def stored(sqlite: Database) -> Database:
    """Give a database that holds the corpus."""
    sqlite._writer.submit(store).result()
    return sqlite


@pytest.fixture
def index(stored: Database) -> Index:
    """Give an index over the corpus."""
    return Index(stored)


async def search(index: Index, *queries: str, scope: Scope = ALL, vectors: bool = True, **options: Any) -> Found:
    """Search as the library does."""
    return await index.search(queries, embed(queries) if vectors else None, scope, **{"top_k": 3} | options)


def places(found: Found) -> list[tuple[str, int]]:
    """Return the hits' files and numbers."""
    return [(hit.file, hit.number) for hit in found.hits]


@pytest.mark.postgres
@pytest.mark.parametrize("vectors", [True, False])
async def test_every_database_gives_the_same(sqlite_url: str, postgres_url: str, vectors: bool) -> None:  # noqa: FBT001 - a case
    """The same corpus, stored in another order, gives the same hits in the same order with the same scores."""

    async def everything(url: str, corpus: Iterator[str]) -> list[tuple[Any, ...]]:
        with closing(Database(url)) as database:
            for each in corpus:
                await database.write(partial(store, corpus={each: CORPUS[each]}))
            index = Index(database)
            rankings = RANKINGS if vectors else ("fused", "text")
            return [
                (await search(index, *queries, ranking=ranking, vectors=vectors)).hits
                for queries in (*([each] for each in QUESTIONS), QUESTIONS[:3])
                for ranking in rankings
            ]

    ours = await everything(sqlite_url, iter(CORPUS))
    assert ours == await everything(postgres_url, reversed(CORPUS))
    assert sum(map(len, ours)) > 20


@pytest.mark.parametrize(
    ("question", "ranking", "expected"),
    [
        ("환불", "text", [("f3", 0), ("f2", 0)]),
        ("falcons", "text", [("f1", 2), ("f1", 0)]),
        ("환불", "vectors", [("f3", 0), ("f2", 0)]),
        ("falcons nest on cliffs", "fused", [("f1", 2)]),
        ("값", "text", []),
    ],
)
async def test_what_is_found(index: Index, question: str, ranking: Ranking, expected: list[tuple[str, int]]) -> None:
    """English and Korean are found by words and by vectors, the best first."""
    found = await search(index, question, ranking=ranking, top_k=max(1, len(expected)))
    assert places(found) == expected
    assert found.searched == 9


async def test_a_hit_says_where_it_is_from(index: Index) -> None:
    """It has its file, place, text, both ranks, and scores of which the first orders the hits."""
    (hit,) = (await search(index, "Falcons nest on cliffs and on church towers.", top_k=1)).hits
    assert (hit.file, hit.name, hit.number, hit.page, hit.end) == ("f1", "birds.md", 2, 3, len(hit.text))
    assert (hit.vector_rank, hit.text_rank, hit.similarity) == (1, 1, pytest.approx(1, abs=1e-5))
    assert hit.score == pytest.approx(2 / 61)


async def test_text_alone_needs_no_vectors(index: Index) -> None:
    """Without an embedder words are searched, and nothing is similar; asking for vectors says what is missing."""
    found = await search(index, "falcons", vectors=False)
    assert places(found) == [("f1", 2), ("f1", 0)]
    assert {(hit.similarity, hit.vector_rank) for hit in found.hits} == {(None, None)}
    with pytest.raises(InvalidRequest, match="needs an embedder"):
        await search(index, "falcons", vectors=False, ranking="vectors")


async def test_several_queries_are_fused(index: Index) -> None:
    """What is best for any of the queries comes before what is second for one."""
    found = await search(index, "falcons nest on cliffs", "환불 구매", ranking="text", top_k=2)
    assert set(places(found)) == {("f1", 2), ("f2", 0)}
    fused = await search(index, "falcons nest on cliffs", "환불은 구매 후 14일", top_k=2)
    assert set(places(fused)) == {("f1", 2), ("f2", 0)}
    assert {hit.score for hit in fused.hits} == {2 / 61}


async def test_the_threshold_is_for_vectors(index: Index) -> None:
    """A passage that isn't similar enough isn't found by its vector, but may be by its words."""
    near = await search(index, "falcons", ranking="vectors", threshold=0.6, top_k=9)
    assert near.hits
    assert all(hit.similarity is not None and hit.similarity >= 0.6 for hit in near.hits)
    assert (await search(index, "falcons", ranking="vectors", threshold=1.0)).hits == ()
    assert places(await search(index, "falcons", threshold=1.0)) == [("f1", 2), ("f1", 0)]


@pytest.mark.parametrize(
    ("only", "expected", "searched"),
    [
        ({"name": "*.PDF"}, {"f2"}, 3),
        ({"content_type": "text/*"}, {"f1", "f3"}, 6),
        ({"name": "m*", "content_type": "text/plain"}, {"f3"}, 3),
        ({"name": "nothing"}, set(), 0),
    ],
)
async def test_filters(index: Index, only: dict[str, str], expected: set[str], searched: int) -> None:
    """Only files of that name and type are searched, and only their passages are counted."""
    found = await search(index, "store", top_k=9, only=only)
    assert ({hit.file for hit in found.hits}, found.searched) == (expected, searched)


async def test_nothing_to_search_for(index: Index) -> None:
    """A search without a query is refused; one whose query has no words is nothing but its vector."""
    with pytest.raises(InvalidRequest, match="needs a query"):
        await search(index)
    assert (await search(index, "?!", vectors=False)).hits == ()


async def test_an_unknown_filter_is_refused(index: Index) -> None:
    """The message names what can be used."""
    with pytest.raises(InvalidRequest, match=r"'size'\. Use name or content_type"):
        await search(index, "store", only={"size": "1"})


async def test_a_scope_is_a_border(index: Index, stored: Database) -> None:
    """Only the collections and files of a scope are searched, each file once; an empty scope has nothing."""

    def link(connection: Connection) -> None:
        collections.add(connection, some_collection("one"))
        collections.link(connection, "one", ["f1"])

    await stored.write(link)
    one = await search(index, "store", scope=Scope(collections=("one",)), top_k=9)
    both = await search(index, "store", scope=Scope(collections=("one",), files=("f1", "f3")), top_k=9)
    assert ({hit.file for hit in one.hits}, one.searched) == ({"f1"}, 3)
    assert ({hit.file for hit in both.hits}, both.searched) == ({"f1", "f3"}, 6)
    for nothing in (Scope(), Scope(collections=("missing",), files=("missing",))):
        assert (await search(index, "store", scope=nothing)).searched == 0


async def test_the_same_text_is_found_once(index: Index, stored: Database) -> None:
    """However many files have a passage, it is one hit, of the first of them."""
    copies = {f"g{number:02}": (f"{number}.txt", CORPUS["f1"][1][2:]) for number in range(70)}
    await stored.write(partial(store, corpus=copies))
    for ranking in RANKINGS:
        found = await search(index, "Falcons nest on cliffs", ranking=ranking, top_k=2)
        assert places(found)[0] == ("f1", 2)
        assert len({hit.text for hit in found.hits}) == 2
        assert found.searched == 79


async def test_changes_are_seen_at_once(index: Index, stored: Database) -> None:
    """What was added, changed, taken out or deleted since the last search is found, or isn't."""
    seoul = "A second store opened in Seoul."
    assert (await search(index, seoul, top_k=1)).hits[0].similarity != 1
    await stored.write(partial(store, corpus={"f0": ("new.txt", [seoul])}))
    assert places(await search(index, seoul, top_k=1)) == [("f0", 0)]
    await stored.write(partial(files.change, file_id="f0", name="renamed.txt"))
    assert (await search(index, seoul, top_k=1)).hits[0].name == "renamed.txt"
    await stored.write(partial(processing.queue, file_id="f0", afresh=True))
    assert places(await search(index, seoul, top_k=1)) == [("f3", 1)]
    texts = ["Something else.", seoul]
    await stored.write(lambda each: make(each, "f0", new_passages(pieces(texts)), packed(embed(texts))))
    assert places(await search(index, seoul, top_k=1)) == [("f0", 1)]
    await stored.write(partial(collections.unlink, collection_id="all", files=["f0"]))
    assert places(await search(index, seoul, top_k=1)) == [("f3", 1)]
    assert places(await search(index, seoul, scope=Scope(files=("f0",)), top_k=1)) == [("f0", 1)]
    await stored.write(partial(files.delete_all, file_ids=["f0"]))
    assert (await search(index, seoul, scope=Scope(files=("f0",)))).hits == ()


async def test_what_is_taken_over_is_what_would_be_read(index: Index, stored: Database) -> None:
    """After any changes an index that went along finds exactly what a new one finds."""
    changes = [
        partial(store, corpus={"a0": ("a.txt", ["falcon days", "Seoul"]), "f9": ("z.txt", ["환불 days"])}),
        partial(files.delete_all, file_ids=["f2"]),
        partial(store, corpus={"f2": ("b.txt", ["days of falcons", "store", "days"])}),
        partial(collections.unlink, collection_id="all", files=["f1", "a0"]),
        partial(collections.clear, collection_id="all"),
        partial(collections.link, collection_id="all", files=["f3", "a0"]),
    ]
    for change in changes:
        await stored.write(change)
        for ranking in RANKINGS:
            there = await search(index, *QUESTIONS, ranking=ranking, top_k=20)
            new = await search(Index(stored), *QUESTIONS, ranking=ranking, top_k=20)
            assert (there.hits, there.searched) == (new.hits, new.searched)


async def test_files_that_are_not_completed_are_not_searched(index: Index, stored: Database) -> None:
    """A file that is being processed, or failed, isn't searched, also not what it has of passages already."""

    def begin(connection: Connection) -> None:
        processing.queue(connection, "f1")

    await stored.write(begin)
    assert places(await search(index, "falcons", ranking="text")) == []
    assert (await search(index, "falcons", scope=Scope(files=("f1",)))).searched == 0


async def test_passages_without_vectors(index: Index, stored: Database) -> None:
    """They are found by their words alone, beside others that have vectors."""
    plain = new_passages(pieces(["Falcons need no vectors."]))
    await stored.write(lambda each: complete(each, some_file("f0"), plain, joins=["all"]))
    found = await search(index, "falcons need no vectors", top_k=9)
    (hit,) = [each for each in found.hits if each.file == "f0"]
    assert (hit.similarity, hit.vector_rank, hit.text_rank) == (None, None, 1)
    assert await stored.read(partial(embedders, scope=ALL)) == [None, "local/e5"]


async def test_embedders_do_not_mix(index: Index, stored: Database) -> None:
    """Vectors of another length, in the query or among the files, are refused with what to do."""
    with pytest.raises(InvalidRequest, match=f"has 3 dimensions, those of the files have {DIMENSIONS}.*Re-index"):
        await index.search(["a"], np.ones((1, 3), np.float32), ALL, top_k=1)
    other = partial(complete, file=some_file("f0"), passages=new_passages(pieces(["x"])), vectors=[b"12345678"])
    await stored.write(partial(other, joins=["all"]))
    with pytest.raises(InvalidRequest, match="different embedders"):
        await search(index, "a")


async def test_scores_of_words_are_bm25(index: Index) -> None:
    """A passage's score is what the formula gives for its own counts, those of all passages, and their lengths."""
    texts = [each for _, some in CORPUS.values() for each in some]
    all_terms = [terms(each) for each in texts]
    mean = sum(map(len, all_terms)) / len(all_terms)
    found = await search(index, "days falcon days", ranking="text", top_k=9)
    for hit in found.hits:
        own, expected = terms(hit.text), 0.0
        for term in ("day", "falcon"):
            having = sum(term in each for each in all_terms)
            count = own.count(term)
            rarity = log(1 + (len(texts) - having + 0.5) / (having + 0.5))
            expected += rarity * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * len(own) / mean))
        assert hit.score == pytest.approx(expected, abs=1e-6)
    assert len(found.hits) == 4


async def test_searches_at_once(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many searches of one scope read it once, and find the same."""
    reads: list[Scope] = []
    read = searchable.files

    def counted(connection: Connection, scope: Scope) -> list[searchable.SearchableFile]:
        reads.append(scope)
        return read(connection, scope)

    monkeypatch.setattr(searchable, "files", counted)
    found = await asyncio.gather(*(search(index, "falcons") for _ in range(12)))
    assert len({each.hits for each in found}) == 1
    assert reads == [ALL]


async def test_memory_is_bounded(stored: Database) -> None:
    """Of several scopes only what fits is kept, the last one in any case; all are still found in."""
    large, small = Index(stored), Index(stored, largest=1)
    for index in (large, small):
        for file in CORPUS:
            found = await search(index, "store", scope=Scope(files=(file,)))
            assert {hit.file for hit in found.hits} == {file}
    assert 0 < small.nbytes < large.nbytes
