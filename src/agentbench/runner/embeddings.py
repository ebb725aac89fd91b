"""Embedding and reranking for everybody: in batches, by any endpoint that can, charged to whoever asks."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from agentbench.auth.principal import KERNEL, Principal
from agentbench.config.retrieval import NANO_E5
from agentbench.errors import UnknownName, UpstreamGarbled
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import user_message
from agentbench.providers.embedding import Embedded
from agentbench.runner.embedding_calls import EmbeddingCalls
from agentbench.runner.embedding_names import listed_target, offered_names, target_of
from agentbench.runner.headers import with_headers
from agentbench.runner.target import Target
from agentbench.runner.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from agentbench.config.endpoint import Catalog
    from agentbench.providers import Providers
    from agentbench.providers.embedding import TextKind
    from agentbench.runner.budget import Budgets
    from agentbench.runner.purse import Purse
    from agentbench.storage.database import Database
    from agentbench.telemetry import Telemetry

__all__ = ["Embeddings", "NamedEmbedder"]

_PATIENCE = {"query": 15.0, "passage": 90.0}
"""Seconds of an upstream's trouble: somebody waits for a query, and nobody for a file."""


class Embeddings:
    """Embeds and reranks by name. Vectors have length 1. `sleep` waits before a call is made again."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        providers: Providers,
        database: Database,
        *,
        purse: Purse,
        budgets: Budgets,
        may_name_models: Callable[[Principal], bool],
        sleep: Callable[[float], Awaitable[Any]] = anyio.sleep,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._catalog = catalog
        self._providers = providers
        self._database = database
        self._budgets = budgets
        self._may_name_models = may_name_models
        self._calls = EmbeddingCalls(catalog, database, purse=purse, sleep=sleep, telemetry=telemetry)

    def models(self, principal: Principal = KERNEL) -> list[str]:
        """Return the embedding models that a principal may name, as far as they are known to be some."""
        offered = offered_names(self._catalog(), remote=principal.remote)
        return offered if self._may_name_models(principal) else [each for each in offered if each == NANO_E5]

    def name_for(self, name: str, principal: Principal = KERNEL) -> str:
        """Return what a principal's name means, as `endpoint/model`.

        Raises `UnknownName`, also for what the principal may not name: only the kernel's own model is everybody's.
        """
        catalog = self._catalog()
        if self._may_name_models(principal):
            return listed_target(catalog, name, remote=principal.remote).name
        offered = self.models(principal)
        found = next((each for each in offered if name.casefold() in (each, each.partition("/")[2])), None)
        if found is None:
            raise UnknownName("model", name, offered, param="model")
        return found

    def embedder(self, name: str | None = None, *, principal: Principal = KERNEL) -> NamedEmbedder:
        """Return the embedder of a name, or the configured one; `principal` pays."""
        catalog = self._catalog()
        target = target_of(catalog, name or catalog.retrieval.embedder, remote=principal.remote)
        return NamedEmbedder(self, target.name, principal)

    def embedder_for(self, user: str) -> NamedEmbedder:
        """Return the configured embedder for what is a user's own, who may be somebody that is not here now."""
        is_here = user == KERNEL.user
        return self.embedder(principal=KERNEL if is_here else Principal(user=user, remote=True))

    async def embed(
        self,
        name: str,
        texts: Sequence[str],
        kind: TextKind,
        principal: Principal = KERNEL,
        *,
        dimensions: int | None = None,
    ) -> NDArray[np.float32]:
        """Return one row a text. `name` is what the operator wrote, or `name_for` gave; nothing is checked here."""
        return (await self.embedded(name, texts, kind, principal, dimensions=dimensions)).vectors

    async def embedded(
        self,
        name: str,
        texts: Sequence[str],
        kind: TextKind,
        principal: Principal = KERNEL,
        *,
        dimensions: int | None = None,
    ) -> Embedded:
        """Do what `embed` does, and say how many tokens it took, if the upstream tells.

        Raises `UpstreamError` and its like when retries are used up, `PaymentRequired` where nobody may pay, and
        `MissingExtra`.
        """
        target = await self._target(name, principal)
        provider, size = self._providers.embedding(target.endpoint), self._catalog().retrieval.batch_size
        embed = partial(provider.embed, target.endpoint, target.model, kind=kind, dimensions=dimensions)
        calls = []
        for start in range(0, len(texts), size):
            batch = texts[start : start + size]
            turn = self._turn(target, batch, principal, "embedding")
            calls.append(self._calls.make(turn, target, partial(embed, batch), patience=_PATIENCE[kind]))
        return _joined(target, await _together(calls))

    async def rerank(
        self, query: str, texts: Sequence[str], *, name: str | None = None, principal: Principal = KERNEL
    ) -> tuple[float, ...]:
        """Return how well each text answers the query, the higher the better; raises as `embedded` does.

        Without a `name` the configured reranker is asked; without one all texts are equal.
        """
        name = name or self._catalog().retrieval.reranker
        if name is None or not texts:
            return (0.0,) * len(texts)
        target = await self._target(name, principal)
        provider = self._providers.reranking(target.endpoint)
        turn = self._turn(target, [query, *texts], principal, "rerank")
        ask = partial(provider.rerank, target.endpoint, target.model, query, texts)
        return (await self._calls.make(turn, target, ask, patience=_PATIENCE["query"])).scores

    async def _target(self, name: str, principal: Principal) -> Target:
        target = target_of(self._catalog(), name, remote=principal.remote)
        endpoint = await with_headers(target.endpoint, principal, self._database)
        return Target(agent=None, endpoint=endpoint, model=target.model)

    def _turn(self, target: Target, texts: Sequence[str], principal: Principal, context: str) -> Turn:
        request = CreateResponse(model=target.model, input=(user_message("\n".join(texts)),), max_output_tokens=1)
        budgets = () if principal.remote else self._budgets.now()
        return Turn(request=request, principal=principal, context=context, budgets=budgets)


class NamedEmbedder:
    """One model that somebody pays for, as `retrieval` asks for one."""

    def __init__(self, embeddings: Embeddings, name: str, principal: Principal) -> None:
        self.name = name
        self._embeddings = embeddings
        self._principal = principal

    async def embed(self, texts: Sequence[str], kind: TextKind) -> NDArray[np.float32]:
        """Return one row a text."""
        return await self._embeddings.embed(self.name, texts, kind, self._principal)


async def _together(calls: Sequence[Coroutine[Any, Any, Embedded]]) -> list[Embedded]:
    """Wait for all calls; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(each) for each in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _joined(target: Target, parts: Sequence[Embedded]) -> Embedded:
    """Return the parts as one, each row of length 1; raises `UpstreamGarbled` if they don't fit together."""
    import numpy as np

    if not parts:
        return Embedded(np.empty((0, 0), np.float32), 0)
    widths = sorted({part.vectors.shape[1] for part in parts})
    if len(widths) > 1:
        message = f"{target.name} gave vectors of {' and of '.join(map(str, widths))} numbers. Is it one model?"
        raise UpstreamGarbled(message, endpoint=target.endpoint.name)
    vectors = np.concatenate([part.vectors for part in parts])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not lengths.all():
        raise UpstreamGarbled(f"{target.name} gave a vector of zeros.", endpoint=target.endpoint.name)
    counts = [part.input_tokens for part in parts]
    return Embedded(vectors / lengths, None if None in counts else sum(count or 0 for count in counts))
