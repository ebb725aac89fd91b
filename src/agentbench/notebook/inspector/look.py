"""A recording together with what is found out about it, and its form for the view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import AgentbenchError
from agentbench.notebook.inspector.timeline import timeline_of
from agentbench.protocol.grammar import CHAT_RULES, FRAME_RULES, RULES, check_recording
from agentbench.protocol.grammar.frames import is_comment
from agentbench.surfaces.wires import WIRES, sent_raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.protocol.grammar import Rule, Violation
    from agentbench.protocol.recording import Recording
    from agentbench.surfaces.wires import Sent

__all__ = ["MOST_EVENTS", "Look"]

MOST_EVENTS = 50_000
_MOST_VIOLATIONS = 2_000
_OF_FRAMES = frozenset(rule.name for rule in (*CHAT_RULES, *FRAME_RULES))


class Look:
    """One side of an inspector. Of a longer run the first 50,000 events are shown; all of them are checked."""

    def __init__(self, recording: Recording, *, goes_on: bool = False) -> None:
        self.whole = recording
        self.goes_on = goes_on
        self.rules = _rules(recording)
        found = check_recording(recording)
        self.violations: Sequence[Violation] = _so_far(found) if goes_on else found
        self.recording = _cut(recording)
        self.timeline = timeline_of(self.recording)

    @property
    def status(self) -> str:
        """How it ended, or that it did not."""
        if self.timeline.status:
            return self.timeline.status
        if self.goes_on:
            return "running"
        return "unfinished" if self.whole.events or self.whole.frames else "failed"

    def wire(self, wire: str) -> tuple[Sent, ...]:
        """Return what our surface for a wire sends; raises `InvalidRequest` for events that it could not send."""
        return sent_raw(self.recording.events, wire, times=self.recording.times)

    def wires(self) -> dict[str, Any]:
        """Return what all surfaces send, or why they can't."""
        return {wire: self._sent_or_error(wire) for wire in WIRES}

    def values(self) -> dict[str, Any]:
        """Return all that the view needs."""
        recording, sentences = self.recording, {rule.name: rule.sentence for rule in self.rules}
        return msgspec.structs.asdict(recording) | {
            "id": recording.response_id,
            "total": len(self.whole.events),
            "status": self.status,
            "goes_on": self.goes_on,
            "rules": 0 if recording.rebuilt else len(self.rules),
            "violation_count": len(self.violations),
            "violations": [
                {"rule": each.rule, "sentence": sentences.get(each.rule, ""), "message": each.message, **place}
                for each, place in zip(self.violations[:_MOST_VIOLATIONS], self._places(), strict=False)
            ],
        }

    def _places(self) -> Iterable[dict[str, int | None]]:
        """Yield which event each violation is about, or which frame where its rule is one of frames."""
        frames = [place for place, frame in enumerate(self.whole.frames) if not is_comment(frame.text)]
        for each in self.violations:
            is_of_frame = each.rule in _OF_FRAMES
            known = each.index is not None and each.index < len(frames)
            frame = frames[each.index or 0] if is_of_frame and known else None
            yield {"event": None if is_of_frame else each.index, "frame": frame}

    def _sent_or_error(self, wire: str) -> dict[str, Any]:
        try:
            return {"frames": self.wire(wire)}
        except AgentbenchError as error:
            return {"error": error.message}


def _rules(recording: Recording) -> tuple[Rule, ...]:
    if recording.spoken == "chat" and recording.frames:
        return CHAT_RULES
    return RULES + (FRAME_RULES if recording.frames else ())


def _so_far(violations: Sequence[Violation]) -> list[Violation]:
    """Leave out what is only missing because the run goes on."""
    return [each for each in violations if each.index is not None]


def _cut(recording: Recording) -> Recording:
    count = len(recording.events)
    if count <= MOST_EVENTS:
        return recording
    note = f"Only the first {MOST_EVENTS:,} of {count:,} events are shown. --save and the grammar have all of them."
    return msgspec.structs.replace(
        recording,
        events=recording.events[:MOST_EVENTS],
        times=recording.times[:MOST_EVENTS],
        frames=recording.frames[:MOST_EVENTS],
        notes=(*recording.notes, note),
    )
