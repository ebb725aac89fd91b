"""OpenAI's Embeddings where Open WebUI has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import UnknownName
from agentbench.surfaces.embeddings import EmbeddingBody, create_embeddings
from agentbench.surfaces.webui.base import ModelNotFound, object_of, route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["ROUTES"]


async def embed(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /embeddings`."""
    await object_of(request)  # what is no JSON object is refused as everywhere in this API
    try:
        return await create_embeddings(request, runner, principal)
    except UnknownName:
        raise ModelNotFound from None


ROUTES = tuple(
    route("POST", path, embed, "Create embeddings (Open WebUI)", body=EmbeddingBody)
    for path in ("/api/embeddings", "/api/v1/embeddings")
)
