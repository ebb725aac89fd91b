"""Anthropic's Messages API, as spoken by Anthropic and by llama.cpp, vLLM and other servers that follow it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from agentbench.protocol.request import AllowedTools, FunctionToolChoice, JsonObjectFormat, JsonSchemaFormat
from agentbench.providers.anthropic_messages import messages
from agentbench.providers.anthropic_stream import AnthropicDecoder
from agentbench.providers.anthropic_thinking import generation, sampling, thinking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, EventBuilder
    from agentbench.protocol.request import FunctionTool, ToolChoice
    from agentbench.providers.http import Http

__all__ = ["Anthropic", "closed_schema", "encode_messages"]

_Object = dict[str, Any]

_VERSION = "2023-06-01"
_VERSIONED = re.compile(r"/v\d+$")
_CACHED = {"type": "ephemeral"}
_JSON_ONLY = "Answer with one JSON object and nothing else."

_MOST_TOKENS, _MOST_TOKENS_OF_OTHERS = 32_000, 8_192
"""The limit of a request that names none: every Claude from 3.7 on can write as much."""
_LONG_WINDED = (3, 7)

_UNENFORCED = {
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
}
"""Limits of a JSON schema that the API refuses."""


class Anthropic:
    """Any endpoint that speaks Messages; `/v1` is added to a base URL that ends with no version."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> _Object:  # noqa: ARG002 - Provider's shape
        return encode_messages(request)

    def decoder(self, builder: EventBuilder) -> AnthropicDecoder:
        return AnthropicDecoder(builder)

    def open(self, wire: _Object, endpoint: Endpoint) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        return self._http.post(_path("/messages", endpoint), wire, endpoint, headers=_headers(endpoint))

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        names: list[str] = []
        path, more = _path("/models?limit=1000", endpoint), ""
        while True:
            listed = await self._http.get_json(path + more, endpoint, headers=_headers(endpoint))
            page = listed if isinstance(listed, dict) else {}
            found = [str(row["id"]) for row in page.get("data") or () if isinstance(row, dict) and "id" in row]
            names += found
            if not found or not page.get("has_more"):
                return tuple(names)
            more = f"&after_id={quote(found[-1], safe='')}"


def encode_messages(request: CreateResponse) -> _Object:
    """Return the body of a streamed message; what wasn't asked for is left out, but for `max_tokens` and caching."""
    system, turns = messages(request)
    body: _Object = {
        "model": request.model,
        "max_tokens": request.max_output_tokens or _most_tokens(request.model or ""),
        "messages": turns,
        "stream": True,
    }
    body |= thinking(request, body["max_tokens"], turns)
    body |= sampling(request, thinks=body.get("thinking", {}).get("type") in {"enabled", "adaptive"})
    if stop := [text for text in request.stop if text.strip()]:
        body["stop_sequences"] = stop
    if user := request.user or request.safety_identifier:
        body["metadata"] = {"user_id": user}
    if request.tools:
        body |= _tools(request)
    if system := _formatted(body, system, request):
        body["system"] = [{"type": "text", "text": system}]
    _mark_cache(body)
    return body


def closed_schema(schema: Any) -> Any:
    """Return a JSON schema as the API takes one: objects closed, limits that it can't enforce told in words."""
    if not isinstance(schema, dict):
        return schema
    out: _Object = {}
    limits: _Object = {}
    for key, value in schema.items():
        if key in _UNENFORCED or (key == "minItems" and value not in (0, 1)):
            limits[key] = value
        elif key in {"properties", "$defs", "definitions"}:
            out[key] = {name: closed_schema(each) for name, each in value.items()}
        elif key in {"anyOf", "oneOf", "allOf"}:
            out["allOf" if key == "allOf" else "anyOf"] = [closed_schema(each) for each in value]
        else:
            out[key] = closed_schema(value) if key == "items" else value
    if "object" in (out.get("type") or ()):
        out["additionalProperties"] = False
    if limits:
        told = msgspec.json.encode(limits).decode()
        out["description"] = f"{out['description']} {told}" if out.get("description") else told
    return out


def _most_tokens(model: str) -> int:
    version = generation(model)
    return _MOST_TOKENS if version is not None and version >= _LONG_WINDED else _MOST_TOKENS_OF_OTHERS


def _formatted(body: _Object, system: str, request: CreateResponse) -> str:
    """Ask for the form of the answer: by schema in the body, else in the system prompt, which is returned."""
    form = request.text.format
    if isinstance(form, JsonSchemaFormat) and form.schema is not None:
        wanted = {"type": "json_schema", "schema": closed_schema(form.schema)}
        body["output_config"] = {**body.get("output_config", {}), "format": wanted}
    elif isinstance(form, JsonObjectFormat | JsonSchemaFormat):
        return f"{system}\n\n{_JSON_ONLY}".strip()
    return system


def _tools(request: CreateResponse) -> _Object:
    allowed = None
    choice: ToolChoice = request.tool_choice
    if isinstance(choice, AllowedTools):
        allowed, choice = {tool.name for tool in choice.tools}, choice.mode
    tools = [_tool(tool) for tool in request.tools if allowed is None or tool.name in allowed]
    if not tools:
        return {}
    chosen = _choice(choice)
    if request.parallel_tool_calls is False and choice != "none":
        chosen["disable_parallel_tool_use"] = True
    return {"tools": tools} if chosen == {"type": "auto"} else {"tools": tools, "tool_choice": chosen}


def _choice(choice: ToolChoice) -> _Object:
    if isinstance(choice, FunctionToolChoice):
        return {"type": "tool", "name": choice.name}
    return {"type": {"required": "any", "none": "none"}.get(str(choice), "auto")}


def _tool(tool: FunctionTool) -> _Object:
    schema = {"type": "object", **(tool.parameters or {"properties": {}})}
    out: _Object = {"name": tool.name, "input_schema": closed_schema(schema) if tool.strict else schema}
    if tool.description:
        out["description"] = tool.description
    if tool.strict:
        out["strict"] = True
    return out


def _mark_cache(body: _Object) -> None:
    """Have the prompt kept up to the ends of the tools, of the system prompt and of the last user's turn."""
    last = next((turn["content"] for turn in reversed(body["messages"]) if turn["role"] == "user"), None)
    for blocks in (body.get("tools"), body.get("system"), last):
        if blocks:
            blocks[-1]["cache_control"] = _CACHED


def _path(path: str, endpoint: Endpoint) -> str:
    versioned = _VERSIONED.search((endpoint.base_url or "").rstrip("/"))
    return path if versioned else f"/v1{path}"


def _headers(endpoint: Endpoint) -> dict[str, str]:
    key = {} if endpoint.api_key is None else {"x-api-key": endpoint.api_key.reveal()}
    return {"anthropic-version": _VERSION, **key}
