"""Searching vector stores, also by the attributes that their files have there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.protocol.assistants.stores import StoreHit, StoreHits, StoreText
from agentbench.retrieval.values import is_similar, similarity
from agentbench.runner.assistants.attribute_filters import condition
from agentbench.runner.assistants.store_files import StoreFiles
from agentbench.runner.documents import Document
from agentbench.storage import vector_stores
from agentbench.storage.grants import Reader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.stores import SearchStore
    from agentbench.protocol.assistants.tools import FileSearchOptions, ToolResources
    from agentbench.retrieval.values import Found, Hit
    from agentbench.storage.vector_stores import Member

__all__ = ["StoreSearch"]

_CANDIDATES = 4
"""So many times as many passages as are wanted go to the reranker."""


class StoreSearch(StoreFiles):
    """Searches vector stores."""

    async def search_store(self, principal: Principal, store_id: str, wanted: SearchStore) -> StoreHits:
        """Return the best passages of a store; raises `InvalidRequest` for a filter that says nothing."""
        await self.use_store(principal.user, store_id)
        members = await self._read(principal, store_id, vector_stores.members)
        queries = (wanted.query,) if isinstance(wanted.query, str) else wanted.query
        hits = await self._hits(principal, store_id, wanted, queries, members)
        attributes = {each.id: each.attributes for each in members}
        data = tuple(_store_hit(hit, attributes.get(hit.file, {})) for hit in hits)
        return StoreHits(search_query=queries, data=data)

    async def documents(
        self, owner: str, resources: ToolResources | None, options: FileSearchOptions | None = None
    ) -> tuple[Document, ...]:
        """Return the vector stores of an owner's assistant or thread, for whoever may ask it, and note their use.

        The `options` hold for each of them. Raises `UnknownName` for one that was deleted, and `InvalidRequest` for
        one that expired.
        """
        search = None if resources is None else resources.file_search
        ids = () if search is None else search.vector_store_ids
        ranking = None if options is None else options.ranking_options
        stores = [(await self.use_store(owner, each)).collection for each in ids]
        return tuple(
            Document(
                kind="collection",
                id=each.id,
                name=each.name,
                given={"type": "collection", "id": each.id, "name": each.name},
                owner=owner,
                top_k=None if options is None else options.max_num_results,
                threshold=None if ranking is None else ranking.score_threshold or None,
            )
            for each in stores
        )

    async def _hits(
        self,
        principal: Principal,
        store_id: str,
        wanted: SearchStore,
        queries: Sequence[str],
        members: Sequence[Member],
    ) -> tuple[Hit, ...]:
        only = None
        if wanted.filters is not None:
            fits = condition(wanted.filters)
            only = [each.id for each in members if each.status == "completed" and fits(each.attributes)]
        if only == []:
            return ()
        options = wanted.ranking_options
        threshold = None if options is None else options.score_threshold
        reranks = self._runner.catalog.retrieval.reranker is not None and (options is None or options.ranker != "none")
        found: Found = await self._library.search(
            Reader(principal.user),
            queries,
            files=only or (),
            collections=(store_id,) if only is None else (),
            top_k=wanted.max_num_results * (_CANDIDATES if reranks else 1),
            threshold=threshold,
        )
        hits = tuple(
            msgspec.structs.replace(hit, score=similarity(hit)) for hit in found.hits if is_similar(hit, threshold)
        )
        if reranks:
            texts = [hit.text for hit in hits]
            scores = await self._runner.embeddings.rerank(found.queries[0], texts, principal=principal)
            scored = [msgspec.structs.replace(hit, score=score) for hit, score in zip(hits, scores, strict=True)]
            hits = tuple(sorted(scored, key=lambda hit: -hit.score))
        return hits[: wanted.max_num_results]


def _store_hit(hit: Hit, attributes: dict[str, str | bool | int | float]) -> StoreHit:
    return StoreHit(
        file_id=hit.file,
        filename=hit.name,
        score=hit.score,
        attributes=attributes,
        content=(StoreText(text=hit.text),),
    )
