"""Assistants as a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.frames.library import Frame

__all__ = ["Listed", "assistants_frame"]

_COLUMNS = {
    "id": "string",
    "name": "string",
    "model": "string",
    "tools": "string",
    "files": "Int64",
    "author": "string",
    "created_at": "datetime64[s, UTC]",
    "endpoint": "string",
}


class Listed(NamedTuple):
    """An assistant in a list; `created_at` is in seconds since 1970, and None is what its endpoint doesn't tell."""

    id: str
    name: str | None = None
    model: str | None = None
    tools: str | None = None
    files: int | None = None
    author: str | None = None
    created_at: int | None = None
    endpoint: str | None = None
    """Where it lives; None for here."""


def assistants_frame(rows: Sequence[Listed]) -> Frame:
    """Return one row an assistant, in the order given."""
    frame = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)
    frame["created_at"] = pd.to_datetime(frame["created_at"], unit="s", utc=True)
    return frame.astype(_COLUMNS)
