"""Searching a text that isn't stored, and leaves nothing behind: split, embedded and ranked in memory."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import numpy as np

from agentbench.retrieval.blocks import Building
from agentbench.retrieval.index import Plan, rank
from agentbench.retrieval.indexing import new_passages, packed
from agentbench.retrieval.splitting import split
from agentbench.retrieval.values import Found, Hit
from agentbench.storage.searchable import IndexRow, SearchableFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.retrieval.ranking import Ranked
    from agentbench.retrieval.values import Embedder, Extracted
    from agentbench.storage.passages import NewPassage

__all__ = ["search_text"]


async def search_text(
    extracted: Extracted,
    queries: Sequence[str],
    embedder: Embedder,
    settings: RetrievalSettings,
    *,
    name: str,
    url: str | None = None,
    top_k: int,
) -> Found:
    """Return a text's best passages as the library would, but that the hits' `file` is empty."""
    start = time.perf_counter()
    passages = await asyncio.to_thread(lambda: new_passages(split(extracted, settings)))
    searched = [each.text if each.heading is None else f"{each.heading}\n{each.text}" for each in passages]
    vectors, wanted = await embedder.embed(searched, "passage"), await embedder.embed(queries, "query")
    plan = Plan(queries=tuple(queries), top_k=top_k, threshold=settings.threshold, ranking="fused", only={})
    ranked = await asyncio.to_thread(_ranked, passages, vectors, wanted, plan)
    hits = tuple(_hit(passages[each.row], each, name, url) for each in ranked)
    return Found(queries=plan.queries, hits=hits, searched=len(passages), seconds=time.perf_counter() - start)


def _ranked(
    passages: Sequence[NewPassage], vectors: NDArray[np.float32], wanted: NDArray[np.float32], plan: Plan
) -> list[Ranked]:
    building = Building([SearchableFile("", 0, len(passages), vectors.shape[1])])
    rows = zip(passages, packed(vectors), strict=True)
    building.add([IndexRow("", number, each.text_hash, each.terms, row) for number, (each, row) in enumerate(rows)])
    return rank(building.block(), plan, wanted, np.ones(len(passages), np.bool_))


def _hit(passage: NewPassage, ranked: Ranked, name: str, url: str | None) -> Hit:
    return Hit(
        file="",
        name=name,
        number=ranked.row,
        text=passage.text,
        start=passage.start,
        end=passage.end,
        page=passage.page,
        heading=passage.heading,
        url=url,
        score=ranked.score,
        similarity=ranked.similarity,
        vector_rank=ranked.vector_rank,
        text_rank=ranked.text_rank,
    )
