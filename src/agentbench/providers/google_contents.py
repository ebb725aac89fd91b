"""From items to Gemini's `contents` and `systemInstruction`.

A thought signature travels in a reasoning item's `encrypted_content`: after `CALL_SEAL` it belongs to the next function
call, after `TEXT_SEAL` to the text before it. Any other seal is another provider's, and is left out, as is the
reasoning's text: the API wants its signatures back, not its summaries.
"""

from __future__ import annotations

import base64
import mimetypes
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputVideo, Refusal
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, InputItem, Message, Reasoning
from agentbench.providers.call_order import in_call_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.protocol import CreateResponse
    from agentbench.protocol.content import ContentPart

__all__ = ["CALL_SEAL", "TEXT_SEAL", "contents", "system_instruction"]

CALL_SEAL = "google:call:"
TEXT_SEAL = "google:text:"
_UNSIGNED = "skip_thought_signature_validator"
"""What the API takes in place of a signature for calls that another model made."""
_SYSTEM = ("system", "developer")

_Json = dict[str, Any]


def system_instruction(request: CreateResponse) -> _Json | None:
    """Return the instructions, then the system's and developer's messages wherever they stood; None without any."""
    parts = [{"text": request.instructions}] if request.instructions else []
    for item in request.input:
        if isinstance(item, Message) and item.role in _SYSTEM:
            parts += _parts(item.content)
    return {"parts": parts} if parts else None


def contents(request: CreateResponse, *, signed: bool) -> list[_Json]:
    """Return the input as turns of `user` and `model`, in order.

    With `signed`, the first call of a turn that has no signature gets a stand-in: newer models refuse it without.
    """
    turns = _Turns(request.input, signed=signed)
    for item in in_call_order(request.input):
        turns.add(item)
    return turns.contents


class _Turns:
    """The contents so far."""

    def __init__(self, items: Iterable[InputItem], *, signed: bool) -> None:
        self.contents: list[_Json] = []
        self._signed = signed
        self._signature: str | None = None  # for the next call
        self._names = {item.call_id: item.name for item in items if isinstance(item, FunctionCall)}

    def add(self, item: InputItem) -> None:
        if isinstance(item, Message):
            if item.role not in _SYSTEM:
                self._append("model" if item.role == "assistant" else "user", _parts(item.content))
        elif isinstance(item, FunctionCall):
            self._call(item)
        elif isinstance(item, FunctionCallOutput):
            self._append("user", self._output(item))
        elif isinstance(item, Reasoning):
            self._seal(item.encrypted_content or "")
        else:
            raise InvalidRequest(
                f"This endpoint can't read items of type {type(item).__name__.lower()!r}.", param="input"
            )

    def _append(self, role: str, parts: list[_Json]) -> None:
        self._signature = None  # one whose call isn't there any more belongs to no later one
        if not parts:
            return
        if self.contents and self.contents[-1]["role"] == role:
            self.contents[-1]["parts"] += parts
        else:
            self.contents.append({"role": role, "parts": parts})

    def _call(self, call: FunctionCall) -> None:
        args = _object(call.arguments or "{}")
        function = {
            "id": call.call_id,
            "name": call.name,
            "args": {"arguments": call.arguments} if args is None else args,
        }
        part: _Json = {"functionCall": function}
        signature, self._signature = self._signature, None
        if signature is None and self._signed and not any("functionCall" in each for each in self._open_parts()):
            signature = _UNSIGNED
        if signature is not None:
            part["thoughtSignature"] = signature
        self._append("model", [part])

    def _output(self, item: FunctionCallOutput) -> list[_Json]:
        """Return a result under its call's name, by which the API matches them; media follow it as parts."""
        name = self._names.get(item.call_id)
        if name is None:
            raise InvalidRequest(
                f"No function_call has the call_id {item.call_id!r} of a function_call_output.", param="input"
            )
        parts = [{"text": item.output}] if isinstance(item.output, str) else _parts(item.output)
        text = "".join(part.get("text", "") for part in parts)
        response = _object(text)
        function = {"id": item.call_id, "name": name, "response": {"result": text} if response is None else response}
        return [{"functionResponse": function}, *(part for part in parts if "text" not in part)]

    def _seal(self, seal: str) -> None:
        if seal.startswith(CALL_SEAL):
            self._signature = seal.removeprefix(CALL_SEAL)
        elif seal.startswith(TEXT_SEAL):
            parts = self._open_parts()
            if not (parts and "text" in parts[-1]):
                self._append("model", parts := [{"text": ""}])
            parts[-1]["thoughtSignature"] = seal.removeprefix(TEXT_SEAL)

    def _open_parts(self) -> list[_Json]:
        """Return the parts of the model's turn that is being written."""
        parts: list[_Json] = []
        if self.contents and self.contents[-1]["role"] == "model":
            parts = self.contents[-1]["parts"]
        return parts


def _parts(parts: Iterable[ContentPart]) -> list[_Json]:
    """Return the parts but empty texts, which the API refuses."""
    return [part for part in map(_part, parts) if part != {"text": ""}]


def _part(part: ContentPart) -> _Json:
    if isinstance(part, InputImage):
        return _media(part.image_url or "")
    if isinstance(part, InputVideo):
        return _media(part.video_url)
    if isinstance(part, InputFile):
        return _file(part)
    return {"text": part.refusal if isinstance(part, Refusal) else part.text}


def _file(part: InputFile) -> _Json:
    if not part.file_data:
        return _media(part.file_url or "")
    if part.file_data.startswith("data:"):
        return _media(part.file_data)
    kind = _kind(part.filename or "")
    if kind is None:
        raise InvalidRequest(
            "The type of a file is missing. Send a data: URL, or a filename that tells.", param="input"
        )
    return {"inlineData": {"mimeType": kind, "data": part.file_data}}


def _media(url: str) -> _Json:
    """Return what lies at a URL: its content for `data:`, else the address, which the API itself fetches."""
    if url.startswith("data:"):
        return {"inlineData": _inline(url)}
    if not url.startswith(("https://", "gs://")):
        raise InvalidRequest("This endpoint reads images and files from data: and https: URLs only.", param="input")
    kind = _kind(urlsplit(url).path)
    return {"fileData": {"fileUri": url} | ({} if kind is None else {"mimeType": kind})}


def _inline(url: str) -> _Json:
    """Return the type and the base64 of a `data:` URL (RFC 2397)."""
    head, _, data = url.removeprefix("data:").partition(",")
    kind, *parameters = head.split(";")
    if "base64" not in parameters:
        data = base64.b64encode(unquote_to_bytes(data)).decode()
    return {"mimeType": kind or "text/plain", "data": data}


def _kind(name: str) -> str | None:
    return mimetypes.guess_type(name, strict=False)[0]


def _object(text: str) -> _Json | None:
    """Return the JSON object that a text is; None if it is anything else."""
    try:
        return msgspec.json.decode(text, type=_Json)
    except msgspec.DecodeError:
        return None
