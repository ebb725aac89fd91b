"""From a request to the parameters of Amazon Bedrock's ConverseStream, under the names of its service model.

Of what a caller may ask for, Converse has no place for penalties, seeds, log probabilities and a user's name. It can't
say "call no tools" either: where the history holds calls, it wants their tools, and the wish stands in a sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.request import AllowedTools, FunctionToolChoice, JsonObjectFormat, JsonSchemaFormat
from agentbench.providers.bedrock_messages import Conversation
from agentbench.providers.bedrock_models import Thinking, cached_parts, thinking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.protocol import CreateResponse
    from agentbench.protocol.request import FunctionTool, TextFormat, ToolChoice
    from agentbench.providers.bedrock_messages import Block

__all__ = ["encode_converse"]

_CACHE_POINT: Block = {"cachePoint": {"type": "default"}}
_ANY_OBJECT = {"type": "object", "properties": {}}
_NO_TOOLS: Block = {"text": "Answer without calling a tool."}
_JSON_ONLY: Block = {"text": "Answer with one JSON object and nothing else."}
_TIERS = {"default", "flex", "priority"}


def encode_converse(request: CreateResponse) -> dict[str, Any]:
    """Return the parameters of ConverseStream, `modelId` among them; what wasn't asked for is left out."""
    model, conversation = request.model or "", Conversation(request)
    body: dict[str, Any] = {"modelId": model, "messages": conversation.messages}
    tools, choice = _offered(request)
    if tools:
        body["toolConfig"] = _tool_config(tools, choice)
    elif conversation.called:
        body["toolConfig"] = {"tools": _remembered(request, conversation.called)}
        conversation.system.append(_NO_TOOLS)
    thought = _thinking(request, forced="toolChoice" in body.get("toolConfig", {}))
    if thought.fields:
        body["additionalModelRequestFields"] = thought.fields
    if config := {key: value for key, value in _inference(request).items() if key not in thought.excludes}:
        body["inferenceConfig"] = config
    body |= _text_format(request.text.format, conversation.system)
    if conversation.system:
        body["system"] = conversation.system
    if request.service_tier in _TIERS:
        body["serviceTier"] = {"type": request.service_tier}
    return _with_cache_points(body)


def _inference(request: CreateResponse) -> dict[str, Any]:
    given = {
        "maxTokens": request.max_output_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
    }
    return {key: value for key, value in given.items() if value is not None}


def _thinking(request: CreateResponse, *, forced: bool) -> Thinking:
    """Return how to ask for thoughts. Claude can't think before a call that is forced on it, so it isn't asked to."""
    effort = None if request.reasoning is None else request.reasoning.effort
    model = request.model or ""
    if effort is None or (forced and "claude" in model):
        return Thinking()
    return thinking(model, effort, request.max_output_tokens)


def _offered(request: CreateResponse) -> tuple[list[FunctionTool], ToolChoice]:
    choice: ToolChoice = request.tool_choice
    tools = list(request.tools)
    if isinstance(choice, AllowedTools):
        allowed, choice = {tool.name for tool in choice.tools}, choice.mode
        tools = [tool for tool in tools if tool.name in allowed]
    return ([] if choice == "none" else tools), choice


def _tool_config(tools: list[FunctionTool], choice: ToolChoice) -> dict[str, Any]:
    config: dict[str, Any] = {"tools": [_tool(tool) for tool in tools]}
    if isinstance(choice, FunctionToolChoice):
        config["toolChoice"] = {"tool": {"name": choice.name}}
    elif choice == "required":
        config["toolChoice"] = {"any": {}}
    return config


def _tool(tool: FunctionTool) -> Block:
    spec: Block = {"name": tool.name, "inputSchema": {"json": tool.parameters or _ANY_OBJECT}}
    if tool.description and tool.description.strip():
        spec["description"] = tool.description
    return {"toolSpec": spec}


def _remembered(request: CreateResponse, called: Iterable[str]) -> list[Block]:
    """Return the tools of earlier calls: as the request describes them, else by name only."""
    described = {tool.name: tool for tool in request.tools}
    return [
        _tool(described[name])
        if name in described
        else {"toolSpec": {"name": name, "inputSchema": {"json": _ANY_OBJECT}}}
        for name in called
    ]


def _text_format(form: TextFormat, system: list[Block]) -> dict[str, Any]:
    """Return a schema for the answer; JSON without a schema is asked for in a sentence, which goes to `system`."""
    if isinstance(form, JsonSchemaFormat) and form.schema:
        described = {"name": form.name, "description": form.description}
        schema = {key: value for key, value in described.items() if value}
        schema["schema"] = msgspec.json.encode(form.schema).decode()
        return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}}
    if isinstance(form, JsonObjectFormat | JsonSchemaFormat):
        system.append(_JSON_ONLY)
    return {}


def _with_cache_points(body: dict[str, Any]) -> dict[str, Any]:
    """Mark the end of what stays the same from turn to turn, for models that can take it from a cache."""
    places = {"system": body.get("system"), "tools": body.get("toolConfig", {}).get("tools")}
    for part in cached_parts(body["modelId"]):
        if blocks := places[part]:
            blocks.append(_CACHE_POINT)
    return body
