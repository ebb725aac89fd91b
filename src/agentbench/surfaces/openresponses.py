"""Open Responses: `POST /responses` as JSON or as a stream, and `GET /models`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import decode_json, decode_request
from agentbench.runner import Turn
from agentbench.surfaces.base import Route, finished, json_response, openai_error, streamed
from agentbench.surfaces.models import list_models

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.protocol import Event
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
    run = runner.start(Turn(request=wanted, principal=principal))
    if wanted.stream:
        return await streamed(run, ResponsesEncoder())
    return json_response(await finished(run))


async def models(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Answer `GET /models`."""
    return json_response(list_models(runner))


ROUTES = (
    Route("POST", "/responses", create_response, openai_error, "Create a response (Open Responses)"),
    Route("GET", "/models", models, openai_error, "List agents and models"),
)
