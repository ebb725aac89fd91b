"""Files and collections to store, and a file's whole way to being searchable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from agentbench.protocol.values import new_id
from agentbench.storage import collections, files, processing, tables
from agentbench.storage.passages import NewPassage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FILE_TABLES = ("files", "file_parts", "file_texts", "passages", "collection_files", "pending_links")


def some_file(file_id: str | None = None, **values: Any) -> files.StoredFile:
    """Return a pending file of Ann's."""
    given = {
        "user": "ann",
        "name": "a.txt",
        "content_type": "text/plain",
        "size": 5,
        "digest": "d",
        "status": "pending",
        "created_at": START,
        "updated_at": START,
    }
    return files.StoredFile(id=file_id or new_id("file"), **given | values)


def some_collection(collection_id: str | None = None, **values: Any) -> collections.Collection:
    """Return a collection of Ann's."""
    made = collection_id or new_id("coll")
    given = {"user": "ann", "handle": made, "name": "Papers", "created_at": START, "updated_at": START}
    return collections.Collection(id=made, **given | values)


def some_passages(*texts: str) -> list[NewPassage]:
    """Return passages whose terms don't matter."""
    return [
        NewPassage(text=each, start=0, end=len(each), text_hash=number, terms=b"") for number, each in enumerate(texts)
    ]


def claim(connection: Connection, worker: str = "one", *, seconds: float = 60) -> processing.Claim | None:
    """Take the next file."""
    now = datetime.now(UTC)
    return processing.claim(connection, worker, now=now, until=now + timedelta(seconds=seconds))


def complete(
    connection: Connection,
    file: files.StoredFile,
    passages: Sequence[NewPassage],
    vectors: Sequence[bytes] = (),
    *,
    joins: Sequence[str] = (),
) -> None:
    """Store a file and make it searchable."""
    files.add(connection, file, [b"bytes"], joins=joins)
    make(connection, file.id, passages, vectors)


def make(connection: Connection, file_id: str, passages: Sequence[NewPassage], vectors: Sequence[bytes] = ()) -> None:
    """Process a file that is pending, alone."""
    claimed = claim(connection)
    assert claimed is not None
    assert claimed.file.id == file_id
    assert processing.save_passages(connection, file_id, "one", passages)
    if vectors:
        assert processing.use_embedder(connection, file_id, "one", "local/e5", len(vectors[0]) // 4)
        assert processing.save_vectors(connection, file_id, "one", dict(enumerate(vectors)))
    assert processing.complete(connection, file_id, "one")


def counts(connection: Connection) -> dict[str, int]:
    """Return how many rows the tables have that hold something of files."""
    found = {
        name: connection.scalar(select(func.count()).select_from(tables.metadata.tables[name])) for name in FILE_TABLES
    }
    return {name: count for name, count in found.items() if count}
