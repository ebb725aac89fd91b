"""What our surfaces send for a run, on each wire: the surfaces' own encoders, fed with events that were kept.

Events of a foreign server are made into ours first, by `typed`; what no surface could send is refused there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol import Event
from agentbench.protocol import events as ev
from agentbench.protocol.grammar.places import Places
from agentbench.protocol.values import Value
from agentbench.surfaces.anthropic_events import MessagesEncoder
from agentbench.surfaces.chat_chunks import ChatEncoder
from agentbench.surfaces.ollama_chunks import OllamaEncoder
from agentbench.surfaces.openresponses import ResponsesEncoder
from agentbench.surfaces.receipts import WithoutReceipts, what_ran

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from agentbench.protocol import CreateResponse, Response
    from agentbench.surfaces.base import Encoder

__all__ = ["WIRES", "Sent", "Wire", "sent", "sent_raw", "typed"]

Wire = Literal["responses", "chat", "anthropic", "ollama"]
WIRES: tuple[Wire, ...] = get_args(Wire)

_OTHER_NAMES = {
    "response.reasoning_text.delta": "response.reasoning.delta",
    "response.reasoning_text.done": "response.reasoning.done",
}
"""OpenAI's own names of events."""


class Sent(Value, frozen=True, kw_only=True):
    """One frame, and the place of the event that caused it; what ends a stream is caused by the last."""

    index: int
    text: str


def sent(
    events: Sequence[Event],
    wire: str,
    *,
    request: CreateResponse | None = None,
    times: Sequence[float] = (),
    receipts: bool = False,
) -> tuple[Sent, ...]:
    """Return what our surface for a wire sends for these events, frame by frame.

    Chat chunks end with the usage if the `request` asks for it, or if there is none. `times` are seconds since the
    request, one an event, for Ollama's durations. `receipts` shows the tools that ran here.
    Raises `UnknownName` for another wire, `InvalidRequest` for events that are no stream.
    """
    return _sent(list(enumerate(events)), wire, request, times, receipts=receipts)


def sent_raw(events: Iterable[Any], wire: str, *, times: Sequence[float] = ()) -> tuple[Sent, ...]:
    """Return the same for events as JSON objects, whatever server they came from; indexes count those.

    Extensions' own events are passed over. Raises as `sent` and `typed` do.
    """
    return _sent(list(_typed(events)), wire, None, times, receipts=False)


def typed(raw_events: Iterable[Any]) -> tuple[Event, ...]:
    """Return events that came as JSON objects as events of ours, without those of extensions.

    Where servers differ from the spec (nulls for what is absent, OpenAI's names, a flat error) it is mended. Raises
    `InvalidRequest` with the index of the first event that can't be.
    """
    return tuple(event for _, event in _typed(raw_events))


# -- sending --------------------------------------------------------------------------------------------------------


def _sent(
    events: Sequence[tuple[int, Event]],
    wire: str,
    request: CreateResponse | None,
    times: Sequence[float],
    *,
    receipts: bool,
) -> tuple[Sent, ...]:
    make = _ENCODERS.get(wire)
    if make is None:
        raise UnknownName("wire", wire, WIRES)
    if not events:
        return ()
    first = next((event.response for _, event in events if isinstance(event, (ev.ResponseCreated, *ev.TERMINAL))), None)
    if first is None:
        raise InvalidRequest("These events hold no response. A stream begins with response.created.")
    clock = _Clock()
    own = frozenset() if receipts else what_ran([event.item for _, event in events if isinstance(event, ev.ItemDone)])
    return tuple(_frames(events, make(first, request, clock), own, clock, times))


class _Clock:
    """Tells the time of the event that is written."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def _frames(
    events: Sequence[tuple[int, Event]],
    encoder: Encoder,
    own: frozenset[str],
    clock: _Clock,
    times: Sequence[float],
) -> Iterator[Sent]:
    view = WithoutReceipts(own) if own else None
    for index, event in events:
        clock.seconds = times[index] if index < len(times) else clock.seconds
        try:
            for shown in (event,) if view is None else view.feed([event]):
                yield from (Sent(index=index, text=frame.decode()) for frame in encoder.feed(shown))
        except KeyError:  # a delta of a call that never began
            raise InvalidRequest(f"Event {index} is about an item that was not added before.") from None
        except (OverflowError, RecursionError, ValueError):  # a huge number or time, half a surrogate pair
            raise InvalidRequest(f"Event {index} holds a value that can't be written.") from None
    yield from (Sent(index=events[-1][0], text=frame.decode()) for frame in encoder.close())


def _chat(response: Response, request: CreateResponse | None, _: _Clock) -> Encoder:
    options = None if request is None else request.stream_options
    with_usage = request is None or (options is not None and options.include_usage)
    return ChatEncoder(response, with_usage=with_usage)


_ENCODERS: Mapping[str, Callable[[Response, CreateResponse | None, _Clock], Encoder]] = {
    "responses": lambda *_: ResponsesEncoder(),
    "chat": _chat,
    "anthropic": lambda response, *_: MessagesEncoder(response.id.replace("resp_", "req_")),
    "ollama": lambda response, _, clock: OllamaEncoder(response, elapsed=clock),
}


# -- reading --------------------------------------------------------------------------------------------------------


def _typed(raw_events: Iterable[Any]) -> Iterator[tuple[int, Event]]:
    raw_events, places = list(raw_events), Places()
    facts = _facts(raw_events)
    for index, raw in enumerate(raw_events):
        kind = raw.get("type") if isinstance(raw, dict) else None
        if isinstance(kind, str) and ":" in kind:
            continue
        try:
            event = msgspec.convert(raw, Event)
        except (msgspec.ValidationError, RecursionError, UnicodeError):
            event = _mended(raw, index, places, facts)
        if isinstance(event, ev.ItemAdded):
            places.note({"output_index": event.output_index, "item": {"id": event.item.id}})
        yield index, event


def _mended(raw: Any, index: int, places: Places, facts: Mapping[str, Any]) -> Event:
    try:
        given = _without_nulls(raw)
        kind = _OTHER_NAMES.get(given["type"], given["type"])
        given = {"sequence_number": index, **places.filled(kind, given), "type": kind}
        if "response" in given:
            given["response"] = {**facts, **given["response"]}
        if kind == "error":
            given["error"] = _error(given)
        event: Event = msgspec.convert(given, Event)
    except (msgspec.ValidationError, RecursionError, AttributeError, KeyError, TypeError, UnicodeError) as error:
        why = str(error) if isinstance(error, msgspec.ValidationError) else "it is no event"
        raise InvalidRequest(f"Event {index} can't be sent on another wire: {why}.", param=f"events[{index}]") from None
    return event


def _facts(raw_events: Iterable[Any]) -> dict[str, Any]:
    """Return what some servers tell of a response only at its end, and ours from its beginning."""
    facts = {"id": "resp_unknown", "created_at": 0, "model": ""}
    for event in raw_events:
        response = event.get("response") if isinstance(event, dict) else None
        if isinstance(response, dict):
            facts |= {key: response[key] for key in facts if response.get(key)}
    return facts


def _error(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an error event tells, nested as in the spec or flat as in OpenAI's API."""
    told = given.get("error") or {key: given[key] for key in ("code", "message", "param") if key in given}
    return {"type": "server_error", "code": "server_error", "message": "", **told}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list | tuple) else value
