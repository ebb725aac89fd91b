"""Asking an upstream of the Assistants API that has no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.providers.asking import HI, heard
from tests.providers.assistants_upstream import FakeUpstream, Round

from agentbench.protocol import CreateResponse, Response, collect
from agentbench.protocol.items import FunctionCallOutput
from agentbench.providers.assistants import Assistants
from agentbench.providers.http import Http

if TYPE_CHECKING:
    from agentbench.config import Endpoint
    from agentbench.protocol import InputItem

__all__ = ["AZURE", "ask", "calls", "every_way", "provider", "result", "says", "text"]

AZURE: dict[str, Any] = {"api_version": "2024-05-01-preview"}
every_way = pytest.mark.parametrize("way", [{}, AZURE], ids=["OpenAI", "Azure"])


def text(value: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    """Return a text part."""
    return {"type": "text", "text": {"value": value, "annotations": list(annotations)}}


def says(value: str, **more: Any) -> Round:
    """Return a round in which a text is written."""
    return Round(parts=(text(value),), **more)


def calls(*ids: str) -> Round:
    """Return a round that calls for the weather."""
    return Round(calls=dict.fromkeys(ids, ("get_weather", '{"city":"Seoul"}')))


def provider(upstream: FakeUpstream) -> Assistants:
    """Return a provider whose only upstream this is."""

    async def at_once(_: float) -> None: ...

    return Assistants(Http(transport=httpx2.MockTransport(upstream.serve), sleep=at_once))


async def ask(assistants: Assistants, endpoint: Endpoint, *items: InputItem, **given: Any) -> Response:
    """Return the answer to a conversation."""
    request = CreateResponse(model="asst_1", input=items or (HI,), **given)
    return collect(await heard(assistants, endpoint, request))


def result(call_id: str, output: str = "sun") -> FunctionCallOutput:
    """Return what a function gave back."""
    return FunctionCallOutput(id=f"fco_{call_id}", call_id=call_id, output=output)
