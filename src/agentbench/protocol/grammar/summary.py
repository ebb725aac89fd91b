"""What a recording breaks, and how to say so in a table and a line."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from agentbench.protocol.grammar.chat import check_chat
from agentbench.protocol.grammar.frames import DONE, check_frames, data_of, decoded, is_comment
from agentbench.protocol.grammar.stream import check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol.grammar.report import Violation
    from agentbench.protocol.recording import Recording

__all__ = ["check_recording", "summary", "violation_rows"]

_SHOWN = 5


def check_recording(recording: Recording) -> tuple[Violation, ...]:
    """Return what is wrong with a recorded stream, in the grammar of the protocol that was spoken.

    Where frames of chat completions were recorded, the index of a violation counts those, not the events that were
    made of them. What was rebuilt from a stored response has nothing to check.
    """
    if recording.rebuilt:
        return ()
    frames = [frame.text for frame in recording.frames]
    if recording.spoken == "chat" and frames:
        options = (recording.request or {}).get("stream_options")
        asked = isinstance(options, dict) and options.get("include_usage") is True
        chunks = [decoded(data_of(frame)) for frame in frames if not is_comment(frame)]
        return check_chat(chunks, with_usage=asked)
    return check(recording.events) + (check_frames(frames) if frames else ())


def violation_rows(violations: Sequence[Violation]) -> list[tuple[str, str, str]]:
    """Return rows of rule, event and message: up to five different messages a rule, and how many more there are."""
    rows = []
    for rule, found in groupby(sorted(violations, key=_by_rule), key=lambda each: each.rule):
        some = list(found)
        first: dict[str, Violation] = {}
        for each in some:
            first.setdefault(each.message, each)
        telling = list(first.values())[:_SHOWN]
        rows += [(rule, "" if each.index is None else str(each.index), each.message) for each in telling]
        if len(some) > len(telling):
            rows.append((rule, "", f"… and {len(some) - len(telling):,} more."))
    return rows


def summary(recording: Recording, violations: Sequence[Violation]) -> str:
    """Return how much came, how long it took, and how many rules were broken how often."""
    if recording.spoken == "chat" and recording.frames:
        data = [data_of(frame.text) for frame in recording.frames if not is_comment(frame.text)]
        parts = [_counted(len(data) - data.count(DONE), "chunk")]
    else:
        parts = [_counted(len(recording.events), "event")]
    last = max((*recording.times[-1:], *(frame.seconds for frame in recording.frames[-1:])), default=None)
    if last is not None:
        parts.append(f"{last:.1f} s")
    parts.append(_counted(len(violations), "violation") if violations else "no violation")
    return ", ".join(parts)


def _by_rule(violation: Violation) -> str:
    return violation.rule


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
