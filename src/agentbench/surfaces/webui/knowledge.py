"""Open WebUI's routes for knowledge: collections of files that are searched together.

To read one that is missing or somebody else's is 404; to change it is 400, as clients know it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agentbench.protocol.values import Value
from agentbench.surfaces.base import json_response
from agentbench.surfaces.webui.base import body_of, query_of, route
from agentbench.surfaces.webui.knowledge_bodies import (
    GrantForm,
    collection_body,
    granted,
    linked_body,
    listed_bodies,
)
from agentbench.surfaces.webui.knowledge_files import (
    FilesQuery,
    MemberForm,
    RemoveQuery,
    add_file,
    add_files,
    list_collection_files,
    list_pending_files,
    remove_file,
    search_collection_files,
)
from agentbench.surfaces.webui.library import Paged, every_collection, library_of, require_administrator
from agentbench.surfaces.webui.linking import answered_400

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["KNOWLEDGE", "ROUTES"]

KNOWLEDGE = "/api/v1/knowledge"
_PAGE = 30


class CollectionForm(Value, frozen=True, kw_only=True):
    """A collection's name and description, and who else may use it: null leaves that as it is."""

    name: str
    description: str
    access_grants: tuple[GrantForm, ...] | None = None


class AccessForm(Value, frozen=True, kw_only=True):
    """Who else may use a collection."""

    access_grants: tuple[GrantForm, ...]


class CollectionsQuery(Paged, frozen=True, kw_only=True):
    """Which page; what names or descriptions must contain; whether the caller's own or those of others are meant."""

    query: str | None = None
    view_option: Literal["created", "shared"] | None = None


async def create_collection(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/create`."""
    given = await body_of(request, CollectionForm)
    library, reader = library_of(runner, principal)
    grants = await granted(runner, given.access_grants or ())
    made = await library.create(reader, given.name, given.description, grants=grants)
    return json_response(collection_body(made, files=None))


async def list_collections(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /knowledge/` and `GET /knowledge/search`: last changed first."""
    wanted = query_of(request, CollectionsQuery)
    library, reader = library_of(runner, principal)
    found, total = await library.collections(
        reader,
        query=wanted.query or None,
        shared=None if wanted.view_option is None else wanted.view_option == "shared",
        offset=(wanted.page - 1) * _PAGE,
        limit=_PAGE,
    )
    return json_response({"items": await listed_bodies(runner, reader, found), "total": total})


async def get_collection(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /knowledge/{id}`; what files are in it is asked for apart."""
    library, reader = library_of(runner, principal)
    return json_response(linked_body(reader, await library.collection(reader, request.path_params["id"])))


async def update_collection(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/{id}/update`."""
    given = await body_of(request, CollectionForm)
    library, reader = library_of(runner, principal)
    collection = request.path_params["id"]
    with answered_400():
        if given.access_grants is not None:
            await library.grant(reader, collection, await granted(runner, given.access_grants))
        changed = await library.change(reader, collection, name=given.name, description=given.description)
    return json_response(linked_body(reader, changed))


async def update_access(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/{id}/access/update`."""
    given = await body_of(request, AccessForm)
    library, reader = library_of(runner, principal)
    with answered_400():
        changed = await library.grant(reader, request.path_params["id"], await granted(runner, given.access_grants))
    return json_response(linked_body(reader, changed))


async def reset_collection(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/{id}/reset`: nothing is in it then; the files stay."""
    library, reader = library_of(runner, principal)
    with answered_400():
        emptied = await library.empty(reader, request.path_params["id"])
    return json_response(collection_body(emptied, files=None))


async def delete_collection(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /knowledge/{id}/delete`; the files stay."""
    library, reader = library_of(runner, principal)
    with answered_400():
        await library.delete_collection(reader, request.path_params["id"])
    return json_response(body=True)


async def reindex_collection(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/{id}/reindex`: its files are embedded anew where another embedder made their vectors."""
    library, reader = library_of(runner, principal)
    with answered_400():
        queued = await library.reindex(reader, request.path_params["id"])
    return json_response({"status": True, "queued": [file.id for file in queued]})


async def reindex_collections(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /knowledge/reindex`, for administrators."""
    require_administrator(principal)
    library, reader = library_of(runner, principal)
    for collection in await every_collection(library, reader):
        await library.reindex(reader, collection.id)
    return json_response(body=True)


_ONE = f"{KNOWLEDGE}/{{id}}"

ROUTES = (
    route("POST", f"{KNOWLEDGE}/create", create_collection, "Make a collection", body=CollectionForm),
    route("GET", f"{KNOWLEDGE}/", list_collections, "List collections", query=Paged),
    route("GET", f"{KNOWLEDGE}/search", list_collections, "Find collections", query=CollectionsQuery),
    route("GET", f"{KNOWLEDGE}/search/files", search_collection_files, "Find files", query=FilesQuery),
    route("POST", f"{KNOWLEDGE}/reindex", reindex_collections, "Embed all collections' files anew"),
    route("GET", _ONE, get_collection, "Return a collection"),
    route("GET", f"{_ONE}/files", list_collection_files, "List a collection's files", query=FilesQuery),
    route("GET", f"{_ONE}/files/pending", list_pending_files, "List files that will join a collection"),
    route("POST", f"{_ONE}/update", update_collection, "Change a collection", body=CollectionForm),
    route("POST", f"{_ONE}/access/update", update_access, "Say who else may use a collection", body=AccessForm),
    route("POST", f"{_ONE}/file/add", add_file, "Put a file into a collection", body=MemberForm),
    route("POST", f"{_ONE}/file/update", add_file, "Put a file into a collection", body=MemberForm),
    route(
        "POST",
        f"{_ONE}/file/remove",
        remove_file,
        "Take a file out of a collection",
        body=MemberForm,
        query=RemoveQuery,
    ),
    route("POST", f"{_ONE}/files/batch/add", add_files, "Put files into a collection", body=list[MemberForm]),
    route("POST", f"{_ONE}/reset", reset_collection, "Take all files out of a collection"),
    route("POST", f"{_ONE}/reindex", reindex_collection, "Embed a collection's files anew"),
    route("DELETE", f"{_ONE}/delete", delete_collection, "Delete a collection"),
)
