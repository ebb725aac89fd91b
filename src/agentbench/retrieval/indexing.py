"""From pieces and vectors to what the database keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from agentbench.retrieval.context import in_context
from agentbench.retrieval.terms import packed_terms, text_hash
from agentbench.storage.passages import NewPassage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from agentbench.retrieval.values import Piece

__all__ = ["new_passages", "packed", "unit_rows"]


def new_passages(pieces: Iterable[Piece]) -> list[NewPassage]:
    """Make passages with their terms of pieces; headings are searched with them. Takes the processor for a while."""
    return [
        NewPassage(
            text=piece.text,
            start=piece.start,
            end=piece.end,
            page=piece.page,
            heading=piece.heading,
            text_hash=text_hash(piece.text),
            terms=packed_terms(in_context(piece.text, piece.heading)),
        )
        for piece in pieces
    ]


def packed(vectors: NDArray[np.float32]) -> list[bytes]:
    """Return each row, brought to length 1, as the database keeps it: little-endian float32."""
    return [row.tobytes() for row in unit_rows(vectors).astype("<f4")]


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows brought to length 1; those of length 0 stay so."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    rows: NDArray[np.float32] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return rows
