"""A recording as a DataFrame, whatever its events hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd

if TYPE_CHECKING:
    from agentbench.protocol.recording import Recording

__all__ = ["recording_frame"]


def recording_frame(recording: Recording) -> pd.DataFrame:
    """Return one row an event, in the columns of `events_frame`; a value of a wrong type is missing.

    `seconds` are missing where nobody measured.
    """
    events = recording.events
    frame = pd.DataFrame(
        {
            "sequence_number": pd.array(_typed(events, "sequence_number", int), dtype="Int64"),
            "seconds": pd.array(recording.times or [None] * len(events), dtype="Float64"),
            "type": pd.array(_typed(events, "type", str), dtype="string"),
            "output_index": pd.array(_typed(events, "output_index", int), dtype="Int64"),
            "item_id": pd.array(_typed(events, "item_id", str), dtype="string"),
            "delta": pd.array(_typed(events, "delta", str), dtype="string"),
            "json": pd.array([msgspec.json.encode(event).decode() for event in events], dtype="string"),
        }
    )
    frame["type"] = frame["type"].astype("category")
    return frame


def _typed(events: tuple[dict[str, Any], ...], key: str, kind: type) -> list[Any]:
    values = (event.get(key) for event in events)
    return [value if type(value) is kind else None for value in values]
