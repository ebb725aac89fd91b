"""The check of the frames that a stream comes in: server-sent events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.grammar.report import Report, Rule, Violation, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DONE", "FRAME_RULES", "check_frames", "data_of", "decoded", "is_comment"]

_SECTION = "Streaming HTTP Responses"
_LINE_END = re.compile("\r\n|\n|\r")  # no other, as JSON text may hold those as they are
DONE = "[DONE]"
"""The data of the last frame, which is no JSON."""

FRAME_RULES: tuple[Rule, ...] = tuple(
    Rule(name=name, sentence=sentence, section=_SECTION)
    for name, sentence in (
        ("frame-json", "The data of each frame is one JSON object."),
        ("frame-event", "The `event` line of a frame repeats the type in its data."),
        ("frame-id", "Frames have no `id` line."),
        ("frame-done", "The last frame is `data: [DONE]`."),
    )
)


def check_frames(frames: Iterable[str]) -> tuple[Violation, ...]:
    """Return what is wrong with the frames of an Open Responses stream, each as it came; comments don't count."""
    report = Report()
    done = False
    for index, frame in enumerate(frame for frame in frames if not is_comment(frame)):
        report.index = index
        if done:
            report.add("frame-done", "A frame comes after [DONE].")
        elif (data := data_of(frame)) == DONE:
            done = True
        else:
            _check_frame(frame, data, report)
    if not done:
        report.index = None
        report.add("frame-done", "The stream ends without data: [DONE].")
    return tuple(report.violations)


def data_of(frame: str) -> str:
    """Return the data of a server-sent frame."""
    return "\n".join(_field(line, "data") for line in _lines(frame) if line.startswith("data:"))


def is_comment(frame: str) -> bool:
    """Tell whether a frame holds no data, as those do that keep a connection alive."""
    return not any(line.startswith("data:") for line in _lines(frame))


def decoded(data: str) -> Any:
    """Return the JSON value in the data of a frame; the text itself where it is none."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return data


def _check_frame(frame: str, data: str, report: Report) -> None:
    value = decoded(data)
    if not isinstance(value, dict):
        report.add("frame-json", f"Expected a JSON object, got {shown(value)}.")
        return
    lines = _lines(frame)
    names = [_field(line, "event") for line in lines if line.startswith("event:")]
    if names[-1:] != [value.get("type")]:
        told = shown(names[-1]) if names else "none"
        report.add("frame-event", f"event: expected {shown(value.get('type'))}, got {told}.")
    if any(line.startswith("id:") for line in lines):
        report.add("frame-id", "The frame has an id line.")


def _lines(frame: str) -> list[str]:
    return _LINE_END.split(frame)


def _field(line: str, name: str) -> str:
    return line[len(name) + 1 :].removeprefix(" ")
