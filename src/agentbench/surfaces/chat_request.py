"""From a Chat Completions body to a request of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import decode_request
from agentbench.surfaces.fields import list_at, object_at

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
    messages = list_at(body, "messages")
    if not messages:
        raise InvalidRequest("`messages` must be a list with at least one message.", param="messages")
    if body.get("n") not in (None, 1):
        raise InvalidRequest("Only one choice at a time is made: leave `n` out or set it to 1.", param="n")
    raw: dict[str, Any] = {name: body[name] for name in _SAME if body.get(name) is not None}
    raw["store"] = False
    raw["input"] = [item for n, message in enumerate(messages) for item in _items(message, f"messages[{n}]")]
    limits = (body.get("max_completion_tokens"), body.get("max_tokens"))
    raw["max_output_tokens"] = next((limit for limit in limits if limit is not None), None)
    if (effort := body.get("reasoning_effort")) is not None:
        raw["reasoning"] = {"effort": effort}
    if body.get("logprobs"):
        raw["top_logprobs"] = body.get("top_logprobs") or 1
    raw["tools"] = [_tool(tool, f"tools[{n}]") for n, tool in enumerate(list_at(body, "tools"))]
    raw["tool_choice"] = _tool_choice(body.get("tool_choice"))
    raw["text"] = {"verbosity": body.get("verbosity")}
    if body.get("response_format") is not None:
        form = object_at(body, "response_format")
        raw["text"]["format"] = {**object_at(form, "json_schema", "response_format"), "type": form.get("type")}
    return decode_request(raw)


def _items(message: Any, at: str) -> list[dict[str, Any]]:
    if not isinstance(message, dict):
        raise InvalidRequest(f"{at}: expected an object.", param=at)
    role, content = message.get("role"), message.get("content") or ""
    if role == "tool":
        output = content if isinstance(content, str) else _parts(message, at)
        return [{"type": "function_call_output", "call_id": message.get("tool_call_id"), "output": output}]
    parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else _parts(message, at)
    if message.get("refusal"):
        parts.append({"type": "refusal", "refusal": message["refusal"]})
    if role == "assistant":
        parts = [{**part, "type": "output_text"} if part["type"] == "input_text" else part for part in parts]
    calls = [_call(call, f"{at}.tool_calls[{n}]") for n, call in enumerate(list_at(message, "tool_calls", at))]
    said = [part for part in parts if part.get("text") != ""]
    return [{"type": "message", "role": role, "content": said}, *calls] if said else calls


def _parts(message: dict[str, Any], at: str) -> list[dict[str, Any]]:
    return [_part(part, f"{at}.content[{n}]") for n, part in enumerate(list_at(message, "content", at))]


def _part(part: Any, at: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind == "text":
        return {"type": "input_text", "text": part.get("text")}
    if kind == "image_url":
        image = object_at(part, "image_url", at)
        return {"type": "input_image", "image_url": image.get("url"), "detail": image.get("detail")}
    if kind == "file":
        file = object_at(part, "file", at)
        return {"type": "input_file", "filename": file.get("filename"), "file_data": file.get("file_data")}
    if kind == "refusal":
        return {"type": "refusal", "refusal": part.get("refusal")}
    raise InvalidRequest(f"{at}: parts of type {kind!r} are not read here.", param=at)


def _call(call: Any, at: str) -> dict[str, Any]:
    if not isinstance(call, dict):
        raise InvalidRequest(f"{at}: expected an object.", param=at)
    return {**object_at(call, "function", at), "type": "function_call", "call_id": call.get("id")}


def _tool(tool: Any, at: str) -> dict[str, Any]:
    if not isinstance(tool, dict) or not isinstance(tool.get("function"), dict):
        raise InvalidRequest(f"{at}: expected a tool of type 'function'.", param=at)
    return {**tool["function"], "type": tool.get("type")}


def _tool_choice(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return choice
    if choice.get("type") == "allowed_tools":
        allowed = object_at(choice, "allowed_tools", "tool_choice")
        tools = [_named(tool) for tool in list_at(allowed, "tools", "tool_choice.allowed_tools")]
        return {"type": "allowed_tools", "mode": allowed.get("mode", "auto"), "tools": tools}
    return _named(choice)


def _named(choice: Any) -> dict[str, Any]:
    if not isinstance(choice, dict):
        raise InvalidRequest("tool_choice: expected an object.", param="tool_choice")
    return {"type": "function", "name": object_at(choice, "function", "tool_choice").get("name")}
