"""From items to the `messages` of Chat Completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputVideo, Refusal
from agentbench.protocol.items import (
    Compaction,
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    ItemReference,
    Message,
)

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse
    from agentbench.protocol.content import ContentPart

__all__ = ["messages"]

_Message = dict[str, Any]


def messages(request: CreateResponse) -> list[_Message]:
    """Return the instructions and the input as chat messages, in order.

    Calls of one turn join its assistant message, as the wire format wants them. Reasoning is left out: Chat
    Completions has no place for it.
    """
    out: list[_Message] = []
    if request.instructions:
        out.append({"role": "system", "content": request.instructions})
    for item in request.input:
        _add(out, item)
    return out


def _add(out: list[_Message], item: InputItem) -> None:
    if isinstance(item, Message):
        role = "system" if item.role == "developer" else item.role
        out.append({"role": role, "content": _content(item.content)})
    elif isinstance(item, FunctionCall):
        _add_call(out, item)
    elif isinstance(item, FunctionCallOutput):
        content = item.output if isinstance(item.output, str) else _content(item.output)
        out.append({"role": "tool", "tool_call_id": item.call_id, "content": content})
    elif isinstance(item, Compaction | ItemReference):
        raise InvalidRequest(f"This endpoint can't read items of type {type(item).__name__.lower()!r}.", param="input")


def _add_call(out: list[_Message], call: FunctionCall) -> None:
    if not out or out[-1]["role"] != "assistant":
        out.append({"role": "assistant", "content": None})
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    out[-1].setdefault("tool_calls", []).append({"id": call.call_id, "type": "function", "function": function})


def _content(parts: tuple[ContentPart, ...]) -> str | list[_Message]:
    """Return plain text where there is only text: many servers know nothing else."""
    if any(isinstance(part, InputImage | InputFile | InputVideo) for part in parts):
        return [_part(part) for part in parts]
    return "".join(_words(part) for part in parts)


def _part(part: ContentPart) -> _Message:
    if isinstance(part, InputImage):
        return {"type": "image_url", "image_url": {"url": part.image_url, "detail": part.detail}}
    if isinstance(part, InputFile):
        if not part.file_data:
            raise InvalidRequest("This endpoint reads files only by content. Send file_data.", param="input")
        named = {"filename": part.filename, "file_data": part.file_data}
        return {"type": "file", "file": {key: value for key, value in named.items() if isinstance(value, str)}}
    if isinstance(part, InputVideo):
        return {"type": "video_url", "video_url": {"url": part.video_url}}
    return {"type": "text", "text": _words(part)}


def _words(part: ContentPart) -> str:
    return part.refusal if isinstance(part, Refusal) else getattr(part, "text", "")
