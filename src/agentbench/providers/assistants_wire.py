"""From a request to what an assistant upstream is asked: the thread that goes on, its new messages and the run's body.

A thread is named by a seal: a reasoning item at the head of each answer that began a run. Nothing is sent here.
"""

from __future__ import annotations

from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.content import InputFile, InputImage, InputVideo, OutputText, Refusal
from agentbench.protocol.items import Compaction, FunctionCall, FunctionCallOutput, ItemReference, Message, Reasoning
from agentbench.protocol.request import AllowedTools, FunctionToolChoice
from agentbench.providers.openai_chat import encode_chat

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, InputItem
    from agentbench.protocol.content import ContentPart

__all__ = ["SEAL", "AssistantsWire", "Picture", "Seal", "Upload", "WireMessage", "encode_run", "place_of", "sealed"]

SEAL = "assistants:"
_AS_IN_CHAT = ("temperature", "top_p", "response_format", "parallel_tool_calls", "reasoning_effort")


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """The run that made an answer; `place` tells upstreams apart, without their addresses."""

    place: str
    thread: str
    run: str


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes to the upstream first."""

    name: str
    data: bytes
    kind: str
    """Its media type."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture, by its address or to be uploaded."""

    source: str | Upload
    detail: str = "auto"


class WireMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message on its way."""

    role: str
    parts: tuple[str | Picture, ...]
    files: tuple[Upload, ...] = ()


class AssistantsWire(msgspec.Struct, frozen=True, kw_only=True):
    """What an assistant is asked."""

    assistant: str
    seal: Seal | None
    """The run to go on from; without it all begins anew."""
    messages: tuple[WireMessage, ...]
    """All that was said, for a new thread."""
    new: tuple[WireMessage, ...]
    """What came after the seal's run, for its thread."""
    outputs: dict[str, str]
    """What functions gave back since the seal, by the call's id."""
    is_called: bool
    """Whether the sealed answer ends in calls."""
    functions: tuple[dict[str, Any], ...]
    """Tools that the assistant gets besides its own."""
    options: dict[str, Any]
    """The rest of the run's body."""


def place_of(endpoint: Endpoint) -> str:
    """Return what stands for an upstream's address, which whoever sees a seal needn't know."""
    return sha256((endpoint.base_url or "").encode()).hexdigest()[:16]


def sealed(seal: Seal) -> str:
    """Return a seal as a reasoning item carries it."""
    return SEAL + urlsafe_b64encode(msgspec.json.encode(seal)).decode()


def encode_run(request: CreateResponse, endpoint: Endpoint) -> AssistantsWire:
    """Return what to ask; raises `InvalidRequest` for what the Assistants API has no words for."""
    if not request.model:
        raise InvalidRequest("Say which assistant should answer: `model` is missing.", param="model")
    place, seal = _newest_seal(request.input, endpoint)
    since = request.input[place:]
    own = max((n for n, item in enumerate(since, 1) if _is_the_assistants(item)), default=0)
    if any(isinstance(item, Message) and item.role == "user" for item in since[:own]):
        seal = None  # somebody else has answered since
    outputs = {item.call_id: _output(item) for item in since if isinstance(item, FunctionCallOutput)}
    says = [item for item in since[own:] if isinstance(item, Message)]
    chat = encode_chat(msgspec.structs.replace(request, input=(), instructions=None))
    return AssistantsWire(
        assistant=request.model,
        seal=seal,
        messages=_messages(request.input, endpoint),
        new=_messages(says, endpoint),
        outputs=outputs,
        is_called=bool(own) and isinstance(since[own - 1], FunctionCall),
        functions=tuple(chat.get("tools", ())),
        options=_options(request, chat),
    )


def _is_the_assistants(item: InputItem) -> bool:
    return isinstance(item, FunctionCall) or (isinstance(item, Message) and item.role == "assistant")


def _newest_seal(items: Sequence[InputItem], endpoint: Endpoint) -> tuple[int, Seal | None]:
    """Return this upstream's newest seal, and the place after it."""
    for place in range(len(items) - 1, -1, -1):
        item = items[place]
        if isinstance(item, Reasoning) and isinstance(item.encrypted_content, str):
            seal = _opened(item.encrypted_content)
            if seal is not None and seal.place == place_of(endpoint):
                return place + 1, seal
    return 0, None


def _opened(text: str) -> Seal | None:
    if not text.startswith(SEAL):
        return None
    try:
        return msgspec.json.decode(urlsafe_b64decode(text.removeprefix(SEAL)), type=Seal)
    except (ValueError, msgspec.DecodeError):
        return None


