"""Files: their bytes, what was read out of them, and how far that is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from agentbench.protocol.values import Value

__all__ = ["FileKind", "FileStatus", "StoredFile"]

FileStatus = Literal["stored", "pending", "processing", "completed", "failed"]
"""`stored`: nobody asked to process it; `pending`: it waits for its turn."""

FileKind = Literal["upload", "text", "web"]


class StoredFile(Value, frozen=True, kw_only=True):
    """A file without its bytes and text; `size` is in bytes, `digest` their SHA-256, `characters` the text's length.

    `embedder` made its vectors (`endpoint/model`), which have `dimensions`. `error` says why it failed.
    """

    id: str
    user: str
    name: str
    kind: FileKind = "upload"
    url: str | None = None
    content_type: str
    size: int
    digest: str
    status: FileStatus
    error: str | None = None
    text_digest: str | None = None
    characters: int = 0
    passages: int = 0
    embedder: str | None = None
    dimensions: int | None = None
    meta: dict[str, Any] = {}
    created_at: datetime
    updated_at: datetime
