"""OpenAI's Chat Completions, as spoken by OpenAI, vLLM, LM Studio, llama.cpp, Ollama's /v1 and many others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agentbench.protocol.request import AllowedTools, FunctionToolChoice, JsonObjectFormat, JsonSchemaFormat
from agentbench.providers.chat_messages import messages
from agentbench.providers.chat_stream import ChatDecoder
from agentbench.providers.openai_embedding import OpenAIEmbedding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, EventBuilder
    from agentbench.protocol.request import TextFormat, ToolChoice
    from agentbench.providers.http import Http

__all__ = ["OpenAIChat", "encode_chat", "listed_models"]

_NEW_LIMIT = (".openai.com", ".openai.azure.com")
"""Hosts whose newer models reject `max_tokens`; elsewhere `max_completion_tokens` may be unknown."""
_NO_STREAM_OPTIONS = (".mistral.ai",)
"""Hosts that reject `stream_options`, and tell the usage unasked."""


class OpenAIChat(OpenAIEmbedding):
    """Any endpoint that speaks Chat Completions."""

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> dict[str, Any]:
        body = encode_chat(request)
        host = "." + (urlsplit(endpoint.base_url or "").hostname or "")
        if host.endswith(_NEW_LIMIT) and "max_tokens" in body:
            body["max_completion_tokens"] = body.pop("max_tokens")
        if host.endswith(_NO_STREAM_OPTIONS):
            del body["stream_options"]
        return body

    def decoder(self, builder: EventBuilder) -> ChatDecoder:
        return ChatDecoder(builder)

    def open(self, wire: dict[str, Any], endpoint: Endpoint) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self._http.post("/chat/completions", wire, endpoint)

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        return await listed_models(self._http, endpoint)


async def listed_models(http: Http, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the names under `/models`, sorted."""
    listed = await http.get_json("/models", endpoint)
    rows = listed.get("data") if isinstance(listed, dict) else listed
    if not isinstance(rows, list):
        return ()
    return tuple(sorted(str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row))


def encode_chat(request: CreateResponse) -> dict[str, Any]:
    """Return the body of a streamed chat completion; what wasn't asked for is left out."""
    body: dict[str, Any] = {
        "model": request.model,
        "messages": messages(request),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    body |= _sampling(request)
    if request.tools:
        body |= _tools(request)
    if (response_format := _response_format(request.text.format)) is not None:
        body["response_format"] = response_format
    if request.reasoning is not None and request.reasoning.effort is not None:
        body["reasoning_effort"] = request.reasoning.effort
    if request.top_logprobs:
        body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
    return body


def _sampling(request: CreateResponse) -> dict[str, Any]:
    given = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
        "max_tokens": request.max_output_tokens,
        "stop": list(request.stop) or None,
        "seed": request.seed,
        "user": request.user,
    }
    return {key: value for key, value in given.items() if value is not None}


def _tools(request: CreateResponse) -> dict[str, Any]:
    allowed = None
    choice: ToolChoice = request.tool_choice
    if isinstance(choice, AllowedTools):
        allowed, choice = {tool.name for tool in choice.tools}, choice.mode
    functions = []
    for tool in request.tools:
        if allowed is not None and tool.name not in allowed:
            continue
        function = {
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": tool.strict,
        }
        functions.append({"type": "function", "function": {k: v for k, v in function.items() if v is not None}})
    if not functions:
        return {}
    out: dict[str, Any] = {"tools": functions}
    if isinstance(choice, FunctionToolChoice):
        out["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    elif choice != "auto":
        out["tool_choice"] = choice
    if request.parallel_tool_calls is not None:
        out["parallel_tool_calls"] = request.parallel_tool_calls
    return out


def _response_format(form: TextFormat) -> dict[str, Any] | None:
    if isinstance(form, JsonObjectFormat):
        return {"type": "json_object"}
    if isinstance(form, JsonSchemaFormat):
        schema = {"name": form.name, "description": form.description, "schema": form.schema, "strict": form.strict}
        return {"type": "json_schema", "json_schema": {k: v for k, v in schema.items() if v is not None}}
    return None
