"""`POST /responses/compact`: a conversation made short, as an item that is input again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import decode_json, decode_request
from agentbench.protocol.values import new_id
from agentbench.runner import Turn
from agentbench.runner.compaction import compact
from agentbench.surfaces.base import json_response
from agentbench.surfaces.event_stream import while_connected

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["compact_response"]

_READ = ("model", "input", "previous_response_id", "instructions", "prompt_cache_key")


async def compact_response(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /responses/compact`. Nothing is stored."""
    body = decode_json(await request.body())
    wanted = decode_request({name: body[name] for name in _READ if name in body})
    if wanted.model is None:
        raise InvalidRequest("Say who should sum up: `model` is missing.", param="model")
    compacted = await while_connected(request, compact(runner, Turn(request=wanted, principal=principal)))
    return json_response(
        {
            "id": new_id("resp"),
            "object": "response.compaction",
            "created_at": int(time.time()),
            "output": [msgspec.to_builtins(compacted.item)],
            "usage": compacted.usage,
        }
    )
