"""Files of the API beside assistants: the library's own, each with the purpose that its owner gave it.

A file that came to the library in another way can be named by its id like any other, but lists leave it out: who clears
up what a program has uploaded must not delete a person's documents.
"""

from __future__ import annotations

from base64 import b64encode
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, get_args

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.assistants.stores import FileObject, Purpose
from agentbench.retrieval.sharing import find_files
from agentbench.runner.assistants.desk import Desk
from agentbench.storage import files
from agentbench.storage.grants import Reader
from agentbench.storage.paging import ids_of, listing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    from sqlalchemy import Connection

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Listing
    from agentbench.storage.files import FileStatus, StoredFile
    from agentbench.storage.paging import Page

    Status = Literal["uploaded", "processed", "error"]

__all__ = ["StoredFiles"]

_PICTURES = ("image/gif", "image/jpeg", "image/png", "image/webp")
_LARGEST_PICTURE = 15 * 1024 * 1024
"""Bytes; a third more as text. Requests with more aren't taken."""

_STATUSES: dict[FileStatus, Status] = {"failed": "error", "pending": "uploaded", "processing": "uploaded"}


class StoredFiles(Desk):
    """Takes in, lists, hands out and deletes files. All are their owner's alone: others' are `UnknownName`."""

    async def upload(
        self,
        principal: Principal,
        name: str,
        data: bytes | BinaryIO,
        *,
        purpose: Purpose,
        content_type: str | None = None,
    ) -> FileObject:
        """Store a file, which isn't processed before a vector store needs it.

        Raises `InvalidRequest` for an empty one, and `RequestTooLarge`.
        """
        # First of all in `meta`, where `files.with_purpose` looks.
        stored = await self._library.add(
            Reader(principal.user),
            name,
            data,
            content_type=content_type,
            meta={"purpose": purpose},
            process=False,
        )
        return _file_object(stored)

    async def save_output(self, principal: Principal, name: str, data: bytes) -> str:
        """Store what code made, and return the file's id; raises as `upload` does."""
        return (await self.upload(principal, name, data, purpose="assistants_output")).id

    async def file(self, principal: Principal, file_id: str) -> FileObject:
        """Return a file."""
        return _file_object(await self.own_file(principal, file_id))

    async def files(self, principal: Principal, page: Page, *, purpose: str | None = None) -> Listing:
        """Return the files that have that purpose, or any."""

        def job(connection: Connection) -> list[StoredFile]:
            found = ids_of(files.with_purpose(connection, principal.user, purpose), page)
            return files.known(connection, found, Reader(principal.user))

        return listing([_file_object(each) for each in await self._database.read(job)], page)

    async def delete_file(self, principal: Principal, file_id: str) -> None:
        """Delete a file with all that was made of it, out of all vector stores."""
        await self._library.delete(Reader(principal.user), file_id)

    async def own_file(self, principal: Principal, file_id: str) -> StoredFile:
        """Return a file as the library has it."""
        return await self._library.file(Reader(principal.user), file_id, write=True)

    def content(self, principal: Principal, file_id: str) -> AsyncGenerator[bytes]:
        """Yield a file's bytes in parts."""
        return self._library.content(Reader(principal.user), file_id)

    async def data_url(self, principal: Principal, file_id: str) -> str:
        """Return a picture as a `data:` URL; raises `InvalidRequest` for another kind of file, and one too large."""
        file = await self.own_file(principal, file_id)
        kind = file.content_type.partition(";")[0].strip().lower()
        if kind not in _PICTURES:
            raise InvalidRequest(f"{file.name!r} is no picture: it is {kind}. Send a PNG, JPEG, GIF or WebP file.")
        if file.size > _LARGEST_PICTURE:
            limit = _LARGEST_PICTURE // 1024 // 1024
            raise InvalidRequest(f"The picture {file.name!r} is larger than {limit} MB. Send a smaller one.")
        data = b"".join([part async for part in self.content(principal, file_id)])
        return f"data:{kind};base64,{b64encode(data).decode()}"

    async def require_files(self, principal: Principal, file_ids: Iterable[str]) -> None:
        """Raise `UnknownName` for the first that isn't the caller's own file."""
        wanted = list(dict.fromkeys(file_ids))
        if wanted:
            await self._database.read(partial(_require, file_ids=wanted, user=principal.user))


def _require(connection: Connection, file_ids: list[str], user: str) -> None:
    for file in find_files(connection, file_ids, Reader(user)):
        if file.user != user:  # one of a collection that was opened to the caller
            raise UnknownName("file", file.id)


def _file_object(file: StoredFile) -> FileObject:
    said: Any = file.meta.get("purpose")
    purpose: Purpose = said if said in get_args(Purpose) else "user_data"
    return FileObject(
        id=file.id,
        bytes=file.size,
        created_at=int(file.created_at.timestamp()),
        filename=file.name,
        purpose=purpose,
        status=_STATUSES.get(file.status, "processed"),
        status_details=file.error,
    )
