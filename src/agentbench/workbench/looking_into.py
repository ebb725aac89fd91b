"""From what people name in Python to documents: collections and files of the library, files on disk, web pages."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import anyio.to_thread

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.runner.documents import Document
from agentbench.storage.collections import Collection
from agentbench.storage.files import FileKind, StoredFile
from agentbench.storage.globs import search_key

if TYPE_CHECKING:
    from typing import BinaryIO, TypeAlias

    from agentbench.retrieval.library import Library
    from agentbench.storage.grants import Reader
    from agentbench.workbench.collection import FileCollection

    Named: TypeAlias = str | Path | Document | Collection | StoredFile | FileCollection
    Documents: TypeAlias = Named | Sequence[Named]

__all__ = ["added_data", "added_file", "documents_of"]

_NAMED = 100
"""Files and collections of which the nearest is suggested."""


async def documents_of(library: Library, reader: Reader, named: Documents) -> tuple[Document, ...]:
    """Return what is named as documents: a path's file is added first, unless it is there with the same bytes.

    A text is a collection's name or id, the path of a file, a stored file's id or name (the newest's, where several
    have it), or a web page's address. Raises `UnknownName` with the nearest name, `InvalidRequest` for a folder and for
    what is nothing of that.
    """
    several = named if isinstance(named, Sequence) and not isinstance(named, str) else [named]
    return tuple([await _document(library, reader, each) for each in several])


async def _document(library: Library, reader: Reader, named: Named) -> Document:
    if isinstance(named, Document):
        return named
    if isinstance(named, Collection | StoredFile):
        return _as_document(named)
    if isinstance(named, Path):
        return await _added(library, reader, named)
    if isinstance(named, str):
        return await _written(library, reader, named)
    if not isinstance(name := getattr(named, "name", None), str):
        raise InvalidRequest(
            f"A value of type {type(named).__name__} names no file or collection. Write a name or a path.",
            param="files",
        )
    return _as_document(await library.collection(reader, name))


async def _written(library: Library, reader: Reader, named: str) -> Document:
    if named.startswith(("https://", "http://")):
        return Document(kind="url", url=named, given={"type": "url", "url": named})
    if (collection := await _collection(library, reader, named)) is not None:
        return collection
    if await anyio.to_thread.run_sync(_is_file, named):
        return await _added(library, reader, Path(named))
    if (file := await _file(library, reader, named)) is not None:
        return file
    raise UnknownName("file or collection", named, await _names(library, reader), param="files")


async def _added(library: Library, reader: Reader, path: Path) -> Document:
    return _as_document(await added_file(library, reader, path))


async def _collection(library: Library, reader: Reader, named: str) -> Document | None:
    try:
        found = await library.collection(reader, named)
    except UnknownName:
        return None
    return _as_document(found)


async def _file(library: Library, reader: Reader, named: str) -> Document | None:
    try:
        found = await library.file(reader, named)
    except UnknownName:
        same = await _called(library, reader, named)
        if not same:
            return None
        found = same[0]
    return _as_document(found)


def _as_document(found: Collection | StoredFile) -> Document:
    kind: Literal["file", "collection"] = "collection" if isinstance(found, Collection) else "file"
    given = {"type": kind, "id": found.id, "name": found.name}
    return Document(kind=kind, id=found.id, name=found.name, given=given)


async def added_file(library: Library, reader: Reader, path: Path, *, collection: str | None = None) -> StoredFile:
    """Return a file on disk, in the library; one that failed there or was never processed is processed again.

    A new one joins the collection of that id once it is completed. Raises `InvalidRequest` for what can't be read.
    """
    path, digest = await anyio.to_thread.run_sync(_measured, path)
    with await anyio.to_thread.run_sync(_opened, path) as data:
        return await added_data(library, reader, path.name, data, digest, collection=collection)


async def added_data(
    library: Library, reader: Reader, name: str, data: BinaryIO, digest: str, *, collection: str | None = None
) -> StoredFile:
    """Do what `added_file` does, for data whose SHA-256 is known."""
    same = [file for file in await _called(library, reader, name) if file.digest == digest]
    if not same:
        return await library.add(reader, name, data, collection=collection)
    if same[0].status in ("stored", "failed"):
        return await library.process(reader, same[0].id)
    return same[0]


async def _called(library: Library, reader: Reader, name: str) -> list[StoredFile]:
    """Return the reader's own files of that name, whatever its case, the newest first."""
    files, _ = await library.files(reader, glob=name, kinds=get_args(FileKind), limit=_NAMED)
    return [file for file in files if search_key(file.name) == search_key(name)]


async def _names(library: Library, reader: Reader) -> list[str]:
    collections, _ = await library.collections(reader, limit=_NAMED)
    files, _ = await library.files(reader, kinds=get_args(FileKind), limit=_NAMED)
    return [*(each.name for each in collections), *(each.name for each in files)]


def _is_file(named: str) -> bool:
    try:
        return Path(named).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # too long, or no name at all; nobody's home
        return False


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _measured(path: Path) -> tuple[Path, str]:
    """Return the whole path of a file, and its bytes' SHA-256."""
    path = path.expanduser()
    if path.is_dir():
        raise InvalidRequest(f"{path.name} is a folder. Name the files in it, or put them into a collection.")
    try:
        with path.open("rb") as data:
            return path, hashlib.file_digest(data, "sha256").hexdigest()
    except OSError as error:
        raise InvalidRequest(f"{path.name} can't be read: {error.strerror or error}.", param="files") from None
