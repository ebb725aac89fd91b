"""Searching a text that isn't stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.retrieval.shelves import ANN, SETTINGS, WordEmbedder, completed, opened, story

from agentbench.retrieval.loose import search_text
from agentbench.retrieval.values import Extracted

if TYPE_CHECKING:
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

TEXT = f"{story('Falcon', 6)}\n\n{story('Volcano', 6)}"
QUERIES = ("falcon number 3", "end5")


async def test_it_finds_what_the_library_finds(sqlite: Database) -> None:
    """The same text has the same passages in the same order with the same scores, wherever it lies."""
    embedder = WordEmbedder()
    async with opened(sqlite, embedder) as library:
        file = await completed(library, "a.txt", TEXT)
        stored = await library.search(ANN, QUERIES, files=[file.id], top_k=4)
    found = await search_text(Extracted(text=TEXT), QUERIES, embedder, SETTINGS, name="a.txt", top_k=4)
    assert [replace(hit, file="") for hit in stored.hits] == list(found.hits)
    assert (found.searched, found.queries) == (stored.searched, QUERIES)


async def test_where_it_is_from() -> None:
    """Hits have the name and address that they are told, and places in the text."""
    told = {"name": "Page", "url": "https://example.org/a"}
    found = await search_text(Extracted(text=TEXT), ["volcano"], WordEmbedder(), SETTINGS, top_k=1, **told)
    (hit,) = found.hits
    assert (hit.file, hit.name, hit.url) == ("", "Page", "https://example.org/a")
    assert TEXT[hit.start : hit.end] == hit.text


async def test_the_same_words_again(sqlite: Database) -> None:
    """Words that are searched for in one document after the other are embedded once."""
    asked: list[str] = []

    class Recorder(WordEmbedder):
        async def embed(self, texts: object, kind: str) -> object:
            asked.append(kind)
            return await super().embed(texts, kind)  # type: ignore[arg-type]

    async with opened(sqlite, Recorder()) as library:
        files = [await completed(library, name, f"A {name}.") for name in ("falcon", "volcano")]
        for file in files:
            await library.search(ANN, ["falcon"], files=[file.id])
        await library.search(ANN, ["volcano"], files=[file.id])
    assert asked.count("query") == 2
