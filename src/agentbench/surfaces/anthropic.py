"""Anthropic's Messages: `POST /messages` as JSON or as a stream, `POST /messages/count_tokens`, and `GET /models`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import decode_json
from agentbench.protocol.values import new_id
from agentbench.runner import Turn
from agentbench.surfaces.anthropic_events import MessagesEncoder, error_body
from agentbench.surfaces.anthropic_message import message
from agentbench.surfaces.anthropic_request import decode_messages, decode_prompt
from agentbench.surfaces.anthropic_tokens import estimate
from agentbench.surfaces.base import Route, amounts_of, finished, json_response, streamed, when_to_return
from agentbench.surfaces.models import list_models

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.errors import AgentbenchError
    from agentbench.runner import Runner

__all__ = ["ROUTES", "answer", "anthropic_error", "count_tokens"]

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_PAGE = 20
_LONGEST_PAGE = 1000


async def create_message(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /messages`."""
    wanted = decode_messages(decode_json(await request.body()))
    return await answer(request, runner, Turn(request=wanted, principal=principal))


async def answer(request: Request, runner: Runner, turn: Turn) -> HTTPResponse:
    """Return a turn's answer as a message, or as the stream that its request wants."""
    wanted, run = turn.request, runner.start(turn)
    request_id = run.response.id.replace("resp_", "req_")
    response: HTTPResponse
    if wanted.stream:
        response = await streamed(run, MessagesEncoder(request_id), request=request)
    else:
        response = json_response(message(await finished(run, request=request)))
    response.headers["request-id"] = request_id
    return response


async def count_tokens(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /messages/count_tokens`; nobody is asked, and nothing counted as used."""
    wanted = decode_prompt(decode_json(await request.body()))
    agent = runner.start(Turn(request=wanted, principal=principal)).target.agent
    return json_response({"input_tokens": estimate(wanted, None if agent is None else agent.instructions)})


async def page_models(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /models` for a client of Anthropic's."""
    names = [model["id"] for model in list_models(runner, principal)["data"]]
    query, limit = request.query_params, _limit(request)
    begin, end = 0, len(names)
    if (after := query.get("after_id")) in names:
        begin = names.index(after) + 1
    if (before := query.get("before_id")) in names:
        end = names.index(before)
        begin = max(begin, end - limit)
    page = names[begin:end][:limit]
    return json_response(
        {
            "data": [_model(name) for name in page],
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
            "has_more": begin > 0 if before else begin + len(page) < end,
        }
    )


def anthropic_error(error: AgentbenchError) -> HTTPResponse:
    """Return an error as Anthropic's clients expect it."""
    request_id = new_id("req")
    headers = {"request-id": request_id} | when_to_return(error)
    kind = _ERRORS.get(error.status, "api_error")
    body = error_body(kind, error.message, request_id, **amounts_of(error))
    return json_response(body, error.status, headers)


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(_PAGE))
    if not text.isdecimal() or not 1 <= int(text) <= _LONGEST_PAGE:
        raise InvalidRequest(f"limit: expected a number from 1 to {_LONGEST_PAGE}.", param="limit")
    return int(text)


def _model(name: str) -> dict[str, Any]:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active",
        "capabilities": None,
        "deprecated_at": None,
        "line": None,
        "max_input_tokens": None,
        "max_tokens": None,
        "retires_at": None,
    }


ROUTES = (
    Route("POST", "/messages", create_message, anthropic_error, "Create a message (Anthropic)"),
    Route("POST", "/messages/count_tokens", count_tokens, anthropic_error, "Estimate a message's tokens (Anthropic)"),
    Route("GET", "/models", page_models, anthropic_error, "List agents and models (Anthropic)", "anthropic-version"),
)
