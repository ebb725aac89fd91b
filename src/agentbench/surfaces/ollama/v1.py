"""The `/v1` routes without an Ollama: the surfaces of OpenAI and Anthropic answer, and names may have a tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import Request

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import decode_json
from agentbench.surfaces import anthropic, openai_chat, openresponses
from agentbench.surfaces.base import json_response
from agentbench.surfaces.embeddings import create_embeddings
from agentbench.surfaces.models import list_models, one_model
from agentbench.surfaces.ollama.embedding import embedder_name
from agentbench.surfaces.ollama.names import model_of, our_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response as HTTPResponse
    from starlette.types import Message

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

    Handler = Callable[[Request, Runner, Principal], Awaitable[HTTPResponse]]

__all__ = ["chat", "completions", "embeddings", "messages", "model", "models", "responses", "untagged"]


def untagged(handler: Handler, name_of: Callable[[Runner, Principal, str], str] = our_name) -> Handler:
    """Let a handler of another surface take names as this API writes them; `name_of` says what we call them."""

    async def answer(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
        body = decode_json(await request.body())
        body["model"] = name_of(runner, principal, model_of(body))
        return await handler(_with_body(request, body), runner, principal)

    return answer


async def models(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Answer `GET /v1/models`."""
    return json_response(list_models(runner, principal))


async def model(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /v1/models/{model}`."""
    name = our_name(runner, principal, request.path_params["model"])
    return json_response(one_model(runner, principal, name))


async def completions(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Say that there are no bare completions."""
    raise InvalidRequest("Bare completions aren't made here: models are asked with messages. Use chat/completions.")


chat = untagged(openai_chat.create_completion)
responses = untagged(openresponses.create_response)
messages = untagged(anthropic.create_message)
embeddings = untagged(create_embeddings, embedder_name)


def _with_body(request: Request, body: dict[str, Any]) -> Request:
    """Return the request with another body; what comes after it is the client's leaving, as before."""
    given: list[Message] = [{"type": "http.request", "body": msgspec.json.encode(body), "more_body": False}]

    async def receive() -> Message:
        return given.pop() if given else await request.receive()

    return Request(request.scope, receive)
