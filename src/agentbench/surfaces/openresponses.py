"""Open Responses: `POST /responses` as JSON or as a stream, now or in the background; and what else has its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import decode_json, decode_request
from agentbench.runner import Turn
from agentbench.surfaces.base import Route, finished, json_response, openai_error, streamed
from agentbench.surfaces.models import list_models, one_model
from agentbench.surfaces.openresponses_compact import compact_response
from agentbench.surfaces.openresponses_stored import (
    cancel_response,
    delete_response,
    list_input_items,
    retrieve_response,
)
from agentbench.surfaces.receipts import wants_receipts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.protocol import CreateResponse, Event
    from agentbench.runner import Runner

__all__ = ["ROUTES", "ResponsesEncoder"]


class ResponsesEncoder:
    """Writes events as they are: each one frame, its name repeated in the `event` line."""

    def __init__(self) -> None:
        self._json = msgspec.json.Encoder()

    def feed(self, event: Event) -> Iterator[bytes]:
        """Return the event's frame."""
        name = event.__struct_config__.tag
        yield b"event: %s\ndata: %s\n\n" % (str(name).encode(), self._json.encode(event))

    def close(self) -> Iterator[bytes]:
        """Return the literal that ends every stream of Open Responses."""
        yield b"data: [DONE]\n\n"


async def create_response(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /responses`."""
    wanted = decode_request(decode_json(await request.body()))
    if wanted.model is None:
        raise InvalidRequest("Say who should answer: `model` is missing.", param="model")
    if wanted.background:
        return await _start_in_background(request, wanted, runner, principal)
    run = runner.start(Turn(request=wanted, principal=principal))
    if wanted.stream:
        return await streamed(run, ResponsesEncoder(), request=request, receipts=wants_receipts(request))
    return json_response(await finished(run, request=request, receipts=wants_receipts(request)))


async def _start_in_background(
    request: Request, wanted: CreateResponse, runner: Runner, principal: Principal
) -> HTTPResponse:
    if not wanted.store:
        raise InvalidRequest("A background response must be stored: leave `store` out or set it.", param="background")
    run = runner.start(Turn(request=wanted, principal=principal))
    queued = run.response
    started = await runner.background.start(run)
    if wanted.stream:
        return await streamed(started, ResponsesEncoder(), request=request, receipts=wants_receipts(request))
    return json_response(queued)


async def models(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Answer `GET /models`."""
    return json_response(list_models(runner, principal))


async def model(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /models/{model}`; a name may hold a slash."""
    return json_response(one_model(runner, principal, request.path_params["model"]))


ROUTES = (
    Route("POST", "/responses", create_response, openai_error, "Create a response (Open Responses)"),
    Route("POST", "/responses/compact", compact_response, openai_error, "Shorten a conversation (Open Responses)"),
    Route("GET", "/responses/{response_id}", retrieve_response, openai_error, "Return a stored response"),
    Route("DELETE", "/responses/{response_id}", delete_response, openai_error, "Delete a stored response"),
    Route("GET", "/responses/{response_id}/input_items", list_input_items, openai_error, "List a response's input"),
    Route("POST", "/responses/{response_id}/cancel", cancel_response, openai_error, "Stop a background response"),
    Route("GET", "/models", models, openai_error, "List agents and models"),
    Route("GET", "/models/{model:path}", model, openai_error, "Return an agent or model"),
)
