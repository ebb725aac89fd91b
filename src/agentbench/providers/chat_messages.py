"""From items to the `messages` of Chat Completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputText, InputVideo, Refusal
from agentbench.protocol.items import (
    Compaction,
    FunctionCall,
    FunctionCallOutput,
    InputItem,
    ItemReference,
    Message,
    Reasoning,
)

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse
    from agentbench.protocol.content import ContentPart

__all__ = ["messages"]

_Message = dict[str, Any]
_MEDIA = (InputImage, InputFile, InputVideo)


def messages(request: CreateResponse) -> list[_Message]:
    """Return the instructions and the input as chat messages, in order.

    Calls of one turn join its assistant message, as the wire format wants them. Reasoning is left out: Chat
    Completions has no place for it. What tools show follows their results as a message of the user's: a tool's own
    message holds text only.
    """
    out: list[_Message] = []
    shown: list[_Message] = []
    if request.instructions:
        out.append({"role": "system", "content": request.instructions})
    for item in request.input:
        if shown and not isinstance(item, FunctionCallOutput | Reasoning):
            out.append({"role": "user", "content": shown})
            shown = []
        shown += _add(out, item)
    return out + ([{"role": "user", "content": shown}] if shown else [])


def _add(out: list[_Message], item: InputItem) -> list[_Message]:
    """Add an item's message, and return the parts that it has no place for."""
    if isinstance(item, Message):
        role = "system" if item.role == "developer" else item.role
        out.append({"role": role, "content": _content(item.content)})
    elif isinstance(item, FunctionCall):
        _add_call(out, item)
    elif isinstance(item, FunctionCallOutput):
        return _add_result(out, item)
    elif isinstance(item, Compaction | ItemReference):
        raise InvalidRequest(f"This endpoint can't read items of type {type(item).__name__.lower()!r}.", param="input")
    return []


def _add_result(out: list[_Message], item: FunctionCallOutput) -> list[_Message]:
    parts = (InputText(text=item.output),) if isinstance(item.output, str) else item.output
    media = [_part(part) for part in parts if isinstance(part, _MEDIA)]
    text = "".join(_words(part) for part in parts)
    out.append({"role": "tool", "tool_call_id": item.call_id, "content": text or ("See below." if media else "")})
    return [{"type": "text", "text": f"The result of {item.call_id}:"}, *media] if media else []


def _add_call(out: list[_Message], call: FunctionCall) -> None:
    if not out or out[-1]["role"] != "assistant":
        out.append({"role": "assistant", "content": None})
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    out[-1].setdefault("tool_calls", []).append({"id": call.call_id, "type": "function", "function": function})


def _content(parts: tuple[ContentPart, ...]) -> str | list[_Message]:
    """Return plain text where there is only text: many servers know nothing else."""
    if any(isinstance(part, _MEDIA) for part in parts):
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
