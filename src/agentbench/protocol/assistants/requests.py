"""What clients ask of the Assistants API: one class a body. In a change, what is absent stays, and null clears it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from agentbench.protocol.assistants.content import ImageFilePart, ImageUrlPart
from agentbench.protocol.assistants.objects import Attachment, Truncation
from agentbench.protocol.assistants.tools import AssistantTool, ResponseFormat, ToolChoice
from agentbench.protocol.values import Value

__all__ = [
    "ChangeAssistant",
    "ChangeMetadata",
    "ChangeThread",
    "CreateAssistant",
    "CreateMessage",
    "CreateRun",
    "CreateThread",
    "CreateThreadAndRun",
    "SubmitOutputs",
    "ToolOutput",
]

Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
Name = Annotated[str, Meta(max_length=256)]
Description = Annotated[str, Meta(max_length=512)]
Instructions = Annotated[str, Meta(max_length=256_000)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Tools = Annotated[tuple[AssistantTool, ...], Meta(max_length=128)]
Positive = Annotated[int, Meta(ge=1)]
Resources = dict[str, Any]
"""As `ToolResources`; a `vector_stores` in it makes one."""


class PlainText(Value, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Text, as clients send it."""

    text: Annotated[str, Meta(max_length=256_000)]


class CreateAssistant(Value, frozen=True, kw_only=True):
    """A new assistant."""

    model: Annotated[str, Meta(min_length=1)]
    name: Name | None = None
    description: Description | None = None
    instructions: Instructions | None = None
    tools: Tools | None = None
    tool_resources: Resources | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: Fraction | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None


class ChangeAssistant(Value, frozen=True, kw_only=True):
    """Other values of an assistant."""

    model: Annotated[str, Meta(min_length=1)] | UnsetType = UNSET
    name: Name | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET
    instructions: Instructions | UnsetType | None = UNSET
    tools: Tools | UnsetType | None = UNSET
    tool_resources: Resources | UnsetType | None = UNSET
    metadata: Metadata | UnsetType | None = UNSET
    temperature: Temperature | UnsetType | None = UNSET
    top_p: Fraction | UnsetType | None = UNSET
    response_format: ResponseFormat | UnsetType | None = UNSET
    reasoning_effort: str | UnsetType | None = UNSET


class CreateMessage(Value, frozen=True, kw_only=True):
    """A new message of a thread."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Meta(max_length=256_000)] | tuple[PlainText | ImageFilePart | ImageUrlPart, ...]
    attachments: tuple[Attachment, ...] | None = None
    metadata: Metadata | None = None


class CreateThread(Value, frozen=True, kw_only=True):
    """A new thread, with messages or without."""

    messages: tuple[CreateMessage, ...] = ()
    tool_resources: Resources | None = None
    metadata: Metadata | None = None


class ChangeThread(Value, frozen=True, kw_only=True):
    """Other values of a thread."""

    tool_resources: Resources | UnsetType | None = UNSET
    metadata: Metadata | UnsetType | None = UNSET


class ChangeMetadata(Value, frozen=True, kw_only=True):
    """Other metadata of a message or a run."""

    metadata: Metadata | UnsetType | None = UNSET


class CreateRun(Value, frozen=True, kw_only=True):
    """A run; what it doesn't say is as the assistant has it."""

    assistant_id: str
    model: str | None = None
    instructions: Instructions | None = None
    additional_instructions: Instructions | None = None
    additional_messages: tuple[CreateMessage, ...] | None = None
    tools: Tools | None = None
    metadata: Metadata | None = None
    temperature: Temperature | None = None
    top_p: Fraction | None = None
    stream: bool | None = None
    max_prompt_tokens: Annotated[int, Meta(ge=256)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=256)] | None = None
    truncation_strategy: Truncation | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: str | None = None


class CreateThreadAndRun(CreateRun, frozen=True, kw_only=True):
    """A thread and its first run in one."""

    thread: CreateThread | None = None
    tool_resources: Resources | None = None


class ToolOutput(Value, frozen=True, kw_only=True):
    """What a called function gave back."""

    tool_call_id: str | None = None
    output: str | None = None


class SubmitOutputs(Value, frozen=True, kw_only=True):
    """What all calls that a run waits for gave back."""

    tool_outputs: tuple[ToolOutput, ...]
    stream: bool | None = None