def _options(request: CreateResponse, chat: dict[str, Any]) -> dict[str, Any]:
    system = [item.text for item in request.input if isinstance(item, Message) and item.role in ("system", "developer")]
    words = "\n\n".join(text for text in (request.instructions, *system) if text)
    options: dict[str, Any] = {"additional_instructions": words} if words else {}
    options |= {name: chat[name] for name in _AS_IN_CHAT if name in chat}
    if request.parallel_tool_calls is not None:
        options["parallel_tool_calls"] = request.parallel_tool_calls
    if request.max_output_tokens is not None:
        options["max_completion_tokens"] = request.max_output_tokens
    choice = request.tool_choice.mode if isinstance(request.tool_choice, AllowedTools) else request.tool_choice
    if isinstance(choice, FunctionToolChoice):
        options["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
    elif choice != "auto":
        options["tool_choice"] = choice
    return options


# -- messages -----------------------------------------------------------------------------------------------------


def _messages(items: Iterable[InputItem], endpoint: Endpoint) -> tuple[WireMessage, ...]:
    """Return the items as messages; calls and their results as words, as only a run can have them otherwise."""
    made = (_message(item, endpoint) for item in items)
    return tuple(each for each in made if each is not None and (each.parts or each.files))


def _message(item: InputItem, endpoint: Endpoint) -> WireMessage | None:
    if isinstance(item, Compaction | ItemReference):
        raise InvalidRequest(f"Assistants can't read items of type {type(item).__name__.lower()!r}.", param="input")
    if isinstance(item, FunctionCall):
        return WireMessage(role="assistant", parts=(f"[Called {item.name}({item.arguments}) as {item.call_id}]",))
    if isinstance(item, FunctionCallOutput):
        return WireMessage(role="user", parts=(f"[Result of {item.call_id}: {_output(item)}]",))
    if isinstance(item, Reasoning) or item.role in ("system", "developer"):
        return None
    files = tuple(_file(part) for part in item.content if isinstance(part, InputFile))
    parts = tuple(_part(part, endpoint) for part in item.content if not isinstance(part, InputFile))
    return WireMessage(role=item.role, parts=tuple(part for part in parts if part), files=files)


def _part(part: ContentPart, endpoint: Endpoint) -> str | Picture:
    if isinstance(part, InputImage):
        return _picture(part, endpoint)
    if isinstance(part, InputVideo):
        raise InvalidRequest("Assistants can't see videos.", param="input")
    return part.refusal if isinstance(part, Refusal) else part.text if isinstance(part, OutputText) else _words(part)


def _words(part: ContentPart) -> str:
    return str(getattr(part, "text", ""))


def _picture(part: InputImage, endpoint: Endpoint) -> Picture:
    settings, address = endpoint.assistants, part.image_url or ""
    if settings is not None and "image_vision" not in settings.capabilities:
        raise InvalidRequest(
            f"Assistants of {endpoint.name} may not see pictures: capabilities leaves image_vision out.", param="input"
        )
    if not address.startswith("data:"):
        return Picture(source=address, detail=part.detail)
    kind, data = _data(address)
    name = f"image.{kind.partition('/')[2].partition('+')[0] or 'png'}"
    return Picture(source=Upload(name=name, data=data, kind=kind), detail=part.detail)


def _file(part: InputFile) -> Upload:
    if not isinstance(part.file_data, str) or not part.file_data:
        raise InvalidRequest("Assistants read files only by content. Send file_data.", param="input")
    name = part.filename if isinstance(part.filename, str) and part.filename else "file"
    address = part.file_data if part.file_data.startswith("data:") else f"data:;base64,{part.file_data}"
    kind, data = _data(address)
    return Upload(name=name, data=data, kind=kind or "application/octet-stream")


def _data(address: str) -> tuple[str, bytes]:
    """Return a data URL's media type and bytes."""
    head, _, body = address.removeprefix("data:").partition(",")
    try:
        return head.partition(";")[0], b64decode(body)
    except ValueError:
        raise InvalidRequest("The file's or the image's data isn't base64.", param="input") from None


def _output(item: FunctionCallOutput) -> str:
    """Return a result as text, which is all that a run takes."""
    if isinstance(item.output, str):
        return item.output
    texts = [_words(part) for part in item.output]
    media = sum(not text for text in texts)
    return "".join(texts) + (f" [{media} more that can't be sent as text]" if media else "")
