"""Messages of a thread: add, list, return, change and delete them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.assistants.requests import ChangeMetadata, CreateMessage
from agentbench.storage.paging import Page
from agentbench.surfaces.assistants.base import body_of, change_of, deleted, query_of
from agentbench.surfaces.base import Route, json_response, openai_error

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["ROUTES"]

_MESSAGES = "/threads/{thread_id}/messages"
_MESSAGE = f"{_MESSAGES}/{{message_id}}"


class MessagesQuery(Page, frozen=True, kw_only=True):
    """A page of a thread's messages, of one run if that is named."""

    run_id: str | None = None


async def create_message(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads/{thread_id}/messages`."""
    wanted = await body_of(request, CreateMessage)
    return json_response(await runner.assistants.add_message(principal, request.path_params["thread_id"], wanted))


async def list_messages(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /threads/{thread_id}/messages`."""
    page = query_of(request, MessagesQuery)
    thread_id = request.path_params["thread_id"]
    return json_response(await runner.assistants.messages(principal, thread_id, page, run_id=page.run_id))


async def retrieve_message(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /threads/{thread_id}/messages/{message_id}`."""
    return json_response(await runner.assistants.message(principal, *_ids(request)))


async def change_message(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads/{thread_id}/messages/{message_id}`."""
    wanted = await change_of(request, ChangeMetadata)
    return json_response(await runner.assistants.change_message(principal, *_ids(request), wanted))


async def delete_message(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /threads/{thread_id}/messages/{message_id}`."""
    thread_id, message_id = _ids(request)
    await runner.assistants.delete_message(principal, thread_id, message_id)
    return deleted("thread.message", message_id)


def _ids(request: Request) -> tuple[str, str]:
    return request.path_params["thread_id"], request.path_params["message_id"]


ROUTES = (
    Route("POST", _MESSAGES, create_message, openai_error, "Add a message to a thread", body=CreateMessage),
    Route("GET", _MESSAGES, list_messages, openai_error, "List a thread's messages", query=MessagesQuery),
    Route("GET", _MESSAGE, retrieve_message, openai_error, "Return a message"),
    Route("POST", _MESSAGE, change_message, openai_error, "Change a message's metadata", body=ChangeMetadata),
    Route("DELETE", _MESSAGE, delete_message, openai_error, "Delete a message"),
)
