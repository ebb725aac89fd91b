"""The API without an Ollama behind it: agents and models of this workbench answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest, PermissionDenied, UpstreamError
from agentbench.protocol import CreateResponse
from agentbench.protocol.decode import decode_json
from agentbench.runner import Turn
from agentbench.surfaces.base import finished, json_response, streamed
from agentbench.surfaces.event_stream import LineStream
from agentbench.surfaces.ollama import listing
from agentbench.surfaces.ollama.bodies import chat_request, generate_request, wants_stream
from agentbench.surfaces.ollama.names import model_of, our_name
from agentbench.surfaces.ollama.pull import pull_local
from agentbench.surfaces.ollama_chunks import GenerateEncoder, OllamaEncoder

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["VERSION", "chat", "generate", "loaded_models", "pull", "refuse", "show", "tags", "version"]

VERSION = "0.12.6"
"""The version of Ollama whose API these routes follow; clients ask for it to see what they may send."""


async def tags(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Answer `GET /api/tags`."""
    return json_response(await listing.tags(runner, principal))


async def loaded_models(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Answer `GET /api/ps`."""
    return json_response(await listing.loaded_models(runner, principal))


async def version(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Answer `GET /api/version`."""
    return json_response({"version": VERSION})


async def show(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /api/show`."""
    name = model_of(decode_json(await request.body()))
    return json_response(await listing.shown(runner, principal, name))


async def chat(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /api/chat`; without messages, which loads a model in Ollama, nothing is done."""
    body = decode_json(await request.body())
    name = model_of(body)
    model = our_name(runner, principal, name)
    if not body.get("messages"):
        return _ready(runner, principal, name, {"message": {"role": "assistant", "content": ""}}, body)
    return await _answer(request, runner, Turn(request=chat_request(body, model), principal=principal), name)


async def generate(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /api/generate`; without a prompt nothing is done."""
    body = decode_json(await request.body())
    name = model_of(body)
    model = our_name(runner, principal, name)
    if not body.get("prompt") and not body.get("images"):
        return _ready(runner, principal, name, {"response": ""}, body)
    turn = Turn(request=generate_request(body, model), principal=principal)
    return await _answer(request, runner, turn, name, GenerateEncoder)


async def pull(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Answer `POST /api/pull`: fetch the weights of a local model."""
    _check_administrator(principal)
    body = decode_json(await request.body())
    return await pull_local(model_of(body), stream=wants_stream(body))


async def refuse(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Say that this can't be done without an Ollama, or at all by others than administrators."""
    _check_administrator(principal)
    raise InvalidRequest(
        f"{request.method} {request.url.path} needs an Ollama, and none is configured for this caller. The operator"
        " sets OLLAMA_BASE_URL; agents are changed in the config."
    )


def _check_administrator(principal: Principal) -> None:
    if not principal.is_administrator:
        raise PermissionDenied("Only administrators may change which models there are.")


async def _answer(
    request: Request, runner: Runner, turn: Turn, name: str, encoder: type[OllamaEncoder] = OllamaEncoder
) -> HTTPResponse:
    run = runner.start(turn)
    told = encoder(msgspec.structs.replace(run.response, model=name))
    if turn.request.stream:
        return await streamed(run, told, request=request, kind=LineStream)
    response = await finished(run, request=request)
    if response.error is not None:
        raise UpstreamError(response.error.message)
    return json_response(told.whole(response, first=run.row.time_to_first_token if run.row else None))


def _ready(runner: Runner, principal: Principal, name: str, said: dict[str, Any], body: dict[str, Any]) -> HTTPResponse:
    """Say that a model is there, which it always is; raises `UnknownName` if there is none."""
    model = our_name(runner, principal, name)
    runner.start(Turn(request=CreateResponse(model=model), principal=principal))
    reason = "unload" if body.get("keep_alive") in (0, "0") else "load"
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json_response({"model": name, "created_at": at, **said, "done_reason": reason, "done": True})
