"""The library for live views: what a person picks, adds and looks up in it. Any thread may call it, but the loop's."""

from __future__ import annotations

import hashlib
import io
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from agentbench.errors import UnknownName
from agentbench.retrieval.filing import ALL_KINDS
from agentbench.retrieval.uploads import clean_name
from agentbench.retrieval.watching import progress_of
from agentbench.storage import file_texts
from agentbench.workbench.looking_into import added_data, documents_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from anyio.from_thread import BlockingPortal
    from sqlalchemy import Connection

    from agentbench.retrieval.library import Library
    from agentbench.retrieval.values import Progress
    from agentbench.runner.documents import Document
    from agentbench.storage.collections import Collection
    from agentbench.storage.database import Database
    from agentbench.storage.file_texts import FileText
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Reader
    from agentbench.workbench.looking_into import Documents

    T = TypeVar("T")

__all__ = ["LibraryView", "Surroundings"]

_LISTED = 100
_AROUND = 2_000
_LONGEST = 20_000
"""Characters before and after a passage, and of the passage itself."""


class Surroundings(NamedTuple):
    """A passage between what is before and after it: on its page, or else nearby."""

    before: str
    text: str
    after: str


class LibraryView:
    """The library as one reader has it."""

    def __init__(
        self, library: Library, reader: Reader, database: Database, portal: Callable[[], BlockingPortal]
    ) -> None:
        self._library, self._reader, self._database, self._portal = library, reader, database, portal

    def add(self, name: str, data: bytes) -> StoredFile:
        """Store a file and queue it; one of that name with the same bytes is there already.

        Raises `InvalidRequest` for an empty file, and `RequestTooLarge`.
        """
        digest = hashlib.sha256(data).hexdigest()
        return self._call(partial(added_data, self._library, self._reader, clean_name(name), io.BytesIO(data), digest))

    def retry(self, file_id: str) -> StoredFile:
        """Queue a file again."""
        return self._call(partial(self._library.process, self._reader, file_id))

    def progress(self, file_id: str) -> Progress:
        """Return how far a file is."""
        return self._database.read_now(partial(progress_of, file_id=file_id))

    def documents(self, named: Documents) -> tuple[Document, ...]:
        """Return what is named as documents, as `bench.stream(files=...)` takes it."""
        return self._call(partial(documents_of, self._library, self._reader, named))

    def known(self, names: tuple[str, ...]) -> tuple[Document, ...]:
        """Return those of the ids and addresses that are still there, as documents."""
        found: list[Document] = []
        for each in names:
            try:
                found += self.documents(each)
            except UnknownName:
                continue
        return tuple(found)

    def collections(self) -> list[Collection]:
        """Return the newest collections, last changed first."""
        return self._call(partial(self._library.collections, self._reader, limit=_LISTED))[0]

    def files(self) -> list[StoredFile]:
        """Return the newest files, last changed first."""
        return self._call(partial(self._library.files, self._reader, kinds=ALL_KINDS, limit=_LISTED))[0]

    def surroundings(self, file_id: str, start: int, end: int, text: str) -> Surroundings | None:
        """Return a passage where it stands in its file; None if it isn't there any more."""

        def job(connection: Connection) -> FileText | None:
            return file_texts.get(connection, file_id)

        try:
            self._call(partial(self._library.file, self._reader, file_id))
        except UnknownName:
            return None
        read = self._database.read_now(job)
        if read is None or read.text[start:end] != text:
            return None
        begin = max([0, start - _AROUND, *(page for page in read.pages if page <= start)])
        stop = min([len(read.text), end + _AROUND, *(page for page in read.pages if page >= end)])
        return Surroundings(read.text[begin:start], text[:_LONGEST], read.text[end:stop])

    def _call(self, job: Callable[[], Awaitable[T]]) -> T:
        return self._portal().call(job)
