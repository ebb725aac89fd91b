"""Threads and their messages: only their owner's, and none is added while a run is active."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.assistants.content import ImageFilePart, TextPart, TextValue
from agentbench.protocol.assistants.objects import Thread, ThreadMessage
from agentbench.protocol.assistants.requests import PlainText
from agentbench.protocol.values import new_id
from agentbench.runner.assistants.keeping import Keeping, merged_resources
from agentbench.runner.assistants.limits import check_message, checked
from agentbench.storage import runs, threads
from agentbench.storage.paging import listing
from agentbench.storage.threads import StoredThread

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy import Connection

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.content import MessageContent
    from agentbench.protocol.assistants.objects import Listing
    from agentbench.protocol.assistants.requests import ChangeMetadata, ChangeThread, CreateMessage, CreateThread
    from agentbench.storage.paging import Page

__all__ = ["FilesChangedError", "Talking", "until_unchanged"]

V = TypeVar("V")


class Talking(Keeping, ABC):
    """Threads and messages. What isn't the caller's is, to the caller, not there: `UnknownName`."""

    def alone(self, thread_id: str) -> asyncio.Lock:
        """Return the lock to hold from reading a thread to `add_written`: of two at once, one's files would be lost."""
        return self._locks.setdefault(thread_id, asyncio.Lock())

    @abstractmethod
    async def settle(self, thread_id: str) -> None:
        """Mark a run of the thread as expired if nobody works on it, or waits for it, any more."""

    async def create_thread(self, principal: Principal, body: CreateThread) -> Thread:
        """Make a thread with its first messages; raises `InvalidRequest`."""
        body = checked(body)
        for number, each in enumerate(body.messages):  # before anything is made
            check_message(self.settings, each, at=f"messages[{number}].")
        made = Thread(
            id=new_id("thread"),
            created_at=int(time.time()),
            tool_resources=await self.resources(principal, body.tool_resources),
            metadata=body.metadata or {},
        )
        stored = StoredThread(thread=made, user=principal.user)
        stored, messages = await self.written(principal, stored, body.messages, "messages")
        await self._database.write(partial(threads.add, stored=stored, messages=messages))
        return stored.thread

    async def stored_thread(self, principal: Principal, thread_id: str) -> StoredThread:
        """Return the caller's thread, with its owner."""
        return await self._database.read(partial(_find, principal=principal, thread_id=thread_id))

    async def thread(self, principal: Principal, thread_id: str) -> Thread:
        """Return the caller's thread."""
        return (await self.stored_thread(principal, thread_id)).thread

    async def change_thread(self, principal: Principal, thread_id: str, body: ChangeThread) -> Thread:
        """Give a thread other metadata or resources."""
        body = checked(body)
        raw = body.tool_resources

        def job(connection: Connection) -> Thread:
            threads.lock(connection, thread_id)
            found = _find(connection, principal, thread_id)
            thread = found.thread
            if body.metadata is not UNSET:
                thread = replace(thread, metadata=body.metadata or {})
            if raw is not UNSET:
                thread = replace(thread, tool_resources=merged_resources(thread.tool_resources, resources))
            threads.save(connection, replace(found, thread=thread))
            return thread

        async with self.alone(thread_id):
            await self.stored_thread(principal, thread_id)  # before anything is made
            resources = await self.resources(principal, raw) if isinstance(raw, dict) else None
            return await self._database.write(job)

    async def delete_thread(self, principal: Principal, thread_id: str) -> None:
        """Delete a thread with all that was said in it; raises `InvalidRequest` while a run is active."""
        await self.stored_thread(principal, thread_id)
        await self.settle(thread_id)

        def job(connection: Connection) -> None:
            threads.lock(connection, thread_id)
            _check_idle(connection, thread_id, "Can't delete {thread} while a run {run} is active. Cancel it first.")
            if not threads.delete(connection, thread_id, principal.user):
                raise UnknownName("thread", thread_id)

        await self._database.write(job)

    async def add_message(self, principal: Principal, thread_id: str, body: CreateMessage) -> ThreadMessage:
        """Add a message to a thread; raises `InvalidRequest`, also while a run is active."""
        body = checked(body)
        async with self.alone(thread_id):
            return await until_unchanged(partial(self._add_message, principal, thread_id, body))

    async def _add_message(self, principal: Principal, thread_id: str, body: CreateMessage) -> ThreadMessage:
        active = "Can't add messages to {thread} while a run {run} is active."
        before = await self.stored_thread(principal, thread_id)
        await self.settle(thread_id)
        idle = partial(_check_idle, thread_id=thread_id, why=active)
        await self._database.read(idle)  # before files are attached
        stored, (message,) = await self.written(principal, before, [body])

        def job(connection: Connection) -> ThreadMessage:
            threads.lock(connection, thread_id)
            idle(connection)
            self.add_written(connection, stored, [message], before=before)
            return message

        return await self._database.write(job)

    async def message(self, principal: Principal, thread_id: str, message_id: str) -> ThreadMessage:
        """Return a message of the caller's thread."""
        job = partial(_find_message, principal=principal, thread_id=thread_id, message_id=message_id)
        return await self._database.read(job)

    async def messages(self, principal: Principal, thread_id: str, page: Page, *, run_id: str | None = None) -> Listing:
        """Return a page of the messages of the caller's thread, or of those that a run made."""

        def job(connection: Connection) -> Listing:
            _find(connection, principal, thread_id)
            return listing(threads.messages(connection, thread_id, page, run_id=run_id), page)

        return await self._database.read(job)

    async def change_message(
        self, principal: Principal, thread_id: str, message_id: str, body: ChangeMetadata
    ) -> ThreadMessage:
        """Give a message other metadata."""
        metadata = checked(body).metadata

        def job(connection: Connection) -> ThreadMessage:
            threads.lock(connection, thread_id)
            found = _find_message(connection, principal, thread_id, message_id)
            if metadata is not UNSET:
                found = replace(found, metadata=metadata or {})
                threads.save_message(connection, found)
            return found

        return await self._database.write(job)

    async def delete_message(self, principal: Principal, thread_id: str, message_id: str) -> None:
        """Delete a message of the caller's thread."""

        def job(connection: Connection) -> None:
            _find(connection, principal, thread_id)
            if not threads.delete_message(connection, thread_id, message_id):
                raise UnknownName("message", message_id)

        await self._database.write(job)

    async def written(
        self, principal: Principal, stored: StoredThread, bodies: Sequence[CreateMessage], at: str | None = None
    ) -> tuple[StoredThread, tuple[ThreadMessage, ...]]:
        """Return new messages, and the thread with the files that came with them; nothing is stored yet.

        Raises `InvalidRequest`, and `UnknownName` for files that aren't the caller's. `at` is where the messages stand
        in the request, None for the one that is all of it.
        """
        for number, each in enumerate(bodies):
            where = "" if at is None else f"{at}[{number}]."
            check_message(self.settings, each, at=where)
            await self._check_pictures(principal, each, where)
        attached = [each for body in bodies for each in body.attachments or ()]
        if attached:
            stored = await self.attach(principal, stored, attached)
        return stored, tuple(_message(stored.thread.id, each) for each in bodies)

    async def _check_pictures(self, principal: Principal, body: CreateMessage, at: str) -> None:
        parts = () if isinstance(body.content, str) else body.content
        for number, part in enumerate(parts):
            if isinstance(part, ImageFilePart):
                file = await self.own_file(principal, part.image_file.file_id)
                if not file.content_type.startswith("image/"):
                    why = f"The file {file.name!r} is no picture. Attach it instead."
                    raise InvalidRequest(why, param=f"{at}content[{number}].image_file.file_id")

    def add_written(
        self, connection: Connection, stored: StoredThread, messages: Sequence[ThreadMessage], *, before: StoredThread
    ) -> None:
        """Store messages, and what the thread became with their files, under a lock on the thread.

        Raises `FilesChangedError` if the thread isn't as it was `before`.
        """
        found = threads.get(connection, stored.thread.id, stored.user)
        if found is None:
            raise UnknownName("thread", stored.thread.id)
        if found.thread.tool_resources != before.thread.tool_resources:
            raise FilesChangedError
        if found.thread.tool_resources != stored.thread.tool_resources:
            thread = replace(found.thread, tool_resources=stored.thread.tool_resources)
            threads.save(connection, replace(found, thread=thread))
        for each in messages:
            threads.add_message(connection, each)


