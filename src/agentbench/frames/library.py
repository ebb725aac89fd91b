"""Files, collections and the passages that a search found, as DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.retrieval.values import Found
    from agentbench.storage.collections import Collection
    from agentbench.storage.files import StoredFile

__all__ = ["Frame", "collections_frame", "files_frame", "found_frame"]

Frame = pd.DataFrame

_FILE = {
    "name": "string",
    "status": "category",
    "passages": "Int64",
    "size": "Int64",
    "updated_at": "datetime64[s, UTC]",
    "error": "string",
    "characters": "Int64",
    "content_type": "string",
    "embedder": "string",
    "url": "string",
    "id": "string",
}
_COLLECTION = {
    "name": "string",
    "files": "Int64",
    "description": "string",
    "updated_at": "datetime64[s, UTC]",
    "id": "string",
}
_HIT = {
    "name": "string",
    "page": "Int64",
    "heading": "string",
    "text": "string",
    "score": "Float64",
    "similarity": "Float64",
    "vector_rank": "Int64",
    "text_rank": "Int64",
    "number": "Int64",
    "url": "string",
    "file": "string",
}


def files_frame(files: Sequence[StoredFile]) -> Frame:
    """Return one row a file, in the order given; `size` is in bytes."""
    return _frame(files, _FILE)


def collections_frame(collections: Sequence[Collection]) -> Frame:
    """Return one row a collection, in the order given; `files` counts those in it."""
    return _frame(collections, _COLLECTION)


def found_frame(found: Found) -> Frame:
    """Return one row a passage, the best first; `attrs` say what was searched for, in how many, and how long it took.

    `similarity` is 0 to 1, 0.5 for texts that have nothing in common; ranks count from 1.
    """
    frame = _frame(found.hits, _HIT)
    frame.attrs = {"queries": list(found.queries), "searched": found.searched, "seconds": found.seconds}
    return frame


def _frame(values: Sequence[Any], columns: dict[str, str]) -> Frame:
    made = {name: pd.Series([getattr(value, name) for value in values], dtype=kind) for name, kind in columns.items()}
    return pd.DataFrame(made)
