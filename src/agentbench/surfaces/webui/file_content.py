"""The bytes of a file as it was uploaded, sent so that no browser runs them as a page or script of this server's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import StreamingResponse

from agentbench.protocol.values import Value
from agentbench.surfaces.webui.base import query_of
from agentbench.surfaces.webui.library import library_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner
    from agentbench.storage.files import StoredFile

__all__ = ["ContentQuery", "file_content", "file_download", "file_response"]

_SHOWN = {"application/pdf", "image/gif", "image/jpeg", "image/png", "image/webp", "text/plain"}
"""What a browser shows without running anything that is in it."""

_HARMLESS = ("application/json", "application/msword", "application/vnd.", "application/zip", "audio/", "video/")
_AS_TEXT = "text/plain"
_AS_BYTES = "application/octet-stream"


class ContentQuery(Value, frozen=True, kw_only=True):
    """Whether a browser should save the file, whatever it is."""

    attachment: bool = False


async def file_content(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/{id}/content`: shown where that is safe, otherwise saved."""
    return await _sent(request, runner, principal, saved=query_of(request, ContentQuery).attachment)


async def file_download(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/{id}/content/{name}`: saved, under the file's own name."""
    return await _sent(request, runner, principal, saved=True)


async def _sent(request: Request, runner: Runner, principal: Principal, *, saved: bool) -> HTTPResponse:
    library, reader = library_of(runner, principal)
    file = await library.file(reader, request.path_params["id"])
    return file_response(file, library.content(reader, file.id), saved=saved)


def file_response(file: StoredFile, content: AsyncIterator[bytes], *, saved: bool) -> HTTPResponse:
    """Return a file's bytes as an answer that a browser may show, or with `saved` only saves."""
    return StreamingResponse(content, headers=_headers(file, saved=saved))


def _headers(file: StoredFile, *, saved: bool) -> dict[str, str]:
    kind = file.content_type.partition(";")[0].strip().lower()
    shown = kind in _SHOWN and not saved
    place = "inline" if shown else "attachment"
    return {
        "content-type": _sent_as(kind),
        "content-length": str(file.size),
        "content-disposition": f"{place}; filename*=UTF-8''{quote(file.name, safe='')}",
        "x-content-type-options": "nosniff",
    }


def _sent_as(kind: str) -> str:
    if kind in _SHOWN or kind.startswith(_HARMLESS):
        return kind
    return _AS_TEXT if kind.startswith("text/") else _AS_BYTES
