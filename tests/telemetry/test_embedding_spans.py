"""Spans of texts that are embedded and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from opentelemetry.trace import SpanKind, StatusCode
from tests.runner.fakes import catalog

from agentbench.config import Endpoint
from agentbench.errors import UpstreamRejected
from agentbench.providers.embedding import Embedded, Reranked
from agentbench.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.telemetry.collected import Collected

    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
ACME = Endpoint(name="acme", provider="openai_chat", base_url="http://127.0.0.1:9/v1", models=("e",))
TEXTS = ["gulls", "terns"]


class Upstream:
    """Embeds into three dimensions and ranks, or refuses."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def embedding(self, _: Endpoint) -> Upstream:
        """Return itself, as the provider of every endpoint."""
        return self

    reranking = embedding

    async def embed(self, _: Endpoint, __: str, texts: Sequence[str], **___: Any) -> Embedded:
        """Embed."""
        if self._error is not None:
            raise self._error
        return Embedded(np.ones((len(texts), 3), np.float32), 7)

    async def rerank(self, _: Endpoint, __: str, ___: str, texts: Sequence[str]) -> Reranked:
        """Rank."""
        return Reranked((1.0,) * len(texts), 5)


def runner_of(upstream: Upstream, database: Database, collected: Collected) -> Runner:
    """Return a runner that embeds there."""
    runner = Runner(catalog(ACME), _Providers(), database, telemetry=collected.telemetry())  # type: ignore[arg-type]
    runner.embeddings._providers = upstream  # type: ignore[assignment]
    return runner


class _Providers:
    """Has a deck and nothing else."""

    deck = None


async def test_embedding_is_a_call(database: Database, collected: Collected) -> None:
    """Embedding is a client's `embeddings MODEL` with its tokens and dimensions, measured, and with no text."""
    await runner_of(Upstream(), database, collected).embeddings.embed("acme/e", TEXTS, "passage")
    span = collected.span("embeddings e")
    told = dict(span.attributes or {})
    assert (
        span.kind,
        told["gen_ai.usage.input_tokens"],
        told["gen_ai.embeddings.dimension.count"],
    ) == (SpanKind.CLIENT, 7, 3)
    assert [point.sum for point in collected.points("gen_ai.client.token.usage")] == [7]
    assert "gulls" not in collected.told()


async def test_ranking_is_a_call(database: Database, collected: Collected) -> None:
    """Ranking is `rerank MODEL`."""
    await runner_of(Upstream(), database, collected).embeddings.rerank("birds", TEXTS, name="acme/e")
    assert (collected.span("rerank e").attributes or {})["gen_ai.operation.name"] == "rerank"


async def test_embedding_that_fails_is_an_error(database: Database, collected: Collected) -> None:
    """A refusal marks the span with its class."""
    embeddings = runner_of(Upstream(UpstreamRejected("No.", endpoint="acme")), database, collected).embeddings
    with pytest.raises(UpstreamRejected):
        await embeddings.embed("acme/e", TEXTS, "passage")
    span = collected.span("embeddings e")
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "No.")
    assert UpstreamRejected.code == (span.attributes or {})["error.type"]
