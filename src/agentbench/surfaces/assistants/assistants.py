"""Assistants: make, list, return, change and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.assistants.requests import ChangeAssistant, CreateAssistant
from agentbench.storage.paging import Page
from agentbench.surfaces.assistants.base import body_of, change_of, deleted, id_in, query_of
from agentbench.surfaces.base import Route, json_response, openai_error

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["ROUTES"]

_ASSISTANT = "/assistants/{assistant_id}"


async def create_assistant(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /assistants`."""
    wanted = await body_of(request, CreateAssistant)
    return json_response(await runner.assistants.create(principal, wanted))


async def list_assistants(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /assistants`."""
    return json_response(await runner.assistants.assistants(principal, query_of(request, Page)))


async def retrieve_assistant(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /assistants/{assistant_id}`."""
    return json_response(await runner.assistants.assistant(principal, id_in(request, "assistant_id")))


async def change_assistant(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /assistants/{assistant_id}`."""
    wanted = await change_of(request, ChangeAssistant)
    return json_response(await runner.assistants.change(principal, id_in(request, "assistant_id"), wanted))


async def delete_assistant(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /assistants/{assistant_id}`."""
    await runner.assistants.delete(principal, id_in(request, "assistant_id"))
    return deleted("assistant", id_in(request, "assistant_id"))


ROUTES = (
    Route("POST", "/assistants", create_assistant, openai_error, "Create an assistant", body=CreateAssistant),
    Route("GET", "/assistants", list_assistants, openai_error, "List assistants", query=Page),
    Route("GET", _ASSISTANT, retrieve_assistant, openai_error, "Return an assistant"),
    Route("POST", _ASSISTANT, change_assistant, openai_error, "Change an assistant", body=ChangeAssistant),
    Route("DELETE", _ASSISTANT, delete_assistant, openai_error, "Delete an assistant"),
)
