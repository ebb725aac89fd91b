"""The 24 streaming events of Open Responses, release 2026-04-24.

One class an event, told apart by `type`. Only `EventBuilder` makes them, so that every stream obeys the grammar.
"""

from __future__ import annotations

from agentbench.protocol.content import ContentPart, LogProb, UrlCitation
from agentbench.protocol.items import Item
from agentbench.protocol.response import Response
from agentbench.protocol.values import Value

__all__ = [
    "TERMINAL",
    "AnnotationAdded",
    "ArgumentsDelta",
    "ArgumentsDone",
    "ContentPartAdded",
    "ContentPartDone",
    "ErrorEvent",
    "ErrorPayload",
    "Event",
    "ItemAdded",
    "ItemDone",
    "ReasoningDelta",
    "ReasoningDone",
    "RefusalDelta",
    "RefusalDone",
    "ResponseCompleted",
    "ResponseCreated",
    "ResponseFailed",
    "ResponseInProgress",
    "ResponseIncomplete",
    "ResponseQueued",
    "SummaryDelta",
    "SummaryDone",
    "SummaryPartAdded",
    "SummaryPartDone",
    "TextDelta",
    "TextDone",
]


class _Event(Value, frozen=True, kw_only=True):
    sequence_number: int


class _ResponseEvent(_Event, frozen=True, kw_only=True):
    response: Response


class _ItemEvent(_Event, frozen=True, kw_only=True):
    output_index: int
    item: Item


class _PlaceEvent(_Event, frozen=True, kw_only=True):
    item_id: str
    output_index: int


class _ContentEvent(_PlaceEvent, frozen=True, kw_only=True):
    content_index: int


class _SummaryEvent(_PlaceEvent, frozen=True, kw_only=True):
    summary_index: int


class ResponseCreated(_ResponseEvent, frozen=True, kw_only=True, tag_field="type", tag="response.created"):
    """The first event."""


class ResponseQueued(_ResponseEvent, frozen=True, kw_only=True, tag_field="type", tag="response.queued"):
    """A background response waits for its turn."""


class ResponseInProgress(_ResponseEvent, frozen=True, kw_only=True, tag_field="type", tag="response.in_progress"):
    """Work has begun."""


class ResponseCompleted(_ResponseEvent, frozen=True, kw_only=True, tag_field="type", tag="response.completed"):
    """Terminal: all went well."""


class ResponseFailed(_ResponseEvent, frozen=True, kw_only=True, tag_field="type", tag="response.failed"):
    """Terminal: `response.error` says why."""


class ResponseIncomplete(_ResponseEvent, frozen=True, kw_only=True, tag_field="type", tag="response.incomplete"):
    """Terminal: stopped early; `response.incomplete_details` says why."""


class ItemAdded(_ItemEvent, frozen=True, kw_only=True, tag_field="type", tag="response.output_item.added"):
    """An output item begins."""


class ItemDone(_ItemEvent, frozen=True, kw_only=True, tag_field="type", tag="response.output_item.done"):
    """An output item is final."""


class ContentPartAdded(_ContentEvent, frozen=True, kw_only=True, tag_field="type", tag="response.content_part.added"):
    """A content part begins."""

    part: ContentPart


class ContentPartDone(_ContentEvent, frozen=True, kw_only=True, tag_field="type", tag="response.content_part.done"):
    """A content part is final."""

    part: ContentPart


class TextDelta(_ContentEvent, frozen=True, kw_only=True, gc=False, tag_field="type", tag="response.output_text.delta"):
    """More text."""

    delta: str
    logprobs: tuple[LogProb, ...] = ()


class TextDone(_ContentEvent, frozen=True, kw_only=True, tag_field="type", tag="response.output_text.done"):
    """All the text of a part."""

    text: str
    logprobs: tuple[LogProb, ...] = ()


class AnnotationAdded(
    _ContentEvent, frozen=True, kw_only=True, tag_field="type", tag="response.output_text.annotation.added"
):
    """A citation within the text."""

    annotation_index: int
    annotation: UrlCitation


class RefusalDelta(_ContentEvent, frozen=True, kw_only=True, tag_field="type", tag="response.refusal.delta"):
    """More of a refusal."""

    delta: str


class RefusalDone(_ContentEvent, frozen=True, kw_only=True, tag_field="type", tag="response.refusal.done"):
    """All of a refusal."""

    refusal: str


class ReasoningDelta(_ContentEvent, frozen=True, kw_only=True, tag_field="type", tag="response.reasoning.delta"):
    """More raw reasoning (OpenAI's own name: `response.reasoning_text.delta`)."""

    delta: str


class ReasoningDone(_ContentEvent, frozen=True, kw_only=True, tag_field="type", tag="response.reasoning.done"):
    """All of a part of raw reasoning."""

    text: str


class SummaryPartAdded(
    _SummaryEvent, frozen=True, kw_only=True, tag_field="type", tag="response.reasoning_summary_part.added"
):
    """A part of a reasoning summary begins."""

    part: ContentPart


class SummaryPartDone(
    _SummaryEvent, frozen=True, kw_only=True, tag_field="type", tag="response.reasoning_summary_part.done"
):
    """A part of a reasoning summary is final."""

    part: ContentPart


class SummaryDelta(
    _SummaryEvent, frozen=True, kw_only=True, tag_field="type", tag="response.reasoning_summary_text.delta"
):
    """More of a reasoning summary."""

    delta: str


class SummaryDone(
    _SummaryEvent, frozen=True, kw_only=True, tag_field="type", tag="response.reasoning_summary_text.done"
):
    """All of a part of a reasoning summary."""

    text: str


class ArgumentsDelta(
    _PlaceEvent, frozen=True, kw_only=True, tag_field="type", tag="response.function_call_arguments.delta"
):
    """More of a call's arguments, as JSON text."""

    delta: str


class ArgumentsDone(
    _PlaceEvent, frozen=True, kw_only=True, tag_field="type", tag="response.function_call_arguments.done"
):
    """All of a call's arguments."""

    arguments: str


class ErrorPayload(Value, frozen=True, kw_only=True):
    """What went wrong, for the `error` event."""

    type: str
    code: str
    message: str
    param: str | None = None


class ErrorEvent(_Event, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """Something went wrong; `response.failed` follows."""

    error: ErrorPayload


Event = (
    ResponseCreated
    | ResponseQueued
    | ResponseInProgress
    | ResponseCompleted
    | ResponseFailed
    | ResponseIncomplete
    | ItemAdded
    | ItemDone
    | ContentPartAdded
    | ContentPartDone
    | TextDelta
    | TextDone
    | AnnotationAdded
    | RefusalDelta
    | RefusalDone
    | ReasoningDelta
    | ReasoningDone
    | SummaryPartAdded
    | SummaryPartDone
    | SummaryDelta
    | SummaryDone
    | ArgumentsDelta
    | ArgumentsDone
    | ErrorEvent
)
TERMINAL = (ResponseCompleted, ResponseFailed, ResponseIncomplete)
