"""From items to the messages of Amazon Bedrock's Converse: who speaks in turn, and what blocks are made of.

Converse takes no blank texts, wants the sides to alternate, and a document to have a name of its own and a text beside
it. `agentbench.providers.bedrock_request` makes the rest of the request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputVideo, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, InputItem, Message, Reasoning
from agentbench.providers.bedrock_models import maker, unsealed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.protocol import CreateResponse
    from agentbench.protocol.content import ContentPart

__all__ = ["Block", "Conversation"]

Block = dict[str, Any]

_DATA_URL = re.compile(r"data:(?P<kind>[\w.+/-]*)(?:;[^;,]*)*?;base64,(?P<data>.*)", re.DOTALL)
_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_EXTENSIONS = {**{each: each for each in _DOCUMENTS.values()}, "htm": "html", "markdown": "md", "text": "txt"}
_PDF = "JVBERi"  # how base64 of "%PDF" begins
_NOT_IN_AN_ID = re.compile(r"[^\w.:-]", re.ASCII)
_NOT_IN_A_NAME = re.compile(r"[^\w()\[\]-]+|_+")
_LONGEST_ID, _LONGEST_NAME = 64, 190
_KNOWS_STATUS = {"", "amazon", "anthropic"}
"""Makers whose models are told that a tool failed; others read it in the text."""


class Conversation:
    """The messages that a request's items make, and what of them stands elsewhere in the request."""

    def __init__(self, request: CreateResponse) -> None:
        self.system: list[Block] = []
        self.messages: list[dict[str, Any]] = []
        self.called: dict[str, None] = {}
        """Names of the functions that were called, in order."""
        self._model = request.model or ""
        self._names: set[str] = set()
        self.system += _text(request.instructions or "")
        for item in request.input:
            self._add(item)
        for message in self.messages:
            _say_something_of_documents(message["content"])

    def _add(self, item: InputItem) -> None:
        match item:
            case Message(role="system" | "developer"):
                self.system += self._blocks(item.content)
            case Message():
                self._say("assistant" if item.role == "assistant" else "user", self._blocks(item.content))
            case FunctionCall():
                self.called[item.name] = None
                self._say("assistant", [{"toolUse": _call(item)}])
            case FunctionCallOutput():
                self._say("user", [{"toolResult": self._result(item)}])
            case Reasoning():
                self._say("assistant", self._thought(item))
            case _:
                kind = type(item).__name__.lower()
                raise InvalidRequest(f"This endpoint can't read items of type {kind!r}.", param="input")

    def _say(self, role: str, blocks: list[Block]) -> None:
        if not blocks:
            return
        if not self.messages or self.messages[-1]["role"] != role:
            self.messages.append({"role": role, "content": []})
        self.messages[-1]["content"] += blocks

    def _thought(self, item: Reasoning) -> list[Block]:
        """Return a thought as its maker wants to see it again; nothing of a thought that another sealed, or nobody."""
        found = unsealed(self._model, item.encrypted_content or "")
        if found is None:
            return []
        kind, sealed = found
        if kind == "redacted":
            return [{"reasoningContent": {"redactedContent": sealed}}]
        return [{"reasoningContent": {"reasoningText": {"text": item.text, "signature": sealed}}}]

    def _result(self, item: FunctionCallOutput) -> Block:
        blocks = _text(item.output) if isinstance(item.output, str) else self._blocks(item.output)
        result: Block = {"toolUseId": _id(item.call_id), "content": blocks or [{"text": "(nothing)"}]}
        if maker(self._model) in _KNOWS_STATUS and blocks and blocks[0].get("text", "").startswith("Error:"):
            result["status"] = "error"
        return result

    def _blocks(self, parts: Iterable[ContentPart]) -> list[Block]:
        return [block for part in parts for block in self._block(part)]

    def _block(self, part: ContentPart) -> list[Block]:
        if isinstance(part, InputImage):
            return [{"image": _image(part)}]
        if isinstance(part, InputFile):
            return [{"document": self._document(part)}]
        if isinstance(part, InputVideo):
            raise InvalidRequest("This endpoint can't read videos.", param="input")
        return _text(part.refusal if isinstance(part, Refusal) else part.text)

    def _document(self, part: InputFile) -> Block:
        if not part.file_data:
            raise InvalidRequest("This endpoint reads files only by content. Send file_data.", param="input")
        kind, data = _content(part.file_data)
        stem, _, extension = (part.filename or "document").rpartition(".")
        form = _EXTENSIONS.get(extension.lower()) or _DOCUMENTS.get(kind) or ("pdf" if data.startswith(_PDF) else None)
        if form is None:
            known = ", ".join(sorted(_DOCUMENTS.values()))
            raise InvalidRequest(
                f"This endpoint can't read {part.filename or kind!r}. It reads {known}.", param="input"
            )
        return {"format": form, "name": self._name(stem or extension), "source": {"bytes": data}}

    def _name(self, wanted: str) -> str:
        """Return a document's name in the characters that Converse allows, unlike the others'."""
        plain = _NOT_IN_A_NAME.sub(" ", wanted).strip()[:_LONGEST_NAME].strip() or "document"
        name, number = plain, 1
        while name in self._names:
            number += 1
            name = f"{plain} ({number})"
        self._names.add(name)
        return name


def _text(text: str) -> list[Block]:
    return [{"text": text}] if text.strip() else []


def _call(call: FunctionCall) -> Block:
    return {"toolUseId": _id(call.call_id), "name": call.name, "input": _arguments(call.arguments)}


def _arguments(text: str) -> dict[str, Any]:
    """Return a call's arguments; what isn't an object, as when an answer was cut, goes under a name of its own."""
    try:
        decoded = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, UnicodeDecodeError):
        decoded = None
    return decoded if isinstance(decoded, dict) else {"arguments": text}


def _id(call_id: str) -> str:
    """Return a call's id in the characters that Converse allows: another provider may have given it."""
    return _NOT_IN_AN_ID.sub("_", call_id)[-_LONGEST_ID:]


def _image(part: InputImage) -> Block:
    url = part.image_url or ""
    if not url.startswith("data:"):
        raise InvalidRequest("This endpoint reads images only by content. Send a data: URL.", param="input")
    kind, data = _content(url)
    if kind not in _IMAGES:
        raise InvalidRequest(f"This endpoint can't read {kind!r}. It reads gif, jpeg, png and webp.", param="input")
    return {"format": _IMAGES[kind], "source": {"bytes": data}}


def _content(data: str) -> tuple[str, str]:
    """Return the media type and the base64 of a `data:` URL; of bare base64, no type."""
    if not data.startswith("data:"):
        return "", data
    found = _DATA_URL.fullmatch(data)
    if found is None:
        raise InvalidRequest("A data: URL must hold base64: data:TYPE;base64,DATA.", param="input")
    return found["kind"].lower(), found["data"]


def _say_something_of_documents(blocks: list[Block]) -> None:
    """Add a text to a message that holds documents only: Converse wants one beside them."""
    if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
        blocks.append({"text": "See the attached."})
