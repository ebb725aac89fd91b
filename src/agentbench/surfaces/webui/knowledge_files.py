"""The files of collections: put in, taken out, listed. What becomes of that never changes a file's own status."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.protocol.values import Value
from agentbench.storage import files
from agentbench.surfaces.base import json_response
from agentbench.surfaces.event_stream import while_connected
from agentbench.surfaces.webui.base import body_of, query_of
from agentbench.surfaces.webui.file_bodies import file_body
from agentbench.surfaces.webui.knowledge_bodies import linked_body, listed_files
from agentbench.surfaces.webui.library import EVERY_KIND, Paged, every_file, library_of
from agentbench.surfaces.webui.linking import answered_400, link_each, require_linked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner
    from agentbench.surfaces.webui.linking import Outcome

__all__ = [
    "FilesQuery",
    "MemberForm",
    "RemoveQuery",
    "add_file",
    "add_files",
    "list_collection_files",
    "list_pending_files",
    "remove_file",
    "search_collection_files",
]

_PAGE = 30
_MOST_PENDING = 1000


class MemberForm(Value, frozen=True, kw_only=True):
    """A file. There are no folders in collections, so a `directory_id` is refused."""

    file_id: str
    directory_id: str | None = None


class RemoveQuery(Value, frozen=True, kw_only=True):
    """Whether the file itself goes too, where it is the caller's own."""

    delete_file: bool = True


class FilesQuery(Paged, frozen=True, kw_only=True):
    """Which page, and what the names must contain."""

    query: str | None = None


async def add_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/{id}/file/add` and `file/update`; a file that is still processed is waited for."""
    outcome = await _linked(request, runner, principal, [await body_of(request, MemberForm)])
    require_linked(outcome)
    return json_response(await _with_files(request, runner, principal))


async def add_files(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/{id}/files/batch/add`: what can be added is, and `warnings` name the rest."""
    outcome = await _linked(request, runner, principal, await body_of(request, list[MemberForm]))
    errors = [f"{file_id}: {reason}" for file_id, reason in outcome.refused.items()]
    if errors and not outcome.linked:
        raise InvalidRequest(f"None of the files was added. {' '.join(errors)}")
    message = f"{len(errors)} of {len(errors) + len(outcome.linked)} files were not added."
    warnings = {"message": message, "errors": errors} if errors else None
    return json_response(await _with_files(request, runner, principal) | {"warnings": warnings})


async def remove_file(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/{id}/file/remove`."""
    wanted = query_of(request, RemoveQuery)
    given = await body_of(request, MemberForm)
    library, reader = library_of(runner, principal)
    with answered_400():
        file = await library.file(reader, given.file_id)
        await library.unlink(reader, request.path_params["id"], [file.id])
    if wanted.delete_file and file.user == reader.user:
        await library.delete(reader, file.id)
    return json_response(await _with_files(request, runner, principal))


async def list_collection_files(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /knowledge/{id}/files`."""
    library, reader = library_of(runner, principal)
    collection = await library.collection(reader, request.path_params["id"])
    return await _page(request, runner, principal, collection.id)


async def search_collection_files(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /knowledge/search/files`: all files that the caller may read."""
    return await _page(request, runner, principal, None)


async def list_pending_files(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /knowledge/{id}/files/pending`: the caller's files that join it once they are completed."""
    library, reader = library_of(runner, principal)
    collection = await library.collection(reader, request.path_params["id"])
    job = partial(files.page, reader=reader, collection=collection.id, pending=True, own=False, limit=_MOST_PENDING)
    found, _ = await runner.database.read(job)
    return json_response([file_body(each) for each in found])


async def _with_files(request: Request, runner: Runner, principal: Principal) -> dict[str, Any]:
    library, reader = library_of(runner, principal)
    collection = await library.collection(reader, request.path_params["id"])
    found = every_file(library, reader, collection=collection.id, own=False, kinds=EVERY_KIND)
    return linked_body(reader, collection, [each async for each in found])


async def _page(request: Request, runner: Runner, principal: Principal, collection: str | None) -> HTTPResponse:
    wanted = query_of(request, FilesQuery)
    library, reader = library_of(runner, principal)
    found, total = await library.files(
        reader,
        glob=f"*{wanted.query}*" if wanted.query else None,
        collection=collection,
        offset=(wanted.page - 1) * _PAGE,
        limit=_PAGE,
        own=False,
        kinds=EVERY_KIND,
    )
    items = await listed_files(runner, found)
    return json_response({"items": items, "directories": [], "breadcrumbs": [], "total": total})


async def _linked(request: Request, runner: Runner, principal: Principal, forms: Sequence[MemberForm]) -> Outcome:
    if any(form.directory_id is not None for form in forms):
        raise InvalidRequest("Collections have no folders here. Leave out directory_id.", param="directory_id")
    library, reader = library_of(runner, principal)
    ids = [form.file_id for form in forms]
    wait = runner.catalog.retrieval.wait_for_processing
    with answered_400():
        return await while_connected(request, link_each(library, reader, request.path_params["id"], ids, wait=wait))
