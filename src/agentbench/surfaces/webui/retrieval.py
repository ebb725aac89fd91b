"""Open WebUI's routes for retrieval: process, search, and take away. `distances` are similarities, 0 to 1."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from agentbench.errors import InvalidRequest
from agentbench.protocol.values import Value
from agentbench.surfaces.base import json_response
from agentbench.surfaces.webui import retrieval_processing as processing
from agentbench.surfaces.webui.base import body_of, route
from agentbench.surfaces.webui.file_bodies import SCOPE
from agentbench.surfaces.webui.library import delete_every_file, every_collection, library_of, require_administrator
from agentbench.surfaces.webui.retrieval_settings import get_embedding, get_settings, refuse_settings
from agentbench.surfaces.webui.retrieval_targets import scope_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.retrieval.values import Found, Hit, Ranking
    from agentbench.runner import Runner

__all__ = ["RETRIEVAL", "ROUTES"]

RETRIEVAL = "/api/v1/retrieval"


class Question(Value, frozen=True, kw_only=True):
    """What to search for; `k` passages whose similarity is `r` at least.

    Words and vectors count both, unless `hybrid` is false or the words' weight is 0 (vectors only) or 1 (words only).
    """

    query: str
    k: Annotated[int, Meta(ge=1, le=1000)] | None = None
    r: Annotated[float, Meta(ge=0, le=1)] | None = None
    hybrid: bool | None = None
    hybrid_bm25_weight: Annotated[float, Meta(ge=0, le=1)] | None = None


class DocumentQuestion(Question, frozen=True, kw_only=True):
    """A search in one collection."""

    collection_name: str


class CollectionsQuestion(Question, frozen=True, kw_only=True):
    """A search in several collections."""

    collection_names: list[str]


class DeleteForm(Value, frozen=True, kw_only=True):
    """A file, and the collection to take it out of."""

    collection_name: str
    file_id: str


async def query_document(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/query/doc`."""
    given = await body_of(request, DocumentQuestion)
    return json_response(_told(await _found(runner, principal, given, [given.collection_name])))


async def query_collections(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/query/collection`."""
    given = await body_of(request, CollectionsQuestion)
    return json_response(_told(await _found(runner, principal, given, given.collection_names)))


async def delete_from_collection(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/delete`; the file stays."""
    given = await body_of(request, DeleteForm)
    if given.collection_name.startswith(SCOPE):
        raise InvalidRequest("A file's own passages go with the file. Delete that: DELETE /api/v1/files/{id}.")
    library, reader = library_of(runner, principal)
    collection = await library.collection(reader, given.collection_name, write=True)
    await library.unlink(reader, collection.id, [given.file_id])
    return json_response({"status": True})


async def reset_database(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/reset/db`, for administrators: no collection is left; the files stay."""
    require_administrator(principal)
    library, reader = library_of(runner, principal)
    for collection in await every_collection(library, reader):
        await library.delete_collection(reader, collection.id)
    return json_response(body=True)


async def reset_uploads(_: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /retrieval/reset/uploads`, for administrators: no file is left."""
    require_administrator(principal)
    library, reader = library_of(runner, principal)
    await delete_every_file(library, reader)
    return json_response(body=True)


async def _found(runner: Runner, principal: Principal, asked: Question, names: Sequence[str]) -> Found:
    library, reader = library_of(runner, principal)
    scope = scope_of(names)
    return await library.search(
        reader,
        [asked.query],
        files=scope.files,
        collections=scope.collections,
        top_k=asked.k,
        threshold=asked.r,
        ranking=_ranking(asked),
    )


def _ranking(asked: Question) -> Ranking:
    if asked.hybrid is False or asked.hybrid_bm25_weight == 0:
        return "vectors"
    return "text" if asked.hybrid_bm25_weight == 1 else "fused"


def _told(found: Found) -> dict[str, Any]:
    return {
        "ids": [[f"{hit.file}:{hit.number}" for hit in found.hits]],
        "documents": [[hit.text for hit in found.hits]],
        "metadatas": [[_metadata(hit) for hit in found.hits]],
        "distances": [[0.0 if hit.similarity is None else hit.similarity for hit in found.hits]],
    }


def _metadata(hit: Hit) -> dict[str, Any]:
    """Pages count from 0 in Open WebUI's `page`, and as on the page in its `page_label`."""
    known = {
        "page": None if hit.page is None else hit.page - 1,
        "page_label": None if hit.page is None else str(hit.page),
        "heading": hit.heading,
        "url": hit.url,
    }
    return {
        "source": hit.name,
        "name": hit.name,
        "file_id": hit.file,
        "start_index": hit.start,
        "end_index": hit.end,
        "score": hit.score,
    } | {name: value for name, value in known.items() if value is not None}


_PROCESS = f"{RETRIEVAL}/process"
_web = partial(route, "POST", handler=processing.process_web, body=processing.WebForm, query=processing.WebQuery)

ROUTES = (
    route("GET", f"{RETRIEVAL}/", get_settings, "Return the settings of retrieval"),
    route("GET", f"{RETRIEVAL}/config", get_settings, "Return the settings of retrieval"),
    route("POST", f"{RETRIEVAL}/config/update", refuse_settings, "Refused: the config file is where that is set"),
    route("GET", f"{RETRIEVAL}/embedding", get_embedding, "Return which embedder is used"),
    route("POST", f"{RETRIEVAL}/embedding/update", refuse_settings, "Refused: the config file is where that is set"),
    route("POST", f"{_PROCESS}/file", processing.process_file, "Process a file", body=processing.FileForm),
    route("POST", f"{_PROCESS}/text", processing.process_text, "Store a text", body=processing.TextForm),
    _web(path=f"{_PROCESS}/web", summary="Store a web page"),
    _web(path=f"{_PROCESS}/url", summary="Store what is at an address"),
    route("POST", f"{_PROCESS}/files/batch", processing.process_batch, "Add files", body=processing.BatchForm),
    route("POST", f"{RETRIEVAL}/query/doc", query_document, "Search a collection or file", body=DocumentQuestion),
    route("POST", f"{RETRIEVAL}/query/collection", query_collections, "Search collections", body=CollectionsQuestion),
    route("POST", f"{RETRIEVAL}/delete", delete_from_collection, "Take a file out of a collection", body=DeleteForm),
    route("POST", f"{RETRIEVAL}/reset/db", reset_database, "Delete all collections"),
    route("POST", f"{RETRIEVAL}/reset/uploads", reset_uploads, "Delete all files"),
)
