"""An upload's form, read as it comes: a file larger than a megabyte waits on disk, never in memory."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from agentbench.errors import InvalidRequest
from agentbench.surfaces.webui.base import Malformed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.datastructures import FormData
    from starlette.requests import Request

__all__ = ["Upload", "form_of", "uploaded"]

_MOST_FIELDS = 20


class Upload(NamedTuple):
    """What was uploaded, under the name that its sender gives it; `metadata` came with it."""

    name: str
    stream: BinaryIO
    size: int
    content_type: str | None
    metadata: dict[str, Any]


@asynccontextmanager
async def uploaded(request: Request) -> AsyncIterator[Upload]:
    """Read the form; the stream is closed at the end. Raises `Malformed` without the part `file`."""
    form = await form_of(request)
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Malformed("Field required", ("body", "file"), "missing")
        metadata = _metadata(form.get("metadata"))
        yield Upload(file.filename or "", file.file, file.size or 0, file.content_type, metadata)
    finally:
        await form.close()


async def form_of(request: Request) -> FormData:
    """Return the form with at most one file, for the caller to close; raises `InvalidRequest` for what is none."""
    try:
        return await request.form(max_files=1, max_fields=_MOST_FIELDS)
    except (HTTPException, MultiPartException) as error:
        reason = error.detail if isinstance(error, HTTPException) else error.message
        raise InvalidRequest(f"The form can't be read: {reason}") from None


def _metadata(given: object) -> dict[str, Any]:
    if not given:
        return {}
    try:
        return msgspec.json.decode(given if isinstance(given, str) else b"", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidRequest("[ERROR: Invalid metadata format] It must be a JSON object.", param="metadata") from None
