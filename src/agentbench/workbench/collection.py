"""A collection in Python: files in, passages out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from agentbench.errors import UnknownName
from agentbench.workbench.adding import Added, add_sources, found_sources, warn_of_failures, watched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from anyio.from_thread import BlockingPortal

    from agentbench.frames.library import Frame
    from agentbench.retrieval.library import Library
    from agentbench.retrieval.values import Ranking
    from agentbench.storage.collections import Collection
    from agentbench.storage.database import Database
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Reader

    T = TypeVar("T")

__all__ = ["FileCollection"]

_MANY = 1_000_000


class FileCollection:
    """A collection by its name or id; it comes to be when something is first added."""

    def __init__(
        self, name: str, library: Library, reader: Reader, database: Database, portal: Callable[[], BlockingPortal]
    ) -> None:
        self.name = name
        self._library, self._reader, self._database, self._portal = library, reader, database, portal

    @property
    def id(self) -> str:
        """The id, by which clients know it as a vector store. Raises `UnknownName` if there is no such collection."""
        return self._call(partial(self._library.collection, self._reader, self.name)).id

    def __repr__(self) -> str:
        return f"<collection {self.name!r}>"

    def add(self, *sources: str | Path, progress: bool = True) -> FileCollection:
        """Add files, and wait until they can be searched; return the collection.

        A source is a path, a pattern such as `"papers/**/*.pdf"`, a folder with all that is in it, or a web page's
        address. A file that is there with the same bytes isn't added twice. What can't be read is told of in a warning
        and in `bench.files()`; the rest is in. Raises `InvalidRequest` for a source that matches nothing.
        """
        found = self._call(partial(found_sources, sources))
        made = self._made()
        added = self._call(partial(add_sources, self._library, self._reader, found, collection=made.id))
        return self._take(made, added, progress=progress)

    def replace(self, *sources: str | Path, progress: bool = True) -> FileCollection:
        """Have these files in it and no others; takes what `add` takes. What is taken out stays in the library."""
        found = self._call(partial(found_sources, sources))
        made = self._made()
        added = self._call(partial(add_sources, self._library, self._reader, found, collection=made.id))
        self._take(made, added, progress=progress)
        kept = {file.id for file in added.files}
        if gone := [file.id for file in self._files() if file.id not in kept]:
            self._call(partial(self._library.unlink, self._reader, made.id, gone))
        return self

    def add_text(self, name: str, text: str, *, progress: bool = True) -> FileCollection:
        """Add a text under a file's name, such as `"notes.md"`, and wait until it can be searched."""
        made = self._made()
        job = partial(self._library.add, self._reader, name, text.encode(), kind="text", collection=made.id)
        return self._take(made, Added([self._call(job)], []), progress=progress)

    def search(
        self, query: str, *, top_k: int = 5, ranking: Ranking = "fused", threshold: float | None = None
    ) -> Frame:
        """Return the passages that fit best, a row each, the best first.

        `ranking` is "fused", "vectors" or "text"; `threshold` the least similarity, 0 to 1, of what vectors find.
        Raises `UnknownName` if there is no such collection.
        """
        from agentbench.frames import found_frame

        job = partial(
            self._library.search,
            self._reader,
            [query],
            collections=[self.name],
            top_k=top_k,
            ranking=ranking,
            threshold=threshold,
        )
        return found_frame(self._call(job))

    def files(self) -> Frame:
        """Return the files that are in the collection, a row each, last changed first."""
        from agentbench.frames import files_frame

        return files_frame(self._files())

    def remove(self, *names: str) -> FileCollection:
        """Take files out, by name or id; they stay in the library. Raises `UnknownName` for one that isn't in."""
        inside = self._files()
        chosen = [each for name in names for each in _called(name, inside)]
        self._call(partial(self._library.unlink, self._reader, self.name, chosen))
        return self

    def reindex(self, *, progress: bool = True) -> FileCollection:
        """Embed all passages anew, and wait; needed once the config names another embedder."""
        queued = self._call(partial(self._library.reindex, self._reader, self.name))
        warn_of_failures(self._watched(queued, progress=progress), stacklevel=2)
        return self

    def delete(self) -> None:
        """Delete the collection; its files stay in the library."""
        self._call(partial(self._library.delete_collection, self._reader, self.name))

    def _made(self) -> Collection:
        """Return the collection, which is made if there is none."""
        try:
            return self._call(partial(self._library.collection, self._reader, self.name, write=True))
        except UnknownName:
            return self._call(partial(self._library.create, self._reader, self.name))

    def _files(self) -> list[StoredFile]:
        return self._call(partial(self._library.files, self._reader, collection=self.name, limit=_MANY))[0]

    def _take(self, made: Collection, added: Added, *, progress: bool) -> FileCollection:
        done = self._watched(added.files, progress=progress)
        good = [file.id for file in done if file.status == "completed"]
        # Those that were there before haven't joined by themselves.
        self._call(partial(self._library.link, self._reader, made.id, good))
        warn_of_failures(done, added.refused, stacklevel=3)
        return self

    def _watched(self, files: list[StoredFile], *, progress: bool) -> list[StoredFile]:
        return watched(
            self._library, self._reader, files, portal=self._portal(), database=self._database, progress=progress
        )

    def _call(self, job: Callable[[], Awaitable[T]]) -> T:
        return self._portal().call(job)


def _called(name: str, files: list[StoredFile]) -> list[str]:
    found = [file.id for file in files if name in (file.id, file.name)]
    if not found:
        raise UnknownName("file", name, [file.name for file in files])
    return found
