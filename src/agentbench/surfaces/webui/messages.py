"""Anthropic's Messages where Open WebUI has them: with `files` to look into, and errors as Anthropic's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.decode import decode_json
from agentbench.runner import Turn
from agentbench.surfaces.anthropic import answer, anthropic_error, count_tokens
from agentbench.surfaces.anthropic_request import decode_messages
from agentbench.surfaces.base import Route
from agentbench.surfaces.webui.documents import documents_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["ROUTES"]


async def create_message(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /messages`."""
    body = decode_json(await request.body())
    documents = documents_of(body.pop("files", None))
    return await answer(request, runner, Turn(request=decode_messages(body), principal=principal, documents=documents))


_EXAMPLE = {"model": "assistant", "max_tokens": 100, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
_BODY = {"application/json": {"type": "object", "example": _EXAMPLE}}
ROUTES = (
    *(
        Route("POST", path, create_message, anthropic_error, "Create a message (Anthropic)", body=_BODY)
        for path in ("/api/v1/messages", "/api/message")
    ),
    *(
        Route("POST", path, count_tokens, anthropic_error, "Estimate a message's tokens (Anthropic)", body=_BODY)
        for path in ("/api/v1/messages/count_tokens", "/api/message/count_tokens")
    ),
)
