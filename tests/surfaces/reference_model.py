"""A model that does as it is told: it calls tools, obeys schemas, limits and stops, and thinks when asked to.

Else it says the first thing that it was told, and counts.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from tests.runner.fakes import FakeProvider

from agentbench.protocol import CreateResponse, EventBuilder, Usage
from agentbench.protocol.content import LogProb, TopLogProb
from agentbench.protocol.items import FunctionCallOutput, Message
from agentbench.protocol.request import (
    AllowedTools,
    FunctionTool,
    FunctionToolChoice,
    JsonObjectFormat,
    JsonSchemaFormat,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from agentbench.config import Endpoint
    from agentbench.protocol import Event

    Chunk = str | Callable[[EventBuilder], list[Event] | None]

__all__ = ["ReferenceModel"]

WORD = re.compile(r"\s*\S+")
LONG = " ".join(str(number) for number in range(1, 101))
SAMPLES: dict[str, Any] = {"string": "Paris", "integer": 7, "number": 7.5, "boolean": True, "null": None}


class ReferenceModel(FakeProvider):
    """Answers each request from what the request itself says."""

    @asynccontextmanager
    async def open(self, *wire: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """Send the answer in pieces."""
        request, _ = wire
        yield _sent(request)

    async def models(self, _: Endpoint) -> tuple[str, ...]:
        """Return its name."""
        return ("reference",)


async def _sent(request: CreateResponse) -> AsyncIterator[Chunk]:
    read = len(msgspec.json.encode(request.input)) // 4
    if request.reasoning is not None and request.reasoning.effort != "none":
        yield lambda builder: builder.reasoning("Let me think.")
    if request.reasoning is not None and request.reasoning.summary is not None:
        yield lambda builder: builder.reasoning_summary("It thought.")
    tools = [] if isinstance(request.input[-1], FunctionCallOutput) else _chosen(request)
    for number, tool in enumerate(tools):
        yield partial(_call, key=number, tool=tool)
    words = [] if tools else WORD.findall(_text(request))
    limit = request.max_output_tokens or len(words)
    for word in words[:limit]:
        yield partial(_say, word=word, request=request)
    yield lambda builder: builder.usage(Usage.of(read, min(limit, len(words)) + 5 * len(tools)))
    if limit < len(words):
        yield lambda builder: builder.cut("max_output_tokens")


def _chosen(request: CreateResponse) -> list[FunctionTool]:
    """Return the tool to call; two where two things are asked for and side by side is allowed."""
    choice, tools = request.tool_choice, list(request.tools)
    if isinstance(choice, FunctionToolChoice):
        tools = [tool for tool in tools if tool.name == choice.name]
    if isinstance(choice, AllowedTools):
        tools = [tool for tool in tools if tool.name in {each.name for each in choice.tools}]
    if choice == "none" or not tools:
        return []
    two = " and " in _said(request)[-1].lower() and request.parallel_tool_calls is not False
    return tools[: 2 if two else 1]


def _call(builder: EventBuilder, *, key: int, tool: FunctionTool) -> list[Event]:
    arguments = msgspec.json.encode(_sample(tool.parameters or {})).decode()
    begun = builder.call(key, name=tool.name, arguments=arguments[:5])
    return begun + builder.call(key, arguments=arguments[5:])


def _say(builder: EventBuilder, *, word: str, request: CreateResponse) -> list[Event]:
    if not request.top_logprobs:
        return builder.text(word)
    raw = tuple(word.encode())
    likely = tuple(TopLogProb(token=word, logprob=-0.1, bytes=raw) for _ in range(request.top_logprobs))
    return builder.text(word, logprobs=(LogProb(token=word, logprob=-0.1, bytes=raw, top_logprobs=likely),))


def _text(request: CreateResponse) -> str:
    form = request.text.format
    if isinstance(form, JsonSchemaFormat):
        return msgspec.json.encode(_sample(form.schema or {})).decode()
    if isinstance(form, JsonObjectFormat):
        return '{"city": "Paris"}'
    text = f"{request.instructions or _said(request)[0]} {LONG}"
    return min((text.partition(stop)[0] for stop in request.stop), key=len, default=text)


def _said(request: CreateResponse) -> list[str]:
    return [item.text for item in request.input if isinstance(item, Message)] or [""]


def _sample(schema: dict[str, Any]) -> Any:
    """Return a value of the schema."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [_sample(schema.get("items", {}))]
    if schema.get("type") in SAMPLES:
        return SAMPLES[schema["type"]]
    return dict(_sampled(schema.get("properties", {})))


def _sampled(properties: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, schema in properties.items():
        yield name, _sample(schema)
