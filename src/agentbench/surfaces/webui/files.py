"""Open WebUI's routes for files: upload, list, read, change, delete.

A file that is missing and one that is somebody else's are both 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.values import Value
from agentbench.surfaces.base import json_response
from agentbench.surfaces.event_stream import while_connected
from agentbench.surfaces.webui.base import body_of, query_of, route
from agentbench.surfaces.webui.file_bodies import file_bodies, file_body, full_body
from agentbench.surfaces.webui.file_content import ContentQuery, file_content, file_download
from agentbench.surfaces.webui.file_status import StatusQuery, process_status
from agentbench.surfaces.webui.library import EMPTY, Paged, delete_every_file, library_of, require_administrator
from agentbench.surfaces.webui.multipart import Upload, uploaded

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.retrieval.library import Library
    from agentbench.runner import Runner
    from agentbench.storage.files import StoredFile
    from agentbench.storage.grants import Reader

__all__ = ["FILES", "ROUTES"]

FILES = "/api/v1/files"
_PAGE = 50


class UploadQuery(Value, frozen=True, kw_only=True):
    """Whether the file is processed, and whether the answer waits for the end of that."""

    process: bool = True
    process_in_background: bool = True


class ListQuery(Paged, frozen=True, kw_only=True):
    """Which page of files, and whether with their text."""

    content: bool = True


class NamesQuery(Value, frozen=True, kw_only=True):
    """Which names, with `*` and `?`; how many to leave out, and to return."""

    filename: str
    content: bool = True
    skip: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class ContentForm(Value, frozen=True, kw_only=True):
    """The text of a file."""

    content: str


class RenameForm(Value, frozen=True, kw_only=True):
    """The name of a file."""

    filename: str


async def upload_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /files/`: at once, or with `process_in_background=false` when the file is completed or failed."""
    wanted = query_of(request, UploadQuery)
    library, reader = library_of(runner, principal)
    async with uploaded(request) as given:
        file = await _added(library, reader, given, process=wanted.process)
    if not wanted.process:
        return json_response(file_body(file))
    if not wanted.process_in_background:
        [file] = await while_connected(request, library.wait(reader, [file.id]))
    return json_response({"status": file.status != "failed"} | await full_body(library, reader, file))


async def _added(library: Library, reader: Reader, given: Upload, *, process: bool) -> StoredFile:
    if not given.size:
        raise InvalidRequest(EMPTY, param="file")
    collection = given.metadata.get("knowledge_id") or None
    if collection is not None and not isinstance(collection, str):
        raise InvalidRequest("metadata.knowledge_id must be a collection's id.", param="metadata")
    return await library.add(
        reader,
        given.name,
        given.stream,
        content_type=given.content_type,
        meta=given.metadata,
        process=process,
        collection=collection,
    )


async def list_files(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/`: the caller's own, an administrator's all; last changed first."""
    wanted = query_of(request, ListQuery)
    library, reader = library_of(runner, principal)
    found, total = await library.files(reader, own=not reader.sees_all, offset=(wanted.page - 1) * _PAGE, limit=_PAGE)
    return json_response({"items": await _listed(library, reader, found, content=wanted.content), "total": total})


async def search_files(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/search`; raises `UnknownName` where no name fits."""
    wanted = query_of(request, NamesQuery)
    library, reader = library_of(runner, principal)
    found, _ = await library.files(
        reader, glob=wanted.filename, own=not reader.sees_all, offset=wanted.skip, limit=wanted.limit
    )
    if not found:
        raise UnknownName("file", wanted.filename, param="filename")
    return json_response(await _listed(library, reader, found, content=wanted.content))


async def _listed(library: Library, reader: Reader, found: list[StoredFile], *, content: bool) -> list[dict[str, Any]]:
    return await file_bodies(library, reader, found) if content else [file_body(each) for each in found]


async def count_files(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/count`."""
    library, reader = library_of(runner, principal)
    return json_response((await library.files(reader, own=not reader.sees_all, limit=1))[1])


async def get_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/{id}`, with the text."""
    library, reader = library_of(runner, principal)
    file = await library.file(reader, request.path_params["id"])
    return json_response(await full_body(library, reader, file))


async def process_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /files/{id}/process`: queue it, after `process=false` or a failure."""
    library, reader = library_of(runner, principal)
    return json_response(file_body(await library.process(reader, request.path_params["id"])))


async def get_text(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/{id}/data/content`."""
    library, reader = library_of(runner, principal)
    return json_response({"content": await library.text(reader, request.path_params["id"])})


async def update_text(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /files/{id}/data/content/update`, once the new text can be searched."""
    given = await body_of(request, ContentForm)
    library, reader = library_of(runner, principal)
    await library.file(reader, request.path_params["id"], write=True)
    if not given.content.strip():
        raise InvalidRequest(EMPTY, param="content")
    file = await library.set_text(reader, request.path_params["id"], given.content)
    [file] = await while_connected(request, library.wait(reader, [file.id]))
    if file.status == "failed":
        raise InvalidRequest(f"The text is stored, but can't be searched: {file.error}")
    return json_response({"content": await library.text(reader, file.id)})


async def rename_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /files/{id}/rename`."""
    given = await body_of(request, RenameForm)
    library, reader = library_of(runner, principal)
    return json_response(file_body(await library.rename(reader, request.path_params["id"], given.filename)))


async def delete_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /files/{id}`: with its passages and vectors, out of all collections."""
    library, reader = library_of(runner, principal)
    await library.delete(reader, request.path_params["id"])
    return json_response({"message": "File deleted successfully"})


async def delete_files(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /files/all`, for administrators."""
    require_administrator(principal)
    library, reader = library_of(runner, principal)
    await delete_every_file(library, reader)
    return json_response({"message": "All files deleted successfully"})


_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "metadata": {
                "type": "string",
                "description": "a JSON object; `knowledge_id` in it is a collection to join",
            },
        },
    }
}

ROUTES = (
    route("POST", f"{FILES}/", upload_file, "Upload a file", body=_FORM, query=UploadQuery),
    route("GET", f"{FILES}/", list_files, "List files", query=ListQuery),
    route("GET", f"{FILES}/search", search_files, "Find files by name", query=NamesQuery),
    route("GET", f"{FILES}/user/search", search_files, "Find files by name", query=NamesQuery),
    route("GET", f"{FILES}/count", count_files, "Count files"),
    route("GET", f"{FILES}/user/count", count_files, "Count files"),
    route("DELETE", f"{FILES}/all", delete_files, "Delete all files"),
    route("GET", f"{FILES}/{{id}}", get_file, "Return a file with its text"),
    route("DELETE", f"{FILES}/{{id}}", delete_file, "Delete a file"),
    route("POST", f"{FILES}/{{id}}/process", process_file, "Process a file, also after a failure"),
    route("GET", f"{FILES}/{{id}}/process/status", process_status, "How far processing is", query=StatusQuery),
    route("GET", f"{FILES}/{{id}}/content", file_content, "Return a file's bytes", query=ContentQuery),
    route("GET", f"{FILES}/{{id}}/content/{{name}}", file_download, "Save a file"),
    route("GET", f"{FILES}/{{id}}/data/content", get_text, "Return a file's text"),
    route("POST", f"{FILES}/{{id}}/data/content/update", update_text, "Replace a file's text", body=ContentForm),
    route("POST", f"{FILES}/{{id}}/rename", rename_file, "Rename a file", body=RenameForm),
)
