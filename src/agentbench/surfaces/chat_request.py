"""From a Chat Completions body to a request of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import decode_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.protocol import CreateResponse

__all__ = ["decode_chat"]

_SAME = (
    "model",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "seed",
    "stream",
    "stream_options",
    "parallel_tool_calls",
    "user",
    "metadata",
    "service_tier",
    "prompt_cache_key",
    "safety_identifier",
)


def decode_chat(body: Mapping[str, Any]) -> CreateResponse:
    """Return the request that a chat client means; nothing of it is stored."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise InvalidRequest("`messages` must be a list with at least one message.", param="messages")
    if body.get("n") not in (None, 1):
        raise InvalidRequest("Only one choice at a time is made: leave `n` out or set it to 1.", param="n")
    raw: dict[str, Any] = {name: body[name] for name in _SAME if body.get(name) is not None}
    raw["store"] = False
    raw["input"] = [item for n, message in enumerate(messages) for item in _items(message, f"messages[{n}]")]
    raw["max_output_tokens"] = body.get("max_completion_tokens") or body.get("max_tokens")
    if (effort := body.get("reasoning_effort")) is not None:
        raw["reasoning"] = {"effort": effort}
    if body.get("logprobs"):
        raw["top_logprobs"] = body.get("top_logprobs") or 1
    raw["tools"] = [_tool(tool, f"tools[{n}]") for n, tool in enumerate(body.get("tools") or ())]
    raw["tool_choice"] = _tool_choice(body.get("tool_choice"))
    if (form := body.get("response_format")) is not None:
        raw["text"] = {"format": {"type": form.get("type"), **(form.get("json_schema") or {})}}
    return decode_request(raw)


def _items(message: Any, at: str) -> list[dict[str, Any]]:
    if not isinstance(message, dict):
        raise InvalidRequest(f"{at}: expected an object.", param=at)
    role = message.get("role")
    if role == "tool":
        content = message.get("content") or ""
        output = content if isinstance(content, str) else [_part(part, at) for part in content]
        return [{"type": "function_call_output", "call_id": message.get("tool_call_id"), "output": output}]
    items: list[dict[str, Any]] = []
    if message.get("content"):
        items.append({"type": "message", "role": role, "content": _content(message["content"], role, at)})
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        items.append({"type": "function_call", "call_id": call.get("id"), **function})
    return items


def _content(content: Any, role: Any, at: str) -> Any:
    if isinstance(content, str):
        return content
    parts = [_part(part, at) for part in content]
    if role == "assistant":
        parts = [{**part, "type": "output_text"} if part["type"] == "input_text" else part for part in parts]
    return parts


def _part(part: Any, at: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        return {"type": "input_text", "text": part.get("text")}
    if kind == "image_url":
        image = part.get("image_url") or {}
        return {"type": "input_image", "image_url": image.get("url"), "detail": image.get("detail")}
    if kind == "file":
        file = part.get("file") or {}
        return {"type": "input_file", "filename": file.get("filename"), "file_data": file.get("file_data")}
    if kind == "refusal":
        return {"type": "refusal", "refusal": part.get("refusal")}
    raise InvalidRequest(f"{at}: parts of type {kind!r} are not read here.", param=at)


def _tool(tool: Any, at: str) -> dict[str, Any]:
    if not isinstance(tool, dict) or not isinstance(tool.get("function"), dict):
        raise InvalidRequest(f"{at}: expected a tool of type 'function'.", param=at)
    return {"type": tool.get("type"), **tool["function"]}


def _tool_choice(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return choice
    if choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools") or {}
        tools = [{"type": "function", "name": (tool.get("function") or {}).get("name")} for tool in allowed["tools"]]
        return {"type": "allowed_tools", "mode": allowed.get("mode", "auto"), "tools": tools}
    return {"type": "function", "name": (choice.get("function") or {}).get("name")}
