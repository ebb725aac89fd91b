"""Stored responses: return, delete and cancel one, and list its input. Each user sees only their own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.runner.background import is_pending
from agentbench.storage import responses
from agentbench.surfaces.base import json_response
from agentbench.surfaces.receipts import wants_receipts, what_ran, without_receipts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.protocol import InputItem, Response
    from agentbench.runner import Runner
    from agentbench.storage.responses import StoredResponse

__all__ = ["cancel_response", "delete_response", "list_input_items", "retrieve_response"]

_PAGE = 20
_LONGEST_PAGE = 100


async def retrieve_response(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /responses/{id}`."""
    return _told(request, (await _found(request, runner, principal)).response)


async def delete_response(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `DELETE /responses/{id}`; one that is still being made is stopped first."""
    stored = await _found(request, runner, principal)
    response_id = stored.response.id
    if is_pending(stored.response):
        await runner.background.cancel(response_id)
        if is_pending((await _found(request, runner, principal)).response):
            raise InvalidRequest(f"The response {response_id!r} is being stopped. Delete it in a few seconds.")
    await runner.database.write(partial(responses.delete, response_id=response_id, user=principal.user))
    return json_response({"id": response_id, "object": "response.deleted", "deleted": True})


async def cancel_response(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /responses/{id}/cancel`; one that has ended stays as it is."""
    stored = await _found(request, runner, principal)
    if not stored.response.background:
        raise InvalidRequest("Only responses with `background` can be cancelled. Close the connection to stop others.")
    if is_pending(stored.response):
        await runner.background.cancel(stored.response.id)
        stored = await _found(request, runner, principal)
    return _told(request, stored.response)


async def list_input_items(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /responses/{id}/input_items`."""
    stored = await _found(request, runner, principal)
    return json_response(_page(stored.input, request.query_params))


async def _found(request: Request, runner: Runner, principal: Principal) -> StoredResponse:
    response_id = request.path_params["response_id"]
    stored = await runner.background.find(response_id, principal.user)
    if stored is None:
        raise UnknownName("response", response_id, param="response_id")
    return stored


def _told(request: Request, response: Response) -> HTTPResponse:
    if wants_receipts(request):
        return json_response(response)
    return json_response(without_receipts(response, what_ran(response.output)))


def _page(items: Sequence[InputItem], query: Mapping[str, str]) -> dict[str, object]:
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise InvalidRequest(f"order is {order!r}: write asc or desc.", param="order")
    limit = _limit(query.get("limit", str(_PAGE)))
    ordered = list(items) if order == "asc" else list(reversed(items))
    begin, end = 0, len(ordered)
    if "after" in query:
        begin = _place(ordered, query["after"], "after") + 1
    if "before" in query:
        end = _place(ordered, query["before"], "before")
    rest = ordered[begin:end]
    data = rest[:limit]
    ids = [item.id for item in data]
    return {
        "object": "list",
        "data": msgspec.to_builtins(data),
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": len(rest) > len(data),
    }


def _limit(given: str) -> int:
    if not given.isdecimal() or not 1 <= int(given[:9]) <= _LONGEST_PAGE:
        raise InvalidRequest(f"limit is {given[:20]!r}: write a number from 1 to {_LONGEST_PAGE}.", param="limit")
    return int(given)


def _place(items: Sequence[InputItem], item_id: str, param: str) -> int:
    place = next((number for number, item in enumerate(items) if item.id == item_id), None)
    if place is None:
        raise InvalidRequest(f"{param} names no item of this response: {item_id!r}.", param=param)
    return place
