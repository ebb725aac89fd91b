"""How far the processing of a file is: once, or as a stream until its end."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.values import Value
from agentbench.surfaces.base import EventStream, json_response
from agentbench.surfaces.webui.base import query_of
from agentbench.surfaces.webui.library import library_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.retrieval.library import Library
    from agentbench.retrieval.values import Progress
    from agentbench.runner import Runner
    from agentbench.storage.files import StoredFile

__all__ = ["StatusQuery", "process_status"]

_UNFINISHED = ("pending", "processing")
_STATUS = {"waiting": "pending", "completed": "completed", "failed": "failed", "deleted": "not_found"}


class StatusQuery(Value, frozen=True, kw_only=True):
    """Whether the status is wanted once, or at every change."""

    stream: bool = False


async def process_status(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /files/{id}/process/status`."""
    wanted = query_of(request, StatusQuery)
    library, reader = library_of(runner, principal)
    file = await library.file(reader, request.path_params["id"])
    return EventStream(_frames(library, file)) if wanted.stream else json_response(_now(file))


async def _frames(library: Library, file: StoredFile) -> AsyncGenerator[bytes]:
    last = _now(file)
    yield _frame(last)
    if file.status not in _UNFINISHED:
        return
    async with aclosing(library.watch(file.id)) as changes:
        async for change in changes:
            told = _then(change)
            if told != last:
                yield _frame(told)
            last = told
            if told["status"] not in _UNFINISHED:
                return


def _now(file: StoredFile) -> dict[str, Any]:
    """A file that nobody asked to process is `pending` for clients, which know no other word for it."""
    told: dict[str, Any] = {"status": "pending" if file.status == "stored" else file.status}
    return told | ({"error": file.error} if file.error is not None else {})


def _then(change: Progress) -> dict[str, Any]:
    told: dict[str, Any] = {"status": _STATUS.get(change.step, "processing")}
    if change.error is not None:
        told["error"] = change.error
    if told["status"] == "processing":
        told["step"] = change.step
    if change.total:
        told |= {"done": change.done, "total": change.total}
    return told


def _frame(told: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(told) + b"\n\n"
