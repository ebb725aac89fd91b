"""A small corpus in English and Korean, and vectors that know a little of what texts mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from tests.storage.stored import complete, some_collection, some_file

from agentbench.retrieval.indexing import new_passages, packed
from agentbench.retrieval.terms import term_hash, terms
from agentbench.retrieval.values import Piece
from agentbench.storage import collections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection

CORPUS = {
    "f1": (
        "birds.md",
        [
            "The peregrine falcon is the fastest bird; it dives at 320 km/h.",
            "Penguins cannot fly, but swim well.",
            "Falcons nest on cliffs and on church towers.",
        ],
    ),
    "f2": (
        "store.pdf",
        [
            "환불은 구매 후 14일 이내에 가능합니다.",
            "배송은 보통 이틀이 걸립니다.",
            "매장은 서울과 부산에 있습니다.",
        ],
    ),
    "f3": (
        "mixed.txt",
        [
            "Refunds take 14 days. 환불 문의는 전화로 받습니다.",
            "The store in Seoul opens at nine.",
            "Shipping takes two days.",
        ],
    ),
}
SAME = {"refund": "환불", "seoul": "서울", "ship": "배송", "store": "매장"}
DIMENSIONS = 16


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return vectors of the terms; some words of both languages lie together."""
    rows = np.zeros((len(texts), DIMENSIONS), np.float32)
    for at, text in enumerate(texts):
        for term in terms(text):
            rows[at] += np.random.default_rng(term_hash(SAME.get(term, term))).standard_normal(DIMENSIONS, np.float32)
    return rows


def pieces(texts: Sequence[str]) -> list[Piece]:
    """Return a piece a text, each on its page."""
    return [Piece(text=each, start=0, end=len(each), page=page) for page, each in enumerate(texts, 1)]


def store(
    connection: Connection,
    corpus: Mapping[str, tuple[str, Sequence[str]]] = CORPUS,
    collection_id: str = "all",
) -> None:
    """Store files by their ids and make them searchable, all in one collection."""
    if not collections.by_handle(connection, collection_id, "ann"):
        collections.add(connection, some_collection(collection_id))
    for file_id, (name, texts) in corpus.items():
        content_type = "application/pdf" if name.endswith(".pdf") else "text/plain"
        file = some_file(file_id, name=name, content_type=content_type)
        complete(connection, file, new_passages(pieces(texts)), packed(embed(texts)), joins=[collection_id])
