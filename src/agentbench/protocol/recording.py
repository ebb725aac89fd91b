"""A run as it was seen from outside: its events as JSON objects, when each came, and what was asked.

The events are kept as they came, so a recording can also hold a foreign server's, whatever rules they break.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol import events as ev
from agentbench.protocol.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentbench.protocol import Event, Response

__all__ = ["Frame", "Recording", "event_object", "rebuilt"]

_HEADER = "agentbench.recording"
_VERSION = 1
_LAST: dict[str, type[ev.ResponseCompleted | ev.ResponseFailed]] = {
    "completed": ev.ResponseCompleted,
    "failed": ev.ResponseFailed,
}


class Frame(Value, frozen=True, kw_only=True):
    """A piece of what came over the network; `seconds` since the request."""

    seconds: float
    text: str


class Recording(Value, frozen=True, kw_only=True):
    """One run. `source` is who answered: `endpoint/model`, or a server's address.

    `id` is the response's, where it was known before an event told it. `times` are seconds since the request, one an
    event, or empty where nobody measured. `frames` are what came over the network, if that was recorded, in the
    protocol that was `spoken`. What is `rebuilt` was made from a stored response: it has no deltas, no times, and no
    grammar to check. `notes` are for readers.
    """

    source: str
    events: tuple[dict[str, Any], ...]
    id: str | None = None
    times: tuple[float, ...] = ()
    request: dict[str, Any] | None = None
    frames: tuple[Frame, ...] = ()
    spoken: Literal["responses", "chat"] = "responses"
    started_at: datetime | None = None
    rebuilt: bool = False
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, events: Iterable[Event], times: Sequence[float] = (), *, source: str, **more: Any) -> Recording:
        """Return a recording of events of ours."""
        return cls(source=source, events=tuple(map(event_object, events)), times=tuple(times), **more)

    @property
    def response_id(self) -> str | None:
        """The id of the response, if it is known or an event tells it."""
        if self.id is not None:
            return self.id
        for event in self.events:
            response = event.get("response")
            if isinstance(response, dict) and isinstance(response.get("id"), str):
                return cast("str", response["id"])
        return None

    def to_jsonl(self) -> str:
        """Return it as text to keep: a line about the run, then a line for each event."""
        encode = msgspec.json.encode
        head = msgspec.structs.asdict(self) | {"object": _HEADER, "version": _VERSION}
        events, times = head.pop("events"), head.pop("times")
        lines = [encode(head)]
        for place, event in enumerate(events):
            lines.append(encode({"seconds": times[place], "event": event} if times else {"event": event}))
        return b"\n".join(lines).decode() + "\n"

    @classmethod
    def from_jsonl(cls, text: str) -> Recording:
        """Read what `to_jsonl` wrote, or a plain log: one event a line, or a server-sent stream.

        Raises `InvalidRequest` with the number of the line that can't be read.
        """
        head: dict[str, Any] = {"source": "a log"}
        events: list[dict[str, Any]] = []
        times: list[float] = []
        for number, line in enumerate(text.split("\n"), 1):  # JSON text may hold other separators as they are
            value = _read_line(line, number)
            if value is None:
                continue
            if value.get("object") == _HEADER:
                head = {key: each for key, each in value.items() if key not in ("object", "version")}
                continue
            if isinstance(value.get("event"), dict):
                times += [value["seconds"]] if "seconds" in value else []
                value = value["event"]
            events.append(value)
        known = tuple(times) if len(times) == len(events) else ()
        return _checked(cls, {**head, "events": events, "times": known})


def rebuilt(response: Response, *, source: str, **more: Any) -> Recording:
    """Return what a finished response's events must have been, but for its deltas and times."""
    begun = msgspec.structs.replace(
        response, status="in_progress", output=(), usage=None, completed_at=None, error=None, incomplete_details=None
    )
    made: list[Event] = [ev.ResponseCreated(sequence_number=0, response=begun)]
    for place, item in enumerate(response.output):
        made.append(ev.ItemAdded(sequence_number=len(made), output_index=place, item=item))
        made.append(ev.ItemDone(sequence_number=len(made), output_index=place, item=item))
    made.append(_LAST.get(response.status, ev.ResponseIncomplete)(sequence_number=len(made), response=response))
    note = "Made again from the stored response: its deltas and times were not kept."
    return Recording.of(made, source=source, rebuilt=True, notes=(note,), **more)


def event_object(event: Event) -> dict[str, Any]:
    """Return an event of ours as its JSON object."""
    return cast("dict[str, Any]", msgspec.json.decode(msgspec.json.encode(event)))


def _read_line(line: str, number: int) -> dict[str, Any] | None:
    """Return a line's JSON object; None for lines of a server-sent stream that hold none."""
    text = line.removeprefix("data:").strip()
    if not text or text == "[DONE]" or line.startswith((":", "event:", "id:", "retry:")):
        return None
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidRequest(
            f"Line {number} is no JSON object. A log has one event a line, or is a server-sent stream."
        )
    return value


def _checked(cls: type[Recording], values: Mapping[str, Any]) -> Recording:
    try:
        return msgspec.convert(values, cls)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"This is no recording: {error}.") from None
