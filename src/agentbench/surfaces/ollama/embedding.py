"""`/api/embed` and `/api/embeddings` without an Ollama: any model that embeds answers, as OpenAI's API has it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from agentbench.protocol.decode import convert, decode_json
from agentbench.surfaces.base import json_response
from agentbench.surfaces.embeddings import EmbeddingBody, embedding_list
from agentbench.surfaces.event_stream import while_connected
from agentbench.surfaces.ollama.names import listed_as, model_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["embed", "embedder_name", "embeddings"]


async def embed(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /api/embed`: one vector a text."""
    begun = time.perf_counter()
    body = decode_json(await request.body())
    made = await while_connected(request, _made(runner, principal, body, "input"))
    return json_response(
        {
            "model": model_of(body),
            "embeddings": [row["embedding"] for row in made["data"]],
            "total_duration": round((time.perf_counter() - begun) * 1e9),
            "load_duration": 0,
            "prompt_eval_count": made["usage"]["prompt_tokens"],
        }
    )


async def embeddings(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /api/embeddings`, the older form: one vector."""
    body = decode_json(await request.body())
    made = await while_connected(request, _made(runner, principal, body, "prompt"))
    return json_response({"embedding": made["data"][0]["embedding"]})


def embedder_name(runner: Runner, principal: Principal, name: str) -> str:
    """Return what we call the embedding model of that name, if it is known; else the name without `:latest`."""
    return listed_as(name, runner.embeddings.models(principal)) or name.removesuffix(":latest")


async def _made(runner: Runner, principal: Principal, body: dict[str, Any], key: str) -> dict[str, Any]:
    name = embedder_name(runner, principal, model_of(body))
    given = {"model": name, "input": body.get(key, ""), "dimensions": body.get("dimensions")}
    wanted = convert({**given, "input_type": body.get("input_type")}, EmbeddingBody)
    return await embedding_list(wanted, runner, principal)
