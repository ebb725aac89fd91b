"""When a run's output items began, grew and ended, read from its events, whatever is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from agentbench.protocol.values import Value

if TYPE_CHECKING:
    from agentbench.protocol.recording import Recording

__all__ = ["ENDS", "Lane", "Timeline", "timeline_of"]

ENDS = frozenset({"response.completed", "response.failed", "response.incomplete"})
_KINDS = {"function_call": "call", "function_call_output": "result"}


class Lane(Value, frozen=True, kw_only=True):
    """One output item. `begins`, `first` (its first delta) and `ends` are places among the events."""

    kind: str
    name: str
    begins: int
    first: int | None
    ends: int | None
    deltas: int


class Timeline(Value, frozen=True, kw_only=True):
    """A run at a glance.

    `scale` holds a position for each event, which never decreases: seconds, or its number where nobody measured.
    """

    lanes: tuple[Lane, ...]
    scale: tuple[float, ...]
    is_measured: bool
    first_token: int | None
    status: str
    tokens: tuple[int, int] | None
    counts: Mapping[str, int]

    @property
    def total(self) -> float | None:
        """Seconds until the last event."""
        return self.scale[-1] if self.is_measured and self.scale else None

    def seconds(self, place: int | None) -> float | None:
        """Return when an event came; None where nobody knows."""
        return None if place is None or not self.is_measured else self.scale[place]


class _Growing:
    def __init__(self, begins: int) -> None:
        self.begins = begins
        self.item: dict[str, Any] = {}
        self.first: int | None = None
        self.ends: int | None = None
        self.deltas = 0


def timeline_of(recording: Recording) -> Timeline:
    """Return a recording's timeline."""
    lanes = _Lanes()
    counts: Counter[str] = Counter()
    response: dict[str, Any] = {}
    first_token = None
    status = ""
    for place, event in enumerate(recording.events):
        kind = str(event.get("type"))
        counts[kind] += 1
        lanes.take(place, kind, event)
        if first_token is None and kind.endswith(".delta"):
            first_token = place
        if isinstance(told := event.get("response"), dict):
            response = told
        if kind in ENDS:
            status = str(response.get("status") or kind.rpartition(".")[2])
    is_measured = len(recording.times) == len(recording.events)
    times = recording.times if is_measured else map(float, range(len(recording.events)))
    return Timeline(
        lanes=lanes.done(),
        scale=tuple(accumulate(times, max, initial=0.0))[1:],
        is_measured=is_measured,
        first_token=first_token,
        status=status,
        tokens=_tokens(response.get("usage")),
        counts=dict(counts.most_common()),
    )


class _Lanes:
    """Items by their place in the output; where a broken stream tells none, by their id."""

    def __init__(self) -> None:
        self._lanes: dict[object, _Growing] = {}

    def take(self, place: int, kind: str, event: Mapping[str, Any]) -> None:
        item = event.get("item")
        item = item if isinstance(item, dict) else {}
        key = event.get("output_index")
        if not isinstance(key, int):
            key = event.get("item_id") or item.get("id")
        if not isinstance(key, int | str):
            return
        lane = self._lanes.setdefault(key, _Growing(place))
        lane.item = item or lane.item
        if kind.endswith(".delta"):
            lane.deltas += 1
            lane.first = place if lane.first is None else lane.first
        if kind == "response.output_item.done":
            lane.ends = place

    def done(self) -> tuple[Lane, ...]:
        items = [lane.item for lane in self._lanes.values()]
        names = {str(item.get("call_id")): item.get("name") for item in items if item.get("name")}
        return tuple(
            Lane(
                kind=_KINDS.get(kind := str(lane.item.get("type", "item")), kind),
                name=str(lane.item.get("name") or names.get(str(lane.item.get("call_id"))) or ""),
                begins=lane.begins,
                first=lane.first,
                ends=lane.ends,
                deltas=lane.deltas,
            )
            for lane in self._lanes.values()
        )


def _tokens(usage: object) -> tuple[int, int] | None:
    if not isinstance(usage, dict):
        return None
    tokens = (usage.get("input_tokens"), usage.get("output_tokens"))
    return (tokens[0], tokens[1]) if isinstance(tokens[0], int) and isinstance(tokens[1], int) else None
