"""An answer's events as the openai SDK's own types, without the SDK's parsing.

The SDK spends about 65 µs on an event. Those that come by the thousand are filled in here, field by field; the others
are validated by the SDK's models. Both are equal to what the SDK reads from the wire.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import ValidationError

from agentbench.protocol import events as ev

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from openai.types.responses import ResponseStreamEvent

    from agentbench.gateway.stream import Stream
    from agentbench.protocol import Event

__all__ = ["OpenAIEvents", "openai_event"]

_NAMES: dict[type[Any], str] = {
    ev.ResponseCreated: "ResponseCreatedEvent",
    ev.ResponseQueued: "ResponseQueuedEvent",
    ev.ResponseInProgress: "ResponseInProgressEvent",
    ev.ResponseCompleted: "ResponseCompletedEvent",
    ev.ResponseFailed: "ResponseFailedEvent",
    ev.ResponseIncomplete: "ResponseIncompleteEvent",
    ev.ItemAdded: "ResponseOutputItemAddedEvent",
    ev.ItemDone: "ResponseOutputItemDoneEvent",
    ev.ContentPartAdded: "ResponseContentPartAddedEvent",
    ev.ContentPartDone: "ResponseContentPartDoneEvent",
    ev.TextDelta: "ResponseTextDeltaEvent",
    ev.TextDone: "ResponseTextDoneEvent",
    ev.AnnotationAdded: "ResponseOutputTextAnnotationAddedEvent",
    ev.RefusalDelta: "ResponseRefusalDeltaEvent",
    ev.RefusalDone: "ResponseRefusalDoneEvent",
    ev.ReasoningDelta: "ResponseReasoningTextDeltaEvent",
    ev.ReasoningDone: "ResponseReasoningTextDoneEvent",
    ev.SummaryPartAdded: "ResponseReasoningSummaryPartAddedEvent",
    ev.SummaryPartDone: "ResponseReasoningSummaryPartDoneEvent",
    ev.SummaryDelta: "ResponseReasoningSummaryTextDeltaEvent",
    ev.SummaryDone: "ResponseReasoningSummaryTextDoneEvent",
    ev.ArgumentsDelta: "ResponseFunctionCallArgumentsDeltaEvent",
    ev.ArgumentsDone: "ResponseFunctionCallArgumentsDoneEvent",
    ev.ErrorEvent: "ResponseErrorEvent",
}
_DELTAS = (ev.TextDelta, ev.RefusalDelta, ev.ReasoningDelta, ev.SummaryDelta, ev.ArgumentsDelta)
_OWN_TYPES: dict[type[Any], str] = {
    ev.ReasoningDelta: "response.reasoning_text.delta",
    ev.ReasoningDone: "response.reasoning_text.done",
}
"""Where OpenAI's names differ from those of Open Responses."""


def openai_event(event: Event) -> ResponseStreamEvent:
    """Return an event as the openai SDK has it. OpenAI's own names are used, and its flat form of errors."""
    make = None if getattr(event, "logprobs", ()) else _makers().get(type(event))
    made: ResponseStreamEvent = _read(event) if make is None else make(event)
    return made


class OpenAIEvents:
    """A stream's events as the openai SDK has them; iterate it as you would the stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[ResponseStreamEvent]:
        try:
            while (batch := self._stream.read()) is not None:
                yield from map(openai_event, batch)
        finally:
            self._stream.close()

    async def __aiter__(self) -> AsyncIterator[ResponseStreamEvent]:
        try:
            while (batch := await self._stream.aread()) is not None:
                for event in batch:
                    yield openai_event(event)
        finally:
            await self._stream.aclose()


# -- events that are validated --------------------------------------------------------------------------------------


def _read(event: Event) -> Any:
    """Return the SDK's reading of an event; what its model doesn't know is kept as it is, as the SDK does."""
    model, raw = _model(type(event)), msgspec.json.decode(msgspec.json.encode(event))
    if isinstance(event, ev.ErrorEvent):
        raw |= raw.pop("error") | {"type": "error"}
    raw["type"] = _OWN_TYPES.get(type(event), raw["type"])
    try:
        return model.model_validate(raw)
    except ValidationError:
        return model.construct(**raw)


def _model(kind: type[Any]) -> Any:
    return getattr(import_module("openai.types.responses"), _NAMES[kind])


# -- events that are filled in ----------------------------------------------------------------------------------------


@cache
def _makers() -> dict[type[Any], Callable[[Any], Any]]:
    return {kind: _maker(kind) for kind in _DELTAS}


def _maker(kind: type[Any]) -> Callable[[Any], Any]:
    """Return what makes an SDK's event of one of ours that holds only text and numbers."""
    model, new, put, values = _model(kind), object.__new__, object.__setattr__, msgspec.structs.asdict
    blank = {name: field.get_default() for name, field in model.model_fields.items()}  # in the order of its repr
    blank["type"] = _OWN_TYPES.get(kind, kind.__struct_config__.tag)
    has_logprobs = "logprobs" in kind.__struct_fields__
    told = {*kind.__struct_fields__, "type"}

    def make(event: Any) -> Any:
        made, fields = new(model), blank.copy()
        fields.update(values(event))
        if has_logprobs:
            fields["logprobs"] = []
        put(made, "__dict__", fields)
        put(made, "__pydantic_fields_set__", told.copy())
        put(made, "__pydantic_extra__", {})
        put(made, "__pydantic_private__", None)
        return made

    return make
