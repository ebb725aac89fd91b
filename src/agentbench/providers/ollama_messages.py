"""From items to the `messages` of Ollama's own API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputVideo, Refusal
from agentbench.protocol.items import Compaction, FunctionCall, FunctionCallOutput, ItemReference, Message, Reasoning
from agentbench.providers.call_order import in_call_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.protocol import CreateResponse, InputItem
    from agentbench.protocol.content import ContentPart

__all__ = ["messages"]

_Message = dict[str, Any]


def messages(request: CreateResponse) -> list[_Message]:
    """Return the instructions and the input as Ollama's messages, in order.

    What the model thought, said and called in one go is one message. Of its thoughts only those of the current turn
    are sent: it goes on from them once a tool has answered.
    """
    out: list[_Message] = []
    if request.instructions:
        out.append({"role": "system", "content": request.instructions})
    items = in_call_order(request.input)
    asked = max((n for n, item in enumerate(items) if isinstance(item, Message) and item.role == "user"), default=-1)
    names: dict[str, str] = {}
    for number, item in enumerate(items):
        if not isinstance(item, Reasoning):
            _add(out, item, names)
        elif number > asked:
            _add_thought(out, item)
    return out


def _add(out: list[_Message], item: InputItem, names: dict[str, str]) -> None:
    if isinstance(item, Message):
        role = "system" if item.role == "developer" else item.role
        message = _latest(out) if role == "assistant" else None
        if message is None or message["content"] or "tool_calls" in message:
            message = _begin(out, role)
        message |= _content(item.content)
    elif isinstance(item, FunctionCall):
        names[item.call_id] = item.name
        call = {"function": {"name": item.name, "arguments": _arguments(item.arguments)}}
        (_latest(out) or _begin(out, "assistant")).setdefault("tool_calls", []).append(call)
    elif isinstance(item, FunctionCallOutput):
        said = {"content": item.output} if isinstance(item.output, str) else _content(item.output)
        name = names.get(item.call_id)
        out.append({"role": "tool", **said} | ({"tool_name": name} if name else {}))
    elif isinstance(item, Compaction | ItemReference):
        raise InvalidRequest(f"This endpoint can't read items of type {type(item).__name__.lower()!r}.", param="input")


def _add_thought(out: list[_Message], item: Reasoning) -> None:
    thought = "".join(getattr(part, "text", "") for part in item.content or ())
    if thought:
        _begin(out, "assistant")["thinking"] = thought


def _begin(out: list[_Message], role: str) -> _Message:
    out.append({"role": role, "content": ""})
    return out[-1]


def _latest(out: list[_Message]) -> _Message | None:
    """Return the assistant's message, if it is the latest."""
    return out[-1] if out and out[-1]["role"] == "assistant" else None


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments as the object that Ollama wants; what a model garbled long ago must not end the talk."""
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        return {"arguments": text}


def _content(parts: Iterable[ContentPart]) -> _Message:
    words: list[str] = []
    images: list[str] = []
    for part in parts:
        if isinstance(part, InputImage):
            images.append(_base64(part.image_url or ""))
        elif isinstance(part, InputFile | InputVideo):
            raise InvalidRequest("Ollama reads text and images only. Send the file's text.", param="input")
        else:
            words.append(part.refusal if isinstance(part, Refusal) else part.text)
    return {"content": "".join(words)} | ({"images": images} if images else {})


def _base64(url: str) -> str:
    head, _, data = url.partition(",")
    if head.startswith("data:") and head.endswith(";base64"):
        return data
    raise InvalidRequest("Ollama doesn't fetch images. Send the image itself, as a base64 data: URL.", param="input")
