"""What embeds and what reranks: the protocols of providers that can, and what they give back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from agentbench.config.endpoint import Endpoint

__all__ = ["Embedded", "EmbeddingProvider", "Reranked", "RerankingProvider", "TextKind"]

TextKind = Literal["query", "passage"]


class Embedded(NamedTuple):
    """One row a text, in their order, of any length; `input_tokens` is None where the upstream doesn't tell."""

    vectors: NDArray[np.float32]
    input_tokens: int | None


class Reranked(NamedTuple):
    """One score a text, in their order, the higher the better."""

    scores: tuple[float, ...]
    input_tokens: int | None


@runtime_checkable
class EmbeddingProvider(Protocol):
    """Turns texts into vectors."""

    async def embed(
        self, endpoint: Endpoint, model: str, texts: Sequence[str], kind: TextKind, *, dimensions: int | None = None
    ) -> Embedded:
        """Embed texts, at least one, in one call; raises `UpstreamError` and its like.

        `dimensions` asks for shorter vectors, which few models can give.
        """


@runtime_checkable
class RerankingProvider(Protocol):
    """Says how well texts answer a query."""

    async def rerank(self, endpoint: Endpoint, model: str, query: str, texts: Sequence[str]) -> Reranked:
        """Score texts, at least one, in one call; raises `UpstreamError` and its like."""
