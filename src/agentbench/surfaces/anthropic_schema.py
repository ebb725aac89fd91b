"""What a client of Anthropic's Messages sends, as far as it is read here; other fields are ignored.

Content blocks and sources are told apart by `type`. What a block holds beyond these fields (`cache_control`,
`citations` …) changes nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from agentbench.protocol.values import Value

__all__ = [
    "Base64Source",
    "Block",
    "BlocksSource",
    "Document",
    "Image",
    "MessageParam",
    "MessagesRequest",
    "Prompt",
    "RedactedThinking",
    "SearchResult",
    "Text",
    "TextSource",
    "Thinking",
    "ToolParam",
    "ToolResult",
    "ToolUse",
    "UrlSource",
]

Fraction = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[int, Meta(ge=1)]


class Base64Source(Value, frozen=True, kw_only=True, tag_field="type", tag="base64"):
    """Content, as base64."""

    media_type: str
    data: str


class UrlSource(Value, frozen=True, kw_only=True, tag_field="type", tag="url"):
    """Content at an address."""

    url: str


class TextSource(Value, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Content that is plain text."""

    data: str


class Text(Value, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Text."""

    text: str


class Image(Value, frozen=True, kw_only=True, tag_field="type", tag="image"):
    """An image."""

    source: Base64Source | UrlSource


class BlocksSource(Value, frozen=True, kw_only=True, tag_field="type", tag="content"):
    """Content that is made of blocks."""

    content: str | tuple[Text | Image, ...]


class Document(Value, frozen=True, kw_only=True, tag_field="type", tag="document"):
    """A PDF, or text."""

    source: Base64Source | UrlSource | TextSource | BlocksSource
    title: str | None = None
    context: str | None = None


class SearchResult(Value, frozen=True, kw_only=True, tag_field="type", tag="search_result"):
    """What a search found."""

    source: str
    title: str
    content: tuple[Text, ...]


class Thinking(Value, frozen=True, kw_only=True, tag_field="type", tag="thinking"):
    """What the model thought before, with its seal."""

    thinking: str
    signature: str | None = None


class RedactedThinking(Value, frozen=True, kw_only=True, tag_field="type", tag="redacted_thinking"):
    """What the model thought before, sealed only."""

    data: str


class ToolUse(Value, frozen=True, kw_only=True, tag_field="type", tag="tool_use"):
    """A call that the model made before."""

    id: str
    name: str
    input: dict[str, Any]


class ToolResult(Value, frozen=True, kw_only=True, tag_field="type", tag="tool_result"):
    """What a call gave."""

    tool_use_id: str
    content: str | tuple[Text | Image | Document | SearchResult, ...] | None = None
    is_error: bool | None = None


Block = Text | Image | Document | SearchResult | Thinking | RedactedThinking | ToolUse | ToolResult


class MessageParam(Value, frozen=True, kw_only=True):
    """One side's turn."""

    role: Literal["user", "assistant", "system"]
    content: str | tuple[Block, ...]


class ToolParam(Value, frozen=True, kw_only=True):
    """A tool. One of another type than `custom` runs at Anthropic, and is read only to be refused."""

    type: str | None = None
    name: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None
    strict: bool | None = None


class ToolChoiceParam(Value, frozen=True, kw_only=True):
    """Whether to call, and what."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingParam(Value, frozen=True, kw_only=True):
    """Whether to think, and for how many tokens."""

    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: Positive | None = None


class FormatParam(Value, frozen=True, kw_only=True):
    """The shape of a JSON answer."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputParam(Value, frozen=True, kw_only=True):
    """How hard to try, and in what form to answer."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: FormatParam | None = None


class MetadataParam(Value, frozen=True, kw_only=True):
    """For whom the client asks."""

    user_id: str | None = None


class Prompt(Value, frozen=True, kw_only=True):
    """What goes into the model: all that `count_tokens` takes."""

    model: str
    messages: Annotated[tuple[MessageParam, ...], Meta(min_length=1)]
    system: str | tuple[Text, ...] | None = None
    tools: tuple[ToolParam, ...] | None = None
    tool_choice: ToolChoiceParam | None = None
    thinking: ThinkingParam | None = None
    output_config: OutputParam | None = None


class MessagesRequest(Prompt, frozen=True, kw_only=True):
    """A whole request."""

    max_tokens: Positive
    metadata: MetadataParam | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
    stop_sequences: tuple[str, ...] | None = None
    stream: bool | None = None
    temperature: Fraction | None = None
    top_p: Fraction | None = None
