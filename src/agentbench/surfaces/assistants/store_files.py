"""The files of vector stores, one by one and in batches: put in, listed, returned, changed, read and taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.assistants.stores import AddBatch, AddFile, ChangeAttributes, FileState
from agentbench.storage.paging import Page
from agentbench.surfaces.assistants.base import body_of, change_of, deleted, id_in, query_of
from agentbench.surfaces.base import Route, json_response, openai_error

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.stores import FileBatch, StoreFile
    from agentbench.runner import Runner

__all__ = ["ROUTES"]

_FILES = "/vector_stores/{vector_store_id}/files"
_FILE = f"{_FILES}/{{file_id}}"
_BATCHES = "/vector_stores/{vector_store_id}/file_batches"
_BATCH = f"{_BATCHES}/{{batch_id}}"
_SOON = {"openai-poll-after-ms": "250"}
"""When the SDK's helpers ask again for what is in progress."""


class StoreFilesQuery(Page, frozen=True, kw_only=True):
    """Which files of a vector store; `filter` is how far they are."""

    filter: FileState | None = None


async def add_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /vector_stores/{vector_store_id}/files`: at once, while the file is in progress."""
    wanted = await body_of(request, AddFile)
    return _told(await runner.assistants.add_file(principal, id_in(request, "vector_store_id"), wanted))


async def list_store_files(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /vector_stores/{vector_store_id}/files`, and that of a batch."""
    wanted = query_of(request, StoreFilesQuery)
    batch = request.path_params.get("batch_id")
    found = await runner.assistants.store_files(
        principal, id_in(request, "vector_store_id"), wanted, status=wanted.filter, batch_id=batch
    )
    return json_response(found)


async def retrieve_store_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /vector_stores/{vector_store_id}/files/{file_id}`."""
    return _told(
        await runner.assistants.store_file(principal, id_in(request, "vector_store_id"), id_in(request, "file_id"))
    )


async def change_store_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /vector_stores/{vector_store_id}/files/{file_id}`."""
    wanted = await change_of(request, ChangeAttributes)
    return _told(
        await runner.assistants.change_file(
            principal, id_in(request, "vector_store_id"), id_in(request, "file_id"), wanted
        )
    )


async def remove_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /vector_stores/{vector_store_id}/files/{file_id}`; it stays a file."""
    await runner.assistants.remove_file(principal, id_in(request, "vector_store_id"), id_in(request, "file_id"))
    return deleted("vector_store.file", id_in(request, "file_id"))


async def file_text(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /vector_stores/{vector_store_id}/files/{file_id}/content`."""
    return json_response(
        await runner.assistants.file_text(principal, id_in(request, "vector_store_id"), id_in(request, "file_id"))
    )


async def add_batch(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /vector_stores/{vector_store_id}/file_batches`: at once, while the files are in progress."""
    wanted = await body_of(request, AddBatch)
    return _told(await runner.assistants.add_batch(principal, id_in(request, "vector_store_id"), wanted))


async def retrieve_batch(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /vector_stores/{vector_store_id}/file_batches/{batch_id}`."""
    return _told(
        await runner.assistants.batch(principal, id_in(request, "vector_store_id"), request.path_params["batch_id"])
    )


async def cancel_batch(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel`."""
    return _told(
        await runner.assistants.cancel_batch(
            principal, id_in(request, "vector_store_id"), request.path_params["batch_id"]
        )
    )


def _told(found: StoreFile | FileBatch) -> HTTPResponse:
    return json_response(found, headers=_SOON if found.status == "in_progress" else None)


ROUTES = (
    Route("POST", _FILES, add_file, openai_error, "Put a file into a vector store", body=AddFile),
    Route("GET", _FILES, list_store_files, openai_error, "List a vector store's files", query=StoreFilesQuery),
    Route("GET", _FILE, retrieve_store_file, openai_error, "Return a vector store's file"),
    Route("POST", _FILE, change_store_file, openai_error, "Change a file's attributes", body=ChangeAttributes),
    Route("DELETE", _FILE, remove_file, openai_error, "Take a file out of a vector store"),
    Route("GET", f"{_FILE}/content", file_text, openai_error, "Return the text of a vector store's file"),
    Route("POST", _BATCHES, add_batch, openai_error, "Put files into a vector store", body=AddBatch),
    Route("GET", _BATCH, retrieve_batch, openai_error, "Return a batch of files"),
    Route("POST", f"{_BATCH}/cancel", cancel_batch, openai_error, "Cancel a batch of files"),
    Route("GET", f"{_BATCH}/files", list_store_files, openai_error, "List a batch's files", query=StoreFilesQuery),
)
