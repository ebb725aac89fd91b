"""An upstream that speaks Responses: OpenAI's own, or any server of Open Responses.

Nothing is stored upstream (`store: false`): the whole conversation is sent each time, and reasoning comes back sealed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.items import ItemReference, Reasoning
from agentbench.protocol.request import PlainTextFormat
from agentbench.providers.openai_chat import listed_models
from agentbench.providers.openai_embedding import OpenAIEmbedding
from agentbench.providers.responses_stream import ResponsesDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, EventBuilder, InputItem

__all__ = ["OpenAIResponses"]

_SEALED = "reasoning.encrypted_content"
_FOREIGN = ("anthropic.", "assistants:", "bedrock:", "google:")
"""How the seals of the other providers begin; what Responses servers seal is passed on as it came."""
_PASSED_ON = (
    "instructions",
    "parallel_tool_calls",
    "max_tool_calls",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "max_output_tokens",
    "top_logprobs",
    "reasoning",
    "service_tier",
    "user",
    "safety_identifier",
    "prompt_cache_key",
)


class OpenAIResponses(OpenAIEmbedding):
    """Any endpoint that speaks Responses."""

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> dict[str, Any]:  # noqa: ARG002 - the protocol's shape
        body: dict[str, Any] = {
            "model": request.model,
            "stream": True,
            "store": False,
            "truncation": request.truncation,
        }
        body["input"] = items = [item for each in request.input if (item := _item(each)) is not None]
        for name in _PASSED_ON:
            if (value := getattr(request, name)) is not None:
                body[name] = msgspec.to_builtins(value)
        if request.tools:
            body["tools"] = msgspec.to_builtins(request.tools)
            body["tool_choice"] = msgspec.to_builtins(request.tool_choice)
        if not isinstance(request.text.format, PlainTextFormat) or request.text.verbosity is not msgspec.UNSET:
            body["text"] = _text(request)
        if include := _include(request, items):
            body["include"] = include
        return body

    def decoder(self, builder: EventBuilder) -> ResponsesDecoder:
        return ResponsesDecoder(builder)

    def open(self, wire: dict[str, Any], endpoint: Endpoint) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self._http.post("/responses", wire, endpoint)

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        return await listed_models(self._http, endpoint)


def _item(item: InputItem) -> dict[str, Any] | None:
    """Return an item as the upstream may see it: without our ids, which it never gave out.

    Reasoning goes back only if a Responses server sealed it, and then under that server's id.
    """
    if isinstance(item, ItemReference):
        return None
    raw: dict[str, Any] = msgspec.to_builtins(item)
    if isinstance(item, Reasoning):
        if not item.encrypted_content or item.encrypted_content.startswith(_FOREIGN):
            return None
        return {key: raw[key] for key in ("type", "id", "summary", "encrypted_content")}
    raw.pop("id")
    raw.pop("status", None)
    for part in raw.get("content") or ():
        part.pop("logprobs", None)
    return raw


def _text(request: CreateResponse) -> dict[str, Any]:
    raw: dict[str, Any] = msgspec.to_builtins(request.text)
    raw["format"] = {key: value for key, value in raw["format"].items() if value is not None}
    return raw


def _include(request: CreateResponse, items: list[dict[str, Any]]) -> list[str]:
    """Ask for sealed reasoning only of models that reason: others reject the wish."""
    reasons = request.reasoning is not None or any(item["type"] == "reasoning" for item in items)
    return sorted({*request.include, _SEALED} if reasons else request.include)
