"""What was asked and answered, as JSON in the form that the GenAI conventions give to messages.

Only for those who asked for it. Pictures and files are named, not copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.content import InputFile, InputImage, InputVideo, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message, Reasoning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentbench.protocol import InputItem
    from agentbench.protocol.content import ContentPart

__all__ = ["arguments_json", "input_json", "instructions_json", "output_json"]


def instructions_json(text: str, mask: Callable[[str], str]) -> str:
    """Return `gen_ai.system_instructions`."""
    return _json([_text(text, mask)])


def input_json(items: Iterable[InputItem], mask: Callable[[str], str]) -> str:
    """Return `gen_ai.input.messages`, a message an item."""
    told = ((_role(item), _parts(item, mask)) for item in items)
    return _json([{"role": role, "parts": parts} for role, parts in told if parts])


def output_json(items: Iterable[InputItem], finish_reason: str | None, mask: Callable[[str], str]) -> str:
    """Return `gen_ai.output.messages`: one message, as there is one choice."""
    parts = [part for item in items for part in _parts(item, mask)]
    return _json([{"role": "assistant", "parts": parts, "finish_reason": finish_reason or "error"}])


def arguments_json(arguments: str, mask: Callable[[str], str]) -> Any:
    """Return the arguments of a call as they are meant; as text if they aren't JSON."""
    masked = mask(arguments)
    try:
        return msgspec.json.decode(masked)
    except msgspec.DecodeError:
        return masked


def _role(item: InputItem) -> str:
    if isinstance(item, Message):
        return item.role
    return "tool" if isinstance(item, FunctionCallOutput) else "assistant"


def _parts(item: InputItem, mask: Callable[[str], str]) -> list[dict[str, Any]]:
    if isinstance(item, Message):
        return [_content(part, mask) for part in item.content]
    if isinstance(item, FunctionCall):
        arguments = arguments_json(item.arguments, mask)
        return [{"type": "tool_call", "id": item.call_id, "name": item.name, "arguments": arguments}]
    if isinstance(item, FunctionCallOutput):
        text = item.output if isinstance(item.output, str) else None
        response = [_content(part, mask) for part in item.output] if text is None else mask(text)  # type: ignore[arg-type]
        return [{"type": "tool_call_response", "id": item.call_id, "response": response}]
    if isinstance(item, Reasoning) and item.text:
        return [{"type": "reasoning", "content": mask(item.text)}]
    return []


def _content(part: ContentPart, mask: Callable[[str], str]) -> dict[str, Any]:
    if isinstance(part, InputImage):
        return _linked("image", part.image_url, mask)
    if isinstance(part, InputVideo):
        return _linked("video", part.video_url, mask)
    if isinstance(part, InputFile):
        return {"type": "document", "name": mask(part.filename or "")}
    return _text(part.refusal if isinstance(part, Refusal) else part.text, mask)


def _linked(modality: str, address: str | None, mask: Callable[[str], str]) -> dict[str, Any]:
    """Return a picture by its address; of one that is its own address, only what it is."""
    if address is None or address.startswith("data:"):
        return {"type": modality, "mime_type": (address or "data:;")[5:].partition(";")[0]}
    return {"type": "uri", "modality": modality, "uri": mask(address)}


def _text(text: str, mask: Callable[[str], str]) -> dict[str, Any]:
    return {"type": "text", "content": mask(text)}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