class FilesChangedError(Exception):
    """Another process has changed a thread's files since they were read."""


async def until_unchanged(attempt: Callable[[], Awaitable[V]]) -> V:
    """Return what an attempt gives, made anew as long as another process comes between."""
    while True:
        try:
            return await attempt()
        except FilesChangedError:
            continue


def _find(connection: Connection, principal: Principal, thread_id: str) -> StoredThread:
    found = threads.get(connection, thread_id, principal.user)
    if found is None:
        raise UnknownName("thread", thread_id)
    return found


def _find_message(connection: Connection, principal: Principal, thread_id: str, message_id: str) -> ThreadMessage:
    _find(connection, principal, thread_id)
    found = threads.message(connection, thread_id, message_id)
    if found is None:
        raise UnknownName("message", message_id)
    return found


def _check_idle(connection: Connection, thread_id: str, why: str) -> None:
    if (run := runs.active(connection, thread_id)) is not None:
        raise InvalidRequest(why.format(thread=thread_id, run=run.run.id), param="thread_id")


def _message(thread_id: str, body: CreateMessage) -> ThreadMessage:
    return ThreadMessage(
        id=new_id("msg"),
        created_at=int(time.time()),
        thread_id=thread_id,
        role=body.role,
        content=_content(body),
        attachments=body.attachments or (),
        metadata=body.metadata or {},
    )


def _content(body: CreateMessage) -> tuple[MessageContent, ...]:
    if isinstance(body.content, str):
        return (TextPart(text=TextValue(value=body.content)),)
    return tuple(
        TextPart(text=TextValue(value=part.text)) if isinstance(part, PlainText) else part for part in body.content
    )
