"""From items to the `system` and the `messages` of Anthropic's Messages.

What Anthropic seals of its reasoning travels in `encrypted_content` under a mark, which tells a thinking block's
signature from a redacted block's data, and both from what other providers seal.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputVideo, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, InputItem, Message, Reasoning

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse
    from agentbench.protocol.content import ContentPart

__all__ = ["REDACTED", "SIGNED", "messages"]

SIGNED = "anthropic.thinking:"
"""The mark before a thinking block's signature."""
REDACTED = "anthropic.redacted:"
"""The mark before a redacted thinking block's data."""

_Block = dict[str, Any]
_Turn = dict[str, Any]

_NO_ID = re.compile(r"[^a-zA-Z0-9_-]")
_NO_TYPES = ("", "application/octet-stream")
_PDF = "application/pdf"
_ENDINGS = {
    "pdf": _PDF,
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
"""The types of files by their names' ends; others are read as text."""
_SYSTEM = ("system", "developer")


def messages(request: CreateResponse) -> tuple[str, list[_Turn]]:
    """Return the system prompt, and the turns of user and assistant by turns.

    The instructions and the system messages before all others are the prompt. A later one stands where it was said,
    within the user's turn. Calls and reasoning join the assistant's turn; results come first in the user's.
    """
    leading = tuple(takewhile(_is_system, request.input))
    rest = request.input[len(leading) :]
    if not rest:  # nothing can be answered without a turn
        leading, rest = (), leading
    said = [request.instructions or "", *(_text(item.content) for item in leading if isinstance(item, Message))]
    return "\n\n".join(text for text in said if text.strip()), _turns(rest)


def _is_system(item: InputItem) -> bool:
    return isinstance(item, Message) and item.role in _SYSTEM


def _turns(items: tuple[InputItem, ...]) -> list[_Turn]:
    turns: list[_Turn] = []
    thoughts: list[_Block] = []  # they go with what follows them: a turn may not end with one
    for item in items:
        if isinstance(item, Reasoning):
            thoughts += _thought(item)
            continue
        role, blocks = _side(item)
        if not blocks:
            continue
        if role == "assistant":
            blocks = thoughts + blocks
        thoughts = []
        if not turns or turns[-1]["role"] != role:
            turns.append({"role": role, "content": []})
        turns[-1]["content"] += blocks
    for turn in turns:
        turn["content"].sort(key=lambda block: turn["role"] == "user" and block["type"] != "tool_result")
    _trim_end(turns)
    return turns


def _trim_end(turns: list[_Turn]) -> None:
    """Take the white space off the end of a beginning that the assistant is to go on with: it would be refused."""
    if turns and turns[-1]["role"] == "assistant" and turns[-1]["content"][-1]["type"] == "text":
        last = turns[-1]["content"][-1]
        last["text"] = last["text"].rstrip()


def _side(item: InputItem) -> tuple[str, list[_Block]]:
    """Return which side an item belongs to, and its blocks."""
    if isinstance(item, Message):
        if item.role in _SYSTEM:
            return "user", _words(f"<system>\n{_text(item.content)}\n</system>")
        return item.role, _blocks(item.content)
    if isinstance(item, FunctionCall):
        return "assistant", [_tool_use(item)]
    if isinstance(item, FunctionCallOutput):
        return "user", [_tool_result(item)]
    raise InvalidRequest(f"This endpoint can't read items of type {type(item).__name__.lower()!r}.", param="input")


def _thought(item: Reasoning) -> list[_Block]:
    """Return a thought as the block that it came from; nothing if it isn't Anthropic's, who must have sealed it."""
    seal = item.encrypted_content or ""
    if seal.startswith(SIGNED):
        return [{"type": "thinking", "thinking": item.text, "signature": seal.removeprefix(SIGNED)}]
    if seal.startswith(REDACTED):
        return [{"type": "redacted_thinking", "data": seal.removeprefix(REDACTED)}]
    return []


def _tool_use(call: FunctionCall) -> _Block:
    """Return a call. Arguments that aren't an object go under the key that Anthropic recommends for them."""
    try:
        arguments = msgspec.json.decode(call.arguments or "{}", type=dict[str, Any])
    except msgspec.DecodeError:
        arguments = {"INVALID_JSON": call.arguments}
    return {"type": "tool_use", "id": _id(call.call_id), "name": call.name, "input": arguments}


def _tool_result(item: FunctionCallOutput) -> _Block:
    content = item.output if isinstance(item.output, str) else _blocks(item.output)
    return {"type": "tool_result", "tool_use_id": _id(item.call_id), "content": content}


def _id(call_id: str) -> str:
    """Return a call's id with the characters that Anthropic takes: other providers use more."""
    return _NO_ID.sub("_", call_id)


# -- content parts --------------------------------------------------------------------------------------------------


def _blocks(parts: tuple[ContentPart, ...]) -> list[_Block]:
    return [block for part in parts for block in _block(part)]


def _block(part: ContentPart) -> list[_Block]:
    if isinstance(part, InputImage):
        return [_image(part)]
    if isinstance(part, InputFile):
        return [_file(part)]
    if isinstance(part, InputVideo):
        raise InvalidRequest("This endpoint can't see videos. Send images instead.", param="input")
    return _words(_text((part,)))


def _words(text: str) -> list[_Block]:
    """Return a block of text; none for white space, which would be refused."""
    return [{"type": "text", "text": text}] if text.strip() else []


def _text(parts: tuple[ContentPart, ...]) -> str:
    return "".join(part.refusal if isinstance(part, Refusal) else getattr(part, "text", "") for part in parts)


def _image(image: InputImage) -> _Block:
    url = image.image_url
    if not url:
        raise InvalidRequest("An image needs an image_url: https or data.", param="input")
    if url.startswith("data:"):
        return _inline("image", *_data_url(url))
    return {"type": "image", "source": {"type": "url", "url": url}}


def _file(file: InputFile) -> _Block:
    name = file.filename or ""
    if file.file_url:
        return _titled({"type": "document", "source": {"type": "url", "url": file.file_url}}, name)
    if not file.file_data:
        raise InvalidRequest("A file needs file_data or file_url.", param="input")
    kind, data = _data_url(file.file_data) if file.file_data.startswith("data:") else ("", file.file_data)
    if kind in _NO_TYPES:
        kind = _ENDINGS.get(name.rpartition(".")[2].lower(), "text/plain") if name else _PDF
    if kind.startswith("image/"):
        return _inline("image", kind, data)
    if kind == _PDF:
        return _titled(_inline("document", kind, data), name)
    source = {"type": "text", "media_type": "text/plain", "data": _plain_text(data, name)}
    return _titled({"type": "document", "source": source}, name)


def _inline(kind: str, media_type: str, data: str) -> _Block:
    media_type = "image/jpeg" if media_type == "image/jpg" else media_type
    return {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}}


def _titled(document: _Block, name: str) -> _Block:
    return document | {"title": name} if name else document


def _data_url(url: str) -> tuple[str, str]:
    """Return the media type and the base64 of a data URL."""
    head, _, data = url.removeprefix("data:").partition(",")
    if not head.endswith(";base64"):
        raise InvalidRequest("A data URL must hold base64: data:MEDIA_TYPE;base64,…", param="input")
    return head.partition(";")[0].lower(), data


def _plain_text(data: str, name: str) -> str:
    try:
        return b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidRequest(
            f"This endpoint reads PDF, text and images only. Convert {name or 'the file'} first.", param="input"
        ) from None
