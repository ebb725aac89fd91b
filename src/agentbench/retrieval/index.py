"""Searches passages by their vectors and their words. Who may read what was decided before, by whom makes the scope.

Everything that takes time is done on a worker thread, and one search sees one moment of the database.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, get_args

import numpy as np

from agentbench.errors import InvalidRequest
from agentbench.protocol.values import Value
from agentbench.retrieval.block_cache import BlockCache
from agentbench.retrieval.indexing import unit_rows
from agentbench.retrieval.ranking import DEPTH, Ranked, best, fuse, least_score, similarities, text_scores
from agentbench.retrieval.terms import term_hash, terms
from agentbench.retrieval.values import Found, Hit, Ranking
from agentbench.storage import passages, searchable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

    from agentbench.retrieval.blocks import Block
    from agentbench.storage.database import Database
    from agentbench.storage.passages import Passage
    from agentbench.storage.searchable import Scope

__all__ = ["FILTERS", "Index", "Plan", "rank"]

LARGEST = 512 * 1024 * 1024

FILTERS = ("name", "content_type")
"""What a search's `only` may name; the values are compared as file names are, with `*` and `?`."""


class Index:
    """Finds passages of completed files. Keeps up to `largest` bytes of what it searched lately in memory."""

    def __init__(self, database: Database, *, largest: int = LARGEST) -> None:
        self._database = database
        self._cache = BlockCache(largest)

    @property
    def nbytes(self) -> int:
        """How much memory is taken now."""
        return self._cache.nbytes

    async def search(
        self,
        queries: Sequence[str],
        vectors: NDArray[np.float32] | None,
        scope: Scope,
        *,
        top_k: int,
        threshold: float = 0.0,
        ranking: Ranking = "fused",
        only: Mapping[str, str] | None = None,
    ) -> Found:
        """Return the best passages of a scope for all queries together, each text once.

        `vectors` has a row a query; without it, only words are searched. A passage that is found by its vector must
        be at least as similar as `threshold`. `only` leaves the files of a `name` or `content_type`.
        """
        started = time.perf_counter()
        _check(queries, ranking, vectors, only or {}, top_k)
        plan = Plan(queries=tuple(queries), top_k=top_k, threshold=threshold, ranking=ranking, only=dict(only or {}))
        hits, searched = await self._database.read(partial(self._search, scope=scope, plan=plan, vectors=vectors))
        taken = time.perf_counter() - started
        return Found(queries=plan.queries, hits=tuple(hits), searched=searched, seconds=taken)

    def _search(
        self, connection: Connection, *, scope: Scope, plan: Plan, vectors: NDArray[np.float32] | None
    ) -> tuple[list[Hit], int]:
        block = self._cache.get(connection, scope)
        allowed = np.ones(len(block), np.bool_)
        if plan.only:
            allowed = block.rows_of(searchable.matching(connection, scope, **plan.only))
        ranked = rank(block, plan, vectors, allowed)
        places = [block.place(each.row) for each in ranked]
        found = passages.of(connection, places)
        hits = [_hit(found[place], each) for place, each in zip(places, ranked, strict=True)]
        return hits, int(allowed.sum())


class Plan(Value, frozen=True, kw_only=True):
    """What a search wants, as `Index.search` is told."""

    queries: tuple[str, ...]
    top_k: int
    threshold: float
    ranking: Ranking
    only: dict[str, str]


def _check(
    queries: Sequence[str],
    ranking: Ranking,
    vectors: NDArray[np.float32] | None,
    only: Mapping[str, str],
    top_k: int,
) -> None:
    if not queries:
        raise InvalidRequest("A search needs a query. Give at least one.", param="queries")
    if ranking not in get_args(Ranking):
        raise InvalidRequest(f"There is no ranking {ranking!r}. Use {', '.join(get_args(Ranking))}.", param="ranking")
    if top_k < 1:
        raise InvalidRequest("A search gives at least one passage. Ask for 1 or more.", param="top_k")
    if ranking == "vectors" and vectors is None:
        raise InvalidRequest("Searching by vectors needs an embedder. Configure one, or search by text.")
    for name in only:
        if name not in FILTERS:
            raise InvalidRequest(f"A search can't be narrowed by {name!r}. Use {' or '.join(FILTERS)}.", param=name)


def rank(block: Block, plan: Plan, vectors: NDArray[np.float32] | None, allowed: NDArray[np.bool_]) -> list[Ranked]:
    """Return the rows to show, best first."""
    depth = max(DEPTH, plan.top_k)
    near = words = np.zeros((0, len(block)))
    if vectors is not None and block.embedded.any():
        near = similarities(block, _checked(vectors, block))
    if plan.ranking != "vectors":
        only_good = plan.ranking == "fused" and len(near) > 0
        words = np.stack([_words(block, query, only_good=only_good) for query in plan.queries])
    by_text = [best(block, row, allowed & (row > 0), depth) for row in words]
    by_vector = []
    if plan.ranking != "text":
        usable = allowed & block.embedded
        by_vector = [best(block, row, usable & (row >= plan.threshold), depth) for row in near]
    ranked = [_scored(block, each, plan.ranking, near, words) for each in fuse(block, by_vector, by_text)]
    return sorted(ranked, key=lambda each: (-each.score, -(each.similarity or 0), each.row))[: plan.top_k]


def _words(block: Block, query: str, *, only_good: bool) -> NDArray[np.float64]:
    """Return each row's score for a query's words; with `only_good`, none for those that have too few of them."""
    asked = [term_hash(term) for term in terms(query)]
    scores = text_scores(block, asked)
    return np.where(scores >= least_score(block, asked), scores, 0.0) if only_good else scores


def _scored(
    block: Block, ranked: Ranked, ranking: Ranking, near: NDArray[np.float64], words: NDArray[np.float64]
) -> Ranked:
    """Add a row's similarity to the query that it is nearest to; a ranking by one way alone has that way's score."""
    has_vector = len(near) > 0 and block.embedded[ranked.row]
    similarity = float(near[:, ranked.row].max()) if has_vector else None
    score = ranked.score
    if ranking == "vectors":
        score = similarity or 0.0
    elif ranking == "text":
        score = float(words[:, ranked.row].max())
    return ranked._replace(score=score, similarity=similarity)


def _checked(vectors: NDArray[np.float32], block: Block) -> NDArray[np.float32]:
    if vectors.shape[1] != block.matrix.shape[1]:
        raise InvalidRequest(
            f"The query's vector has {vectors.shape[1]} dimensions, those of the files have {block.matrix.shape[1]}."
            " Re-index them with this embedder."
        )
    return unit_rows(np.asarray(vectors, np.float32))


def _hit(passage: Passage, ranked: Ranked) -> Hit:
    return Hit(
        file=passage.file,
        name=passage.name,
        number=passage.number,
        text=passage.text,
        start=passage.start,
        end=passage.end,
        page=passage.page,
        heading=passage.heading,
        url=passage.url,
        score=ranked.score,
        similarity=ranked.similarity,
        vector_rank=ranked.vector_rank,
        text_rank=ranked.text_rank,
    )
