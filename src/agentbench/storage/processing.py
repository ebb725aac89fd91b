"""Which process makes passages of which file: a file is leased to one worker, for a time that the worker renews.

What a worker stores is refused once its lease is another's, or the file is deleted or queued anew: the functions
that take a `worker` then return False and change nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_, select, update

from agentbench.protocol.values import Value
from agentbench.storage import collections, file_texts, passages, tables
from agentbench.storage.files import StoredFile, stored_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from agentbench.storage.file_texts import FileText
    from agentbench.storage.passages import NewPassage

__all__ = [
    "Claim",
    "claim",
    "complete",
    "edit",
    "fail",
    "queue",
    "release",
    "renew",
    "save_passages",
    "save_text",
    "save_vectors",
    "use_embedder",
]

_table = tables.files

FREE: dict[str, Any] = {"worker": None, "lease_until": None}


class Claim(Value, frozen=True, kw_only=True):
    """A file that a worker has; `attempts` counts how often one was begun since it was queued, this one included."""

    file: StoredFile
    attempts: int


def queue(connection: Connection, file_id: str, *, afresh: bool = False) -> bool:
    """Let a file be processed; False if there is none. Whoever works on it loses it.

    What is done already isn't done again, unless `afresh`: then only a text that a person edited is kept.
    """
    collections.touch_holding(connection, [file_id])
    values = {"status": "pending", "error": None, "attempts": 0, "version": _table.c.version + 1, **FREE}
    if not _change(connection, _table.c.id == file_id, values):
        return False
    if afresh:
        connection.execute(update(_table).where(_table.c.id == file_id).values(passages=0))
        passages.replace(connection, file_id, [])
        text = file_texts.get(connection, file_id)
        if text is not None and not text.edited:
            file_texts.remove(connection, file_id)
    return True


def edit(connection: Connection, file_id: str, text: str, digest: str) -> bool:
    """Queue a file with a text that a person gives instead of what its bytes say; False if there is none."""
    if not queue(connection, file_id, afresh=True):
        return False
    file_texts.replace(connection, file_id, file_texts.FileText(text=text, edited=True))
    return _change(connection, _table.c.id == file_id, {"text_digest": digest, "characters": len(text)})


def claim(connection: Connection, worker: str, *, now: datetime, until: datetime) -> Claim | None:
    """Take the file that has waited longest, or one whose worker didn't renew its lease; None if there is none."""
    abandoned = (_table.c.status == "processing") & (_table.c.lease_until < now)
    free = select(_table.c.id).where(or_(_table.c.status == "pending", abandoned))
    first = free.order_by(_table.c.updated_at, _table.c.id).limit(1).with_for_update(skip_locked=True)
    file_id = connection.scalar(first)
    if file_id is None:
        return None
    values = {"status": "processing", "worker": worker, "lease_until": until, "attempts": _table.c.attempts + 1}
    _change(connection, _table.c.id == file_id, values)
    row = connection.execute(select(_table).where(_table.c.id == file_id)).mappings().one()
    return Claim(file=stored_file(row), attempts=row["attempts"])


def renew(connection: Connection, file_id: str, worker: str, until: datetime) -> bool:
    """Keep a file until then."""
    return connection.execute(update(_table).where(_held(file_id, worker)).values(lease_until=until)).rowcount > 0


def release(connection: Connection, file_id: str, worker: str) -> bool:
    """Give a file back, for another worker to go on with at once."""
    values = {"status": "pending", "attempts": _table.c.attempts - 1, **FREE}
    return _change(connection, _held(file_id, worker), values)


def save_text(connection: Connection, file_id: str, worker: str, text: FileText, digest: str) -> bool:
    """Store what was read out of the file; `digest` is the SHA-256 of the text."""
    values = {"text_digest": digest, "characters": len(text.text)}
    if not _change(connection, _held(file_id, worker), values):
        return False
    file_texts.replace(connection, file_id, text)
    return True


def save_passages(connection: Connection, file_id: str, worker: str, new: Sequence[NewPassage]) -> bool:
    """Store the file's passages, in place of those that it had."""
    if not _change(connection, _held(file_id, worker), {"passages": len(new)}):
        return False
    passages.replace(connection, file_id, new)
    return True


def use_embedder(connection: Connection, file_id: str, worker: str, embedder: str, dimensions: int) -> bool:
    """Note who makes the file's vectors; those of another embedder are taken away."""
    query = select(_table.c.embedder, _table.c.dimensions).where(_held(file_id, worker)).with_for_update()
    before = connection.execute(query).one_or_none()
    if before is None:
        return False
    if tuple(before) != (embedder, dimensions):
        passages.forget_vectors(connection, file_id)
        _change(connection, _table.c.id == file_id, {"embedder": embedder, "dimensions": dimensions})
    return True


def save_vectors(connection: Connection, file_id: str, worker: str, vectors: Mapping[int, bytes]) -> bool:
    """Store vectors by the passages' numbers, as `passages.add_vectors`."""
    held = connection.scalar(select(_table.c.id).where(_held(file_id, worker)).with_for_update())
    if held is not None:
        passages.add_vectors(connection, file_id, vectors)
    return held is not None


def complete(connection: Connection, file_id: str, worker: str) -> bool:
    """Let searches find the file, and let it join the collections that it was meant for."""
    # Before the file itself: whoever deletes files locks in this order too.
    collections.lock_awaited(connection, file_id)
    values = {"status": "completed", "error": None, "version": _table.c.version + 1, **FREE}
    if not _change(connection, _held(file_id, worker), values):
        return False
    for collection_id in collections.lock_awaited(connection, file_id):  # also what came while the file was waited for
        collections.link(connection, collection_id, [file_id])
    connection.execute(delete(tables.pending_links).where(tables.pending_links.c.file_id == file_id))
    collections.touch_holding(connection, [file_id])
    return True


def fail(connection: Connection, file_id: str, worker: str, error: str) -> bool:
    """Note why nothing came of the file."""
    return _change(
        connection, _held(file_id, worker), {"status": "failed", "error": file_texts.storable(error), **FREE}
    )


def _held(file_id: str, worker: str) -> ColumnElement[bool]:
    return (_table.c.id == file_id) & (_table.c.worker == worker) & (_table.c.status == "processing")


def _change(connection: Connection, condition: ColumnElement[bool], values: dict[str, Any]) -> bool:
    now = {"updated_at": datetime.now(UTC)}
    return connection.execute(update(_table).where(condition).values(values | now)).rowcount > 0
