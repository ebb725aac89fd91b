"""Files: upload, list, return, read and delete them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, NamedTuple

from msgspec import Meta
from starlette.datastructures import UploadFile

from agentbench.errors import InvalidRequest
from agentbench.protocol.assistants.stores import PURPOSES, Deleted
from agentbench.storage.paging import Page
from agentbench.surfaces.assistants.base import id_in, query_of
from agentbench.surfaces.base import Route, json_response, openai_error
from agentbench.surfaces.webui.file_content import file_response
from agentbench.surfaces.webui.multipart import form_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.stores import Purpose
    from agentbench.runner import Runner

__all__ = ["FILES", "ROUTES"]

FILES = "/files"
_FILE = "/files/{file_id}"


class FilesQuery(Page, frozen=True, kw_only=True):
    """Which files."""

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 10_000
    purpose: str | None = None


class Upload(NamedTuple):
    """What was uploaded, and what for."""

    file: UploadFile
    purpose: Purpose


async def upload_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /files`."""
    async with _uploaded(request) as given:
        made = await runner.assistants.upload(
            principal,
            given.file.filename or "",
            given.file.file,
            purpose=given.purpose,
            content_type=given.file.content_type,
        )
    return json_response(made)


async def list_files(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files`."""
    wanted = query_of(request, FilesQuery)
    return json_response(await runner.assistants.files(principal, wanted, purpose=wanted.purpose))


async def retrieve_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/{file_id}`."""
    return json_response(await runner.assistants.file(principal, id_in(request, "file_id")))


async def delete_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /files/{file_id}`: with all that was made of it, out of all vector stores."""
    await runner.assistants.delete_file(principal, id_in(request, "file_id"))
    return json_response(Deleted(id=id_in(request, "file_id"), object="file"))


async def file_content(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/{file_id}/content`."""
    file = await runner.assistants.own_file(principal, id_in(request, "file_id"))
    return file_response(file, runner.assistants.content(principal, file.id), saved=False)


@asynccontextmanager
async def _uploaded(request: Request) -> AsyncIterator[Upload]:
    """Read the form; the file is closed at the end. Raises `InvalidRequest` for a form that isn't one."""
    form = await form_of(request)
    try:
        file, purpose = form.get("file"), form.get("purpose")
        if not isinstance(file, UploadFile):
            raise InvalidRequest("The form has no file. Send one in the part `file`.", param="file")
        if purpose not in PURPOSES:
            known = ", ".join(PURPOSES)
            raise InvalidRequest(f"A file can't be uploaded for {purpose!r} here. Use {known}.", param="purpose")
        if any(name.startswith("expires_after") for name in form):
            raise InvalidRequest(
                "Files are kept until they are deleted. Leave expires_after out.", param="expires_after"
            )
        yield Upload(file, purpose)
    finally:
        await form.close()


_FORM = {
    "multipart/form-data": {
        "type": "object",
        "required": ["file", "purpose"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "purpose": {"type": "string", "enum": list(PURPOSES)},
        },
    }
}

ROUTES = (
    Route("POST", FILES, upload_file, openai_error, "Upload a file", body=_FORM),
    Route("GET", FILES, list_files, openai_error, "List files", query=FilesQuery),
    Route("GET", _FILE, retrieve_file, openai_error, "Return a file"),
    Route("DELETE", _FILE, delete_file, openai_error, "Delete a file"),
    Route("GET", f"{_FILE}/content", file_content, openai_error, "Return a file's bytes"),
)
