"""What endpoints of OpenAI's shape do besides answering: `/embeddings`, and the `/rerank` that many have beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.config.endpoint import Endpoint
    from agentbench.providers.embedding import Embedded, Reranked, TextKind
    from agentbench.providers.http import Http

__all__ = ["OpenAIEmbedding"]


class OpenAIEmbedding:
    """Any endpoint that has OpenAI's addresses."""

    def __init__(self, http: Http) -> None:
        self._http = http

    async def embed(
        self,
        endpoint: Endpoint,
        model: str,
        texts: Sequence[str],
        kind: TextKind,  # noqa: ARG002 - the wire doesn't tell them apart
        *,
        dimensions: int | None = None,
    ) -> Embedded:
        from agentbench.providers.embedding_wires import openai_embedded

        return await openai_embedded(self._http, endpoint, model, texts, dimensions=dimensions)

    async def rerank(self, endpoint: Endpoint, model: str, query: str, texts: Sequence[str]) -> Reranked:
        from agentbench.providers.embedding_wires import reranked

        return await reranked(self._http, endpoint, model, query, texts)
