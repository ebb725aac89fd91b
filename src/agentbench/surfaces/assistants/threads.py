"""Threads: make, return, change and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.assistants.requests import ChangeThread, CreateThread
from agentbench.surfaces.assistants.base import body_of, change_of, deleted, id_in
from agentbench.surfaces.base import Route, json_response, openai_error

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["ROUTES"]

_THREAD = "/threads/{thread_id}"


async def create_thread(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads`."""
    wanted = await body_of(request, CreateThread)
    return json_response(await runner.assistants.create_thread(principal, wanted))


async def retrieve_thread(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /threads/{thread_id}`."""
    return json_response(await runner.assistants.thread(principal, id_in(request, "thread_id")))


async def change_thread(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads/{thread_id}`."""
    wanted = await change_of(request, ChangeThread)
    return json_response(await runner.assistants.change_thread(principal, id_in(request, "thread_id"), wanted))


async def delete_thread(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /threads/{thread_id}`."""
    await runner.assistants.delete_thread(principal, id_in(request, "thread_id"))
    return deleted("thread", id_in(request, "thread_id"))


ROUTES = (
    Route("POST", "/threads", create_thread, openai_error, "Create a thread", body=CreateThread),
    Route("GET", _THREAD, retrieve_thread, openai_error, "Return a thread"),
    Route("POST", _THREAD, change_thread, openai_error, "Change a thread", body=ChangeThread),
    Route("DELETE", _THREAD, delete_thread, openai_error, "Delete a thread"),
)
