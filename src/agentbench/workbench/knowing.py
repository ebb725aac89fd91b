"""What answers may rest on: files, and the collections that they are searched in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentbench.auth.principal import KERNEL
from agentbench.errors import UnknownName
from agentbench.storage.grants import Reader
from agentbench.workbench.parts import Parts

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench.frames.library import Frame
    from agentbench.storage.files import StoredFile
    from agentbench.workbench.collection import FileCollection

__all__ = ["Knowing"]

_MANY = 1_000_000
_READER = Reader(KERNEL.user)


class Knowing(Parts):
    """Keeps files and collections."""

    def collection(self, name: str) -> FileCollection:
        """Return a collection by its name or id; it comes to be when something is first added."""
        from agentbench.workbench.collection import FileCollection

        return FileCollection(name, self._runner.library, _READER, self._database, lambda: self._open_loop().portal)

    def collections(self) -> Frame:
        """Return the collections, a row each, last changed first."""
        from agentbench.frames import collections_frame

        job = partial(self._runner.library.collections, _READER, limit=_MANY)
        return collections_frame(self._open_loop().portal.call(job)[0])

    def collection_names(self) -> list[str]:
        """Return the names of the collections, last changed first."""
        job = partial(self._runner.library.collections, _READER, limit=_MANY)
        return [each.name for each in self._open_loop().portal.call(job)[0]]

    def files(self, *, failed: bool = False) -> Frame:
        """Return the files, a row each, last changed first; with `failed` those that could not be processed."""
        from agentbench.frames import files_frame

        return files_frame([file for file in self._files() if not failed or file.status == "failed"])

    def add_files(self, *sources: str | Path, progress: bool = True) -> Frame:
        """Add files, and wait until they are processed; return them, a row each. Takes what `collection.add` takes."""
        from agentbench.frames import files_frame
        from agentbench.workbench.adding import add_sources, found_sources, warn_of_failures

        portal = self._open_loop().portal
        found = portal.call(partial(found_sources, sources))
        added = portal.call(partial(add_sources, self._runner.library, _READER, found))
        done = self._watched(added.files, progress=progress)
        warn_of_failures(done, added.refused, stacklevel=2)
        return files_frame(done)

    def retry_file(self, name: str, *, progress: bool = True) -> Frame:
        """Process a file again that failed, by name or id, and wait; return it as a row."""
        from agentbench.frames import files_frame

        job = partial(self._runner.library.process, _READER, self._file(name).id)
        return files_frame(self._watched([self._open_loop().portal.call(job)], progress=progress))

    def delete_file(self, name: str) -> None:
        """Delete a file by name or id, with all that was made of it; of several of that name the newest."""
        self._open_loop().portal.call(partial(self._runner.library.delete, _READER, self._file(name).id))

    def _watched(self, files: list[StoredFile], *, progress: bool) -> list[StoredFile]:
        from agentbench.workbench.adding import watched

        portal = self._open_loop().portal
        return watched(self._runner.library, _READER, files, portal=portal, database=self._database, progress=progress)

    def _file(self, name: str) -> StoredFile:
        files = self._files()
        for file in files:
            if name in (file.id, file.name):
                return file
        raise UnknownName("file", name, dict.fromkeys(file.name for file in files))

    def _files(self) -> list[StoredFile]:
        from agentbench.retrieval.filing import ALL_KINDS

        job = partial(self._runner.library.files, _READER, kinds=ALL_KINDS, limit=_MANY)
        return self._open_loop().portal.call(job)[0]
