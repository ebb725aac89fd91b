"""What a caller asks for: the canonical request and its parts.

Open Responses `CreateResponse`, release 2026-04-24, and three settings that chat clients send and Responses has no
name for (`stop`, `seed`, `user`). `agentbench.protocol.decode` makes one from JSON.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from agentbench.protocol.items import InputItem
from agentbench.protocol.values import Value

__all__ = [
    "AllowedTools",
    "CreateResponse",
    "FunctionTool",
    "FunctionToolChoice",
    "JsonObjectFormat",
    "JsonSchemaFormat",
    "ReasoningConfig",
    "StreamOptions",
    "TextConfig",
    "TextFormat",
    "ToolChoice",
    "ToolChoiceMode",
]

Fraction = Annotated[float, Meta(ge=0, le=1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Positive = Annotated[int, Meta(ge=1)]
MetadataKey = Annotated[str, Meta(max_length=64)]
MetadataValue = Annotated[str, Meta(max_length=512)]
ToolChoiceMode = Literal["none", "auto", "required"]


class FunctionTool(Value, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """A function that the model may ask for; `parameters` is a JSON schema."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionToolChoice(Value, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """Names one function."""

    name: str


class AllowedTools(Value, frozen=True, kw_only=True, tag_field="type", tag="allowed_tools"):
    """A hard limit on which of the tools may be called."""

    tools: Annotated[tuple[FunctionToolChoice, ...], Meta(max_length=128)]
    mode: ToolChoiceMode = "auto"


ToolChoice = ToolChoiceMode | FunctionToolChoice | AllowedTools


class PlainTextFormat(Value, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Plain text."""


class JsonObjectFormat(Value, frozen=True, kw_only=True, tag_field="type", tag="json_object"):
    """Some JSON object."""


class JsonSchemaFormat(Value, frozen=True, kw_only=True, tag_field="type", tag="json_schema"):
    """JSON that obeys a schema."""

    name: str = "answer"
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool = False


TextFormat = PlainTextFormat | JsonObjectFormat | JsonSchemaFormat


class TextConfig(Value, frozen=True, kw_only=True):
    """What form the text should have."""

    format: TextFormat = PlainTextFormat()
    verbosity: Literal["low", "medium", "high"] | UnsetType = UNSET


class ReasoningConfig(Value, frozen=True, kw_only=True):
    """How hard to think, and whether to sum it up."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    summary: Literal["concise", "detailed", "auto"] | None = None


class StreamOptions(Value, frozen=True, kw_only=True):
    """Options of the stream itself; `include_usage` is the chat surfaces'."""

    include_obfuscation: bool = True
    include_usage: bool = False


class CreateResponse(Value, frozen=True, kw_only=True):
    """One request for a response; None means "the default of the next layer"."""

    model: str | None = None
    input: tuple[InputItem, ...] = ()
    instructions: str | None = None
    previous_response_id: str | None = None
    tools: tuple[FunctionTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool | None = None
    max_tool_calls: Positive | None = None
    text: TextConfig = TextConfig()
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Fraction | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    max_output_tokens: Positive | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    reasoning: ReasoningConfig | None = None
    truncation: Literal["auto", "disabled"] = "disabled"
    include: tuple[str, ...] = ()
    store: bool = True
    stream: bool = False
    stream_options: StreamOptions | None = None
    background: bool = False
    service_tier: str | None = None
    metadata: Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=16)] = {}
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
