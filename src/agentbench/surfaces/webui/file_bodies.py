"""A file as Open WebUI's clients read it. Where its bytes are is nobody's business: `path` is empty."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from agentbench.retrieval.library import Library
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Reader

__all__ = ["SCOPE", "epoch", "file_bodies", "file_body", "file_meta", "full_body"]

SCOPE = "file-"
"""What stands before a file's id where clients name it like a collection."""

_MOST_TEXT = 20_000_000
"""The characters of text that a list of files may have in all; what is over that must be asked for by itself."""


def file_body(file: StoredFile, text: str | None = None) -> dict[str, Any]:
    """Return a file, with the text that was read out of it if that is given."""
    data: dict[str, Any] = {} if file.status == "stored" else {"status": file.status}
    if file.error is not None:
        data["error"] = file.error
    if text:
        data["content"] = text
    return {
        "id": file.id,
        "user_id": file.user,
        "hash": file.text_digest,
        "filename": file.name,
        "path": "",
        "data": data,
        "meta": file_meta(file),
        "created_at": epoch(file.created_at),
        "updated_at": epoch(file.updated_at),
    }


def file_meta(file: StoredFile) -> dict[str, Any]:
    """Return what is known of a file besides its text."""
    meta: dict[str, Any] = {
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "file_hash": file.digest,
        "data": file.meta,
    }
    if file.status == "completed":
        meta["collection_name"] = SCOPE + file.id
    if file.url is not None:
        meta["source"] = file.url
    return meta


async def full_body(library: Library, reader: Reader, file: StoredFile) -> dict[str, Any]:
    """Return a file with its text."""
    return file_body(file, await library.text(reader, file.id) if file.characters else None)


async def file_bodies(library: Library, reader: Reader, files: Iterable[StoredFile]) -> list[dict[str, Any]]:
    """Return files with their text, as far as a list has room for it."""
    bodies, left = [], _MOST_TEXT
    for file in files:
        fits = file.characters <= left
        left -= file.characters if fits else 0
        with suppress(UnknownName):  # it was deleted in the meantime
            bodies.append(await full_body(library, reader, file) if fits else file_body(file))
    return bodies


def epoch(moment: datetime) -> int:
    """Return a moment in whole seconds since 1970."""
    return int(moment.timestamp())
