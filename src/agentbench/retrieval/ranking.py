"""Which rows of a block answer a query best: by vector, by terms, and both fused.

Rows that tie are ordered by their number, so that every database gives the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from agentbench.retrieval.blocks import Block

__all__ = ["DEPTH", "Ranked", "best", "fuse", "least_score", "similarities", "text_scores"]

DEPTH = 50
"""How many passages of each query's vectors, and of its terms, are fused."""

SATURATION = 1.2
"""BM25's k1: how much a term counts that is there once more."""

LENGTH_WEIGHT = 0.75
"""BM25's b: how much a long passage is marked down."""

RANK_CONSTANT = 60
"""The k of reciprocal rank fusion."""

ENOUGH = 0.4
"""The share of a query's words, by their weight, that a passage must have to be fused. With less it has the words that
any text has, and takes places from what the vectors found. (benchmarks/retrieval/quality.py; flat from 0.2 to 0.7.)"""

DECIMALS = 6
"""Beyond these, scores differ by how the processor adds."""


class Ranked(NamedTuple):
    """A row, its score, and its best ranks among the vectors' and the terms' rows, from 1."""

    row: int
    score: float
    vector_rank: int | None
    text_rank: int | None
    similarity: float | None = None


def similarities(block: Block, queries: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return, a row a query, how near each passage is: 1 the same direction, 0.5 at right angles, 0 opposite."""
    cosines: NDArray[np.float64] = (block.matrix @ queries.T).T.astype(np.float64)
    return np.clip((1 + cosines) / 2, 0, 1).round(DECIMALS)


def text_scores(block: Block, terms: Iterable[int]) -> NDArray[np.float64]:
    """Return each passage's BM25 for the terms, by their hashes; 0 where it has none of them."""
    scores = np.zeros(len(block))
    mean = block.lengths.mean() if len(block) else 1.0
    for term in dict.fromkeys(terms):
        rows, counts = block.find(term)
        rarity = _rarity(block, len(rows))
        relative = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * block.lengths[rows] / mean
        scores[rows] += rarity * counts * (SATURATION + 1) / (counts + SATURATION * relative)
    return np.round(scores, DECIMALS)


def least_score(block: Block, terms: Iterable[int]) -> float:
    """Return the text score from which on a passage has enough of a query's terms to be fused."""
    return ENOUGH * float(sum(_rarity(block, len(block.find(term)[0])) for term in dict.fromkeys(terms)))


def best(block: Block, scores: NDArray[np.float64], allowed: NDArray[np.bool_], count: int) -> list[int]:
    """Return the rows of the highest scores, highest first; of several with the same text only the first."""
    rows = np.flatnonzero(allowed)
    wanted = count
    while True:
        top = _highest(rows, scores[rows], wanted)
        _, first = np.unique(block.text_hashes[top], return_index=True)
        if len(first) >= count or len(top) == len(rows):
            return [int(row) for row in top[np.sort(first)][:count]]
        wanted *= 4


def fuse(block: Block, vectors: Sequence[Sequence[int]], texts: Sequence[Sequence[int]]) -> list[Ranked]:
    """Fuse lists of rows by reciprocal rank, in no order; each list is best first.

    Where several queries found a text, its best rank counts; where it is in several rows, the first of them.
    """
    first: dict[int, int] = {}
    for row in sorted({row for rows in (*vectors, *texts) for row in rows}):
        first.setdefault(int(block.text_hashes[row]), row)
    by_vector, by_text = ({first[key]: rank for key, rank in _ranks(block, each).items()} for each in (vectors, texts))
    return [
        Ranked(
            row, _reciprocal(by_vector.get(row)) + _reciprocal(by_text.get(row)), by_vector.get(row), by_text.get(row)
        )
        for row in first.values()
    ]


def _rarity(block: Block, count: int) -> float:
    """Return BM25's weight of a term that is in so many passages."""
    return float(np.log1p((len(block) - count + 0.5) / (count + 0.5)))


def _highest(rows: NDArray[np.int64], scores: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return the rows of the highest scores and all that tie with the last of them, highest first, then by row."""
    if count < len(rows):
        least = np.partition(scores, len(rows) - count)[len(rows) - count]
        rows, scores = rows[scores >= least], scores[scores >= least]
    return rows[np.argsort(-scores, kind="stable")]


def _ranks(block: Block, lists: Sequence[Sequence[int]]) -> dict[int, int]:
    """Return the best rank of each text, by its hash."""
    ranks: dict[int, int] = {}
    for rows in lists:
        for rank, row in enumerate(rows, 1):
            key = int(block.text_hashes[row])
            ranks[key] = min(rank, ranks.get(key, rank))
    return ranks


def _reciprocal(rank: int | None) -> float:
    return 0.0 if rank is None else 1 / (RANK_CONSTANT + rank)
