"""The passages that a turn's documents have for its queries: numbered, each once, by document and then by score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.retrieval.values import is_similar
from agentbench.runner.documents import Passage, reader_for, reader_of
from agentbench.runner.rates import estimated_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.auth.principal import Principal
    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.retrieval.library import Library
    from agentbench.retrieval.values import Extracted, Found, Hit
    from agentbench.runner.embeddings import Embeddings
    from agentbench.runner.opening import Opened
    from agentbench.runner.target import Target

__all__ = ["Finder"]

_CANDIDATES = 4
"""So many times as many passages as are wanted go to the reranker."""

_LONGEST = 1_000_000
"""Characters that are read as a whole at most, where nobody knows how much the model takes."""


class Finder:
    """Finds the passages of one turn; `searched` is how many there were to find."""

    def __init__(
        self,
        library: Library,
        embeddings: Embeddings,
        principal: Principal,
        settings: RetrievalSettings,
        target: Target,
    ) -> None:
        self.searched = 0
        self._library = library
        self._embeddings = embeddings
        self._principal = principal
        self._reader = reader_of(principal, settings)
        self._settings = settings
        self._target = target
        self._read: set[str] = set()

    async def passages(self, documents: Sequence[Opened], queries: Sequence[str]) -> tuple[Passage, ...]:
        """Return the passages in the order of their numbers.

        Raises `InvalidRequest` where what is to be read as a whole is too long for the model.
        """
        whole = {each.place: await self._whole(each) for each in documents if self._is_whole(each)}
        self._check_length([passage for each in whole.values() for passage in each])
        self._read = {passage.file for each in whole.values() for passage in each if passage.file is not None}
        found: dict[object, Passage] = {}
        for document in documents:
            made = whole.get(document.place)
            for passage in await self._best(document, queries) if made is None else made:
                key = (passage.file or document.place, passage.start, passage.end)
                found.setdefault(key, msgspec.structs.replace(passage, n=len(found) + 1))
        return tuple(found.values())

    def _is_whole(self, document: Opened) -> bool:
        """Tell whether all of a document goes in: it is meant to, or its passages wouldn't be shorter."""
        passages = self._settings.top_k * self._settings.passage_size
        return document.whole or (document.extracted is not None and len(document.extracted.text) <= passages)

    async def _whole(self, document: Opened) -> list[Passage]:
        if document.extracted is not None:
            return [_all(document, None, document.name, document.url, document.extracted.text)]
        reader = reader_for(document.owner, self._reader)
        read = await self._library.whole(reader, files=document.files, collections=document.collections)
        return [_all(document, file.id, file.name, file.url, text) for file, text in read]

    def _check_length(self, passages: Sequence[Passage]) -> None:
        endpoint, model = self._target.endpoint, self._target.model
        length = sum(len(passage.text) for passage in passages)
        room = endpoint.context_lengths.get(model)
        tokens = sum(estimated_tokens(passage.text) for passage in passages)
        if length > _LONGEST or (room is not None and tokens > room):
            message = (
                f"The documents to be read as a whole have {length:,} characters, more than {self._target.name} takes."
                " Ask for passages of them instead."
            )
            raise InvalidRequest(message, param="files")

    async def _best(self, document: Opened, queries: Sequence[str]) -> list[Passage]:
        settings = self._settings
        most = settings.top_k if document.top_k is None else document.top_k
        wanted = most if settings.reranker is None else most * _CANDIDATES
        if document.extracted is None:
            found = await self._library.search(
                reader_for(document.owner, self._reader),
                queries,
                files=document.files,
                collections=document.collections,
                top_k=wanted,
                threshold=document.threshold,
                payer=self._principal.user,
            )
        else:
            found = await self._within(document.extracted, document, queries, wanted)
        self.searched += found.searched
        least = document.threshold
        hits = tuple(hit for hit in found.hits if hit.file not in self._read and is_similar(hit, least))
        if settings.reranker is not None and hits:
            hits = await self._reranked(queries[0], hits)
        return [_passage(hit, document.place) for hit in hits[:most]]

    async def _within(self, extracted: Extracted, document: Opened, queries: Sequence[str], wanted: int) -> Found:
        from agentbench.retrieval.loose import search_text  # which loads numpy

        embedder = self._embeddings.embedder(principal=self._principal)
        return await search_text(
            extracted, queries, embedder, self._settings, name=document.name, url=document.url, top_k=wanted
        )

    async def _reranked(self, query: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
        scores = await self._embeddings.rerank(query, [hit.text for hit in hits], principal=self._principal)
        scored = [msgspec.structs.replace(hit, score=score) for hit, score in zip(hits, scores, strict=True)]
        return tuple(sorted(scored, key=lambda hit: -hit.score))


def _all(document: Opened, file: str | None, name: str, url: str | None, text: str) -> Passage:
    """Return a whole text as a passage that has no number yet."""
    return Passage(n=0, document=document.place, file=file, name=name, url=url, start=0, end=len(text), text=text)


def _passage(hit: Hit, place: int) -> Passage:
    """Return a hit as a passage that has no number yet."""
    return Passage(
        n=0,
        document=place,
        file=hit.file or None,
        name=hit.name,
        page=hit.page,
        heading=hit.heading,
        start=hit.start,
        end=hit.end,
        url=hit.url,
        score=hit.score,
        similarity=hit.similarity,
        vector_rank=hit.vector_rank,
        text_rank=hit.text_rank,
        text=hit.text,
    )
