"""What the tools of assistants and threads work on: files and vector stores, checked or made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta
from msgspec.structs import replace

from agentbench.errors import InvalidRequest
from agentbench.protocol.assistants.stores import CreateStore, ExpiresAfter, InlineStore
from agentbench.protocol.assistants.tools import (
    CodeInterpreter,
    CodeResources,
    FileSearch,
    SearchResources,
    ToolResources,
)
from agentbench.protocol.decode import convert
from agentbench.protocol.values import Value
from agentbench.runner.assistants.store_search import StoreSearch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Attachment
    from agentbench.storage.threads import StoredThread

__all__ = ["Storing"]

_THREAD_DAYS = 7
"""How long a thread's own vector store is kept that nobody uses."""

_MOST_FOR_CODE = 20


class GivenSearch(Value, frozen=True, kw_only=True):
    """The vector stores to search, or one to make."""

    vector_store_ids: Annotated[tuple[str, ...], Meta(max_length=1)] | None = None
    vector_stores: Annotated[tuple[InlineStore, ...], Meta(max_length=1)] | None = None


class GivenResources(Value, frozen=True, kw_only=True):
    """Resources as clients send them."""

    code_interpreter: CodeResources | None = None
    file_search: GivenSearch | None = None


class Storing(StoreSearch):
    """Keeps files and vector stores, and says which of them tools work on."""

    async def resources(self, principal: Principal, raw: Mapping[str, Any] | None) -> ToolResources | None:
        """Return resources whose files and stores are the caller's own; a store that is described in them is made.

        Raises `InvalidRequest` for what can't be read or is too much, and `UnknownName` for what isn't the caller's.
        """
        if raw is None:
            return None
        given = convert(raw, GivenResources, at="tool_resources")
        if given.code_interpreter is not None:
            await self.require_files(principal, given.code_interpreter.file_ids)
        search = None if given.file_search is None else await self._search_of(principal, given.file_search)
        return ToolResources(code_interpreter=given.code_interpreter, file_search=search)

    async def _search_of(self, principal: Principal, given: GivenSearch) -> SearchResources:
        ids, new = given.vector_store_ids or (), given.vector_stores or ()
        if ids and new:
            message = "Name a vector store in `vector_store_ids`, or describe one in `vector_stores`: not both."
            raise InvalidRequest(message, param="tool_resources.file_search")
        for each in ids:
            await self.store(principal, each)
        made = [await self.create_store(principal, _described(each)) for each in new]
        return SearchResources(vector_store_ids=ids or tuple(each.id for each in made))

    async def attach(
        self, principal: Principal, stored: StoredThread, attachments: Sequence[Attachment] | None
    ) -> StoredThread:
        """Return the thread with a message's files among its resources; whoever calls saves it.

        What file search is to read goes into the thread's vector store, which is made for the first. Raises
        `UnknownName` for a file that isn't the caller's own, and `InvalidRequest` for too many.
        """
        await self.require_files(principal, [each.file_id for each in attachments or () if each.file_id is not None])
        before = stored.thread.tool_resources or ToolResources()
        after = before
        if for_code := _files_for(CodeInterpreter, attachments):
            after = replace(after, code_interpreter=_with_files(before.code_interpreter, for_code))
        if to_search := _files_for(FileSearch, attachments):
            after = replace(after, file_search=await self._with_searched(principal, stored, to_search))
        if after == before:
            return stored
        return replace(stored, thread=replace(stored.thread, tool_resources=after))

    async def _with_searched(
        self, principal: Principal, stored: StoredThread, file_ids: Sequence[str]
    ) -> SearchResources:
        resources = stored.thread.tool_resources
        there = None if resources is None else resources.file_search
        if there is not None and there.vector_store_ids:
            await self._put(principal, there.vector_store_ids[0], dict.fromkeys(file_ids))
            return there
        wanted = CreateStore(file_ids=tuple(file_ids), expires_after=ExpiresAfter(days=_THREAD_DAYS))
        made = await self.create_store(principal, wanted)
        return SearchResources(vector_store_ids=(made.id,))


def _described(given: InlineStore) -> CreateStore:
    return CreateStore(file_ids=given.file_ids, metadata=given.metadata)


def _files_for(kind: type[CodeInterpreter | FileSearch], attachments: Sequence[Attachment] | None) -> list[str]:
    """Return the files that a type of tool may read, each once."""
    meant = (each for each in attachments or () if any(isinstance(tool, kind) for tool in each.tools or ()))
    return list(dict.fromkeys(each.file_id for each in meant if each.file_id is not None))


def _with_files(before: CodeResources | None, file_ids: Sequence[str]) -> CodeResources:
    there = () if before is None else before.file_ids
    files = tuple(dict.fromkeys((*there, *file_ids)))
    if len(files) > _MOST_FOR_CODE:
        message = f"Code may read {_MOST_FOR_CODE} files in a thread, not {len(files)}. Attach fewer."
        raise InvalidRequest(message, param="attachments")
    return CodeResources(file_ids=files)
