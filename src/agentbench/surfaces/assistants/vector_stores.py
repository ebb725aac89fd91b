"""Vector stores: make, list, return, change, delete and search them; their files are in `store_files`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.assistants.stores import ChangeStore, CreateStore, SearchStore
from agentbench.storage.paging import Page
from agentbench.surfaces.assistants import store_files
from agentbench.surfaces.assistants.base import body_of, change_of, deleted, id_in, query_of
from agentbench.surfaces.base import Route, json_response, openai_error
from agentbench.surfaces.event_stream import while_connected

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["ROUTES"]

_STORES = "/vector_stores"
_STORE = "/vector_stores/{vector_store_id}"


async def create_store(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /vector_stores`."""
    return json_response(await runner.assistants.create_store(principal, await body_of(request, CreateStore)))


async def list_stores(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /vector_stores`."""
    return json_response(await runner.assistants.stores(principal, query_of(request, Page)))


async def retrieve_store(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /vector_stores/{vector_store_id}`."""
    return json_response(await runner.assistants.store(principal, id_in(request, "vector_store_id")))


async def change_store(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /vector_stores/{vector_store_id}`."""
    wanted = await change_of(request, ChangeStore)
    return json_response(await runner.assistants.change_store(principal, id_in(request, "vector_store_id"), wanted))


async def delete_store(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /vector_stores/{vector_store_id}`; its files stay."""
    await runner.assistants.delete_store(principal, id_in(request, "vector_store_id"))
    return deleted("vector_store", id_in(request, "vector_store_id"))


async def search_store(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /vector_stores/{vector_store_id}/search`."""
    wanted = await body_of(request, SearchStore)
    searching = runner.assistants.search_store(principal, id_in(request, "vector_store_id"), wanted)
    return json_response(await while_connected(request, searching))


ROUTES = (
    Route("POST", _STORES, create_store, openai_error, "Create a vector store", body=CreateStore),
    Route("GET", _STORES, list_stores, openai_error, "List vector stores", query=Page),
    Route("GET", _STORE, retrieve_store, openai_error, "Return a vector store"),
    Route("POST", _STORE, change_store, openai_error, "Change a vector store", body=ChangeStore),
    Route("DELETE", _STORE, delete_store, openai_error, "Delete a vector store"),
    Route("POST", f"{_STORE}/search", search_store, openai_error, "Search a vector store", body=SearchStore),
    *store_files.ROUTES,
)
