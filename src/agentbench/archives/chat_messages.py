"""Conversations as messages of Chat Completions: what programs log, and the lines that models are fine-tuned with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from agentbench.archives import pieces
from agentbench.archives.values import Malformed, Said, Talk, derived
from agentbench.protocol.content import InputFile, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message
from agentbench.protocol.request import CreateResponse
from agentbench.providers.chat_messages import messages as wire_messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.archives.values import Side
    from agentbench.protocol.items import InputItem, Item
    from agentbench.protocol.request import FunctionTool
    from agentbench.storage.responses import StoredResponse

__all__ = ["is_talk", "line", "talk"]

_ROLES: dict[str, Side] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def is_talk(raw: dict[str, Any]) -> bool:
    """Tell whether an object is a conversation: it has messages, each of which has a role."""
    messages = raw.get("messages")
    return isinstance(messages, list) and all(isinstance(each, dict) and "role" in each for each in messages)


def talk(raw: dict[str, Any]) -> Talk:
    """Return a conversation; raises `Malformed` if it is broken."""
    notes: list[str] = []
    messages = pieces.objects(raw.get("messages"), "messages")
    said: list[Said] = []
    for place, each in enumerate(messages):
        found = _said(each, str(place), notes)
        said.append(replace(found, parent=said[-1].id if said else None))
    about = raw["metadata"] if isinstance(raw.get("metadata"), dict) else {}
    key = pieces.text(raw.get("id")) or pieces.text(raw.get("conversation_id"))
    return Talk(
        program="openai",
        key=key or derived("messages", msgspec.json.encode(messages, order="deterministic").decode()),
        title=pieces.text(raw.get("title")) or pieces.text(about.get("title")),
        model=pieces.text(raw.get("model")),
        begun=pieces.moment(raw.get("created_at") or raw.get("created") or raw.get("timestamp")),
        said=tuple(said),
        current=said[-1].id if said else None,
        tools=pieces.tools(raw.get("tools"), notes),
        notes=tuple(notes),
    )


def line(turns: Iterable[StoredResponse]) -> str:
    """Return a branch as a line of JSON to fine-tune a model with; empty if nothing was answered.

    What a model thought is left out, as the format has no place for it, and so are files and calls without results.
    """
    kept = [turn for turn in turns if turn.response.output and turn.response.status != "failed"]
    if not kept:
        return ""
    items = [item for turn in kept for item in _whole((*turn.input, *turn.response.output))]
    instructions = next((turn.response.instructions for turn in kept if turn.response.instructions), None)
    told: dict[str, Any] = {"messages": _wire(items, instructions)}
    tools = {tool.name: tool for turn in kept for tool in turn.response.tools}
    if tools:
        told["tools"] = [_tool(tool) for tool in tools.values()]
    return msgspec.json.encode(told).decode()


def _said(raw: dict[str, Any], key: str, notes: list[str]) -> Said:
    told = str(raw.get("role"))
    at, model = pieces.moment(raw.get("timestamp") or raw.get("created_at")), pieces.text(raw.get("model"))
    if told in ("tool", "function"):
        call_id = pieces.text(raw.get("tool_call_id")) or pieces.text(raw.get("name")) or key
        return Said(id=key, parent=None, role="tool", items=(pieces.result(call_id, raw.get("content")),), at=at)
    role = _ROLES.get(told)
    if role is None:
        raise Malformed(f"message {int(key) + 1} has the role {told[:40]!r}")
    parts = list(pieces.content(raw.get("content"), role, notes))
    if refusal := pieces.text(raw.get("refusal")):
        parts.append(Refusal(refusal=refusal))
    items: tuple[Item, ...] = pieces.message(parts, role)
    if role == "assistant":
        thought = raw.get("reasoning_content") or raw.get("reasoning") or raw.get("thinking")
        items = (*pieces.reasoning(thought), *items, *_calls(raw, key))
    return Said(id=key, parent=None, role=role, items=items, at=at, model=model, usage=pieces.usage(raw.get("usage")))


def _calls(raw: dict[str, Any], key: str) -> list[FunctionCall]:
    listed = raw["tool_calls"] if isinstance(raw.get("tool_calls"), list) else []
    if isinstance(raw.get("function_call"), dict):
        listed = [*listed, {"id": raw["function_call"].get("name"), "function": raw["function_call"]}]
    found = []
    for place, each in enumerate(listed):
        function = each.get("function") if isinstance(each, dict) else None
        if not isinstance(function, dict):
            raise Malformed(f"message {int(key) + 1} has a call that names no function")
        call_id = pieces.text(each.get("id")) or f"call_{key}_{place}"
        found.append(pieces.call(call_id, function.get("name"), function.get("arguments")))
    return found


def _whole(items: Sequence[InputItem]) -> list[InputItem]:
    """Return messages and calls that have results, with the results."""
    results = {item.call_id for item in items if isinstance(item, FunctionCallOutput)}
    kept: list[InputItem] = []
    for item in items:
        if isinstance(item, Message):
            parts = tuple(part for part in item.content if not isinstance(part, InputFile) or part.file_data)
            kept.append(replace(item, content=parts))
        elif isinstance(item, FunctionCallOutput) or (isinstance(item, FunctionCall) and item.call_id in results):
            kept.append(item)
    return kept


def _wire(items: Sequence[InputItem], instructions: str | None) -> list[dict[str, Any]]:
    """Return items as messages; a refusal stands under its own name."""
    refusals = [item.refusal for item in items if isinstance(item, Message) and item.role == "assistant"]
    messages = wire_messages(CreateResponse(input=tuple(items), instructions=instructions))
    said = [each for each in messages if each["role"] == "assistant" and each["content"] is not None]
    for each, refusal in zip(said, refusals, strict=False):
        if refusal and isinstance(each["content"], str):
            each["content"] = each["content"].removesuffix(refusal) or None
            each["refusal"] = refusal
    return messages


def _tool(tool: FunctionTool) -> dict[str, Any]:
    about = {"name": tool.name, "description": tool.description, "parameters": tool.parameters, "strict": tool.strict}
    return {"type": "function", "function": {name: value for name, value in about.items() if value is not None}}
