"""What the parts of this room hand to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from agentbench.protocol.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Embedder",
    "Extracted",
    "Found",
    "Hit",
    "Markup",
    "Piece",
    "Progress",
    "Ranking",
    "TextKind",
    "is_similar",
    "similarity",
]

Markup = Literal["markdown", "code", "plain"]
TextKind = Literal["query", "passage"]
Ranking = Literal["fused", "vectors", "text"]


class Extracted(Value, frozen=True, kw_only=True):
    """A file's text. `pages` are the offsets in it, in characters, at which pages (slides, sheets) begin.

    `page_names` are sheets' names and the like, as many as `pages`, or empty.
    """

    text: str
    markup: Markup = "plain"
    title: str | None = None
    pages: tuple[int, ...] = ()
    page_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Piece(Value, frozen=True, kw_only=True):
    """A passage before it is stored: `text` is what lies between the offsets `start` and `end` of the file's text.

    `page` counts from 1; `heading` is the path to it, as `Guide > Installing`.
    """

    text: str
    start: int
    end: int
    page: int | None = None
    heading: str | None = None


class Hit(Value, frozen=True, kw_only=True):
    """A passage that was found. `score` orders the hits (highest first); `similarity` is its vector's, 0 to 1.

    `number` is its place in its file, from 0; `vector_rank` and `text_rank` count from 1, None where it wasn't found
    that way.
    """

    file: str
    name: str
    number: int
    text: str
    start: int
    end: int
    page: int | None = None
    heading: str | None = None
    url: str | None = None
    score: float
    similarity: float | None = None
    vector_rank: int | None = None
    text_rank: int | None = None


class Scored(Protocol):
    """What a search has found: a hit, or a passage of an answer."""

    @property
    def score(self) -> float:
        """What orders it among others."""

    @property
    def similarity(self) -> float | None:
        """Its vector's, if it has one."""


def similarity(found: Scored) -> float:
    """Return how similar it is to a query, 0 to 1; where vectors weren't searched, its score."""
    return found.score if found.similarity is None else found.similarity


def is_similar(found: Scored, least: float | None) -> bool:
    """Tell whether it is similar enough; what has no vector is."""
    return least is None or found.similarity is None or found.similarity >= least


class Found(Value, frozen=True, kw_only=True):
    """What a search gave, and over how many passages it went."""

    queries: tuple[str, ...]
    hits: tuple[Hit, ...]
    searched: int
    seconds: float


class Progress(Value, frozen=True, kw_only=True):
    """How far a file is: `done` of `total` passages are embedded while it is `embedding`."""

    file: str
    step: Literal["waiting", "extracting", "splitting", "embedding", "completed", "failed", "deleted"]
    done: int = 0
    total: int = 0
    error: str | None = None


class Embedder(Protocol):
    """Turns texts into vectors of length 1."""

    @property
    def name(self) -> str:
        """`endpoint/model`."""

    async def embed(self, texts: Sequence[str], kind: TextKind) -> NDArray[np.float32]:
        """Return one row a text; raises `UpstreamError` and its like when retries are used up."""
