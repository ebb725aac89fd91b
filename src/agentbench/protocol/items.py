"""Items: the units of a conversation, going in and coming out.

Open Responses, release 2026-04-24. An item is complete here: it has an id and a status even where the input side
of the spec lets them be absent (`agentbench.protocol.decode` fills them in).
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from agentbench.protocol.content import (
    ContentPart,
    InputFile,
    InputImage,
    InputText,
    InputVideo,
    OutputText,
    ReasoningText,
    Refusal,
    SummaryText,
)
from agentbench.protocol.values import Value, new_id

__all__ = [
    "Compaction",
    "FunctionCall",
    "FunctionCallOutput",
    "InputItem",
    "Item",
    "ItemReference",
    "ItemStatus",
    "Message",
    "Reasoning",
    "Role",
    "assistant_message",
    "user_message",
]

ItemStatus = Literal["in_progress", "completed", "incomplete"]
Role = Literal["user", "assistant", "system", "developer"]


class Message(Value, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """What one side said."""

    id: str
    status: ItemStatus = "completed"
    role: Role
    content: tuple[ContentPart, ...]
    phase: Literal["commentary", "final_answer"] | UnsetType = UNSET

    @property
    def text(self) -> str:
        """The text of all its parts, joined; refusals are not text."""
        return "".join(part.text for part in self.content if isinstance(part, OutputText | InputText))

    @property
    def refusal(self) -> str:
        """The text of its refusals, joined."""
        return "".join(part.refusal for part in self.content if isinstance(part, Refusal))


class FunctionCall(Value, frozen=True, kw_only=True, tag_field="type", tag="function_call"):
    """The model's wish to have a function called; `arguments` is JSON as text."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: ItemStatus = "completed"


class FunctionCallOutput(Value, frozen=True, kw_only=True, tag_field="type", tag="function_call_output"):
    """What a called function gave back, matched by `call_id`."""

    id: str
    call_id: str
    output: str | tuple[InputText | InputImage | InputFile | InputVideo, ...]
    status: ItemStatus = "completed"


class Reasoning(Value, frozen=True, kw_only=True, tag_field="type", tag="reasoning"):
    """How the model thought: raw, summed up, or sealed so that only its provider can read it."""

    id: str
    summary: tuple[ContentPart, ...] = ()
    content: tuple[ContentPart, ...] | UnsetType = UNSET
    encrypted_content: str | UnsetType = UNSET
    status: ItemStatus | UnsetType = UNSET

    @property
    def text(self) -> str:
        """The raw reasoning if there is any, else its summary, a blank line between parts."""
        parts = self.content or self.summary
        return "\n\n".join(part.text for part in parts if isinstance(part, ReasoningText | SummaryText))


class Compaction(Value, frozen=True, kw_only=True, tag_field="type", tag="compaction"):
    """A conversation's past, shortened and sealed."""

    id: str
    encrypted_content: str
    created_by: str | UnsetType = UNSET


class ItemReference(Value, frozen=True, kw_only=True, tag_field="type", tag="item_reference"):
    """Stands for an earlier item by its id; input only."""

    id: str


Item = Message | FunctionCall | FunctionCallOutput | Reasoning | Compaction
InputItem = Message | FunctionCall | FunctionCallOutput | Reasoning | Compaction | ItemReference


def user_message(text: str, *images: str) -> Message:
    """Return a user's message: a text and any images, as https or `data:` URLs."""
    parts: list[ContentPart] = [InputText(text=text)]
    parts.extend(InputImage(image_url=image) for image in images)
    return Message(id=new_id("msg"), role="user", content=tuple(parts))


def assistant_message(text: str) -> Message:
    """Return a finished message of the assistant's."""
    return Message(id=new_id("msg"), role="assistant", content=(OutputText(text=text),))
