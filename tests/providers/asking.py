"""Asking a provider as a turn does, with every stream checked against the grammar."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from tests.grammar import check_grammar

from agentbench.protocol import CreateResponse, Event, EventBuilder, Response, collect, draft
from agentbench.protocol.items import user_message
from agentbench.protocol.request import FunctionTool
from agentbench.providers.base import play

if TYPE_CHECKING:
    from agentbench.config import Endpoint
    from agentbench.protocol import InputItem
    from agentbench.providers.base import Provider

__all__ = ["HI", "WEATHER", "answered", "heard"]

HI = user_message("Hi")
WEATHER = FunctionTool(name="get_weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}})


async def heard(provider: Provider, endpoint: Endpoint, request: CreateResponse) -> list[Event]:
    """Return the events of one call."""
    builder = EventBuilder(draft(request, model=request.model or ""))
    events = builder.start()
    async with aclosing(play(provider, request, endpoint, builder)) as batches:
        async for batch in batches:
            events += batch
    events += builder.finish()
    check_grammar(events)
    return events


async def answered(provider: Provider, endpoint: Endpoint, scene: str, *items: InputItem, **given: Any) -> Response:
    """Return the answer of a speaker's scene to a conversation that begins with a greeting."""
    return collect(await heard(provider, endpoint, CreateResponse(model=scene, input=(HI, *items), **given)))
