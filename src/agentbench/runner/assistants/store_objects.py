"""Vector stores, their files and batches as clients see them, made of what is stored."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Literal

from agentbench.protocol.assistants.stores import (
    ExpiresAfter,
    FileBatch,
    FileCounts,
    FileProblem,
    StoreFile,
    VectorStore,
)
from agentbench.retrieval.extraction.readers import reader_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol.assistants.stores import FileState
    from agentbench.storage.vector_stores import Batch, Member, StoredStore

__all__ = ["batch_object", "expires_at", "file_object", "store_object"]

_DAY_S = 86_400


def store_object(stored: StoredStore, members: Sequence[Member]) -> VectorStore:
    """Return a store with those files."""
    counts, days = _counts(members), stored.state.days
    ends = expires_at(stored)
    status: Literal["expired", "in_progress", "completed"] = "in_progress" if counts.in_progress else "completed"
    if ends is not None and ends <= time.time():
        status = "expired"
    return VectorStore(
        id=stored.id,
        created_at=int(stored.collection.created_at.timestamp()),
        name=stored.collection.name,
        description=stored.collection.description or None,
        usage_bytes=sum(map(_usage, members)),
        file_counts=counts,
        status=status,
        expires_after=None if days is None else ExpiresAfter(days=days),
        expires_at=ends,
        last_active_at=stored.active,
        metadata=stored.state.metadata,
    )


def expires_at(stored: StoredStore) -> int | None:
    """Return from when on a store can't be used any more; None: it always can."""
    return None if stored.state.days is None else stored.active + stored.state.days * _DAY_S


def file_object(store_id: str, member: Member) -> StoreFile:
    """Return a file of a store."""
    return StoreFile(
        id=member.id,
        created_at=int(member.added),
        vector_store_id=store_id,
        status=member.status,
        last_error=_problem(member) if member.status == "failed" else None,
        usage_bytes=_usage(member),
        attributes=member.attributes,
    )


def batch_object(batch_id: str, store_id: str, batch: Batch, members: Sequence[Member]) -> FileBatch:
    """Return a batch of which those files are still in the store."""
    counts = _counts(members)
    return FileBatch(
        id=batch_id,
        created_at=batch.created,
        vector_store_id=store_id,
        status=_batch_status(batch, counts),
        file_counts=counts,
    )


def _batch_status(batch: Batch, counts: FileCounts) -> FileState:
    if batch.cancelled:
        return "cancelled"
    if counts.in_progress:
        return "in_progress"
    return "failed" if counts.total and counts.failed == counts.total else "completed"


def _counts(members: Sequence[Member]) -> FileCounts:
    found = Counter[str](member.status for member in members)
    return FileCounts(**found, total=len(members))


def _usage(member: Member) -> int:
    return member.size if member.status == "completed" else 0


def _problem(member: Member) -> FileProblem:
    message = member.error or "The file could not be processed."
    if reader_of(member.content_type)[0] is None:
        return FileProblem(code="unsupported_file", message=message)
    # Where there are passages, the file was read, and what comes after it failed.
    return FileProblem(code="server_error" if member.passages else "invalid_file", message=message)
