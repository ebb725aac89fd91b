"""Events and settings as DataFrames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pandas as pd

from agentbench.config.explain import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentbench.config.layers import Setting
    from agentbench.protocol import Event

__all__ = ["events_frame", "settings_frame"]


def settings_frame(settings: Mapping[str, Mapping[str, Setting]]) -> pd.DataFrame:
    """Return what `bench.config.settings()` tells: a row a setting, with its value as text and who set it where."""
    rows = [
        (endpoint, key, shown(key, each.value), each.layer, each.origin)
        for endpoint, keys in settings.items()
        for key, each in keys.items()
    ]
    frame = pd.DataFrame(rows, columns=["endpoint", "key", "value", "layer", "from"], dtype="string")
    return frame.astype({"endpoint": "category", "layer": "category"})


def events_frame(events: Iterable[Event], times: Sequence[float] | None = None) -> pd.DataFrame:
    """Return one row an event: number, type, place, the piece of text, and all of it as JSON.

    `times` are seconds since the request, one an event.
    """
    listed = list(events)
    frame = pd.DataFrame(
        {
            "sequence_number": [event.sequence_number for event in listed],
            "type": [str(event.__struct_config__.tag) for event in listed],
            "output_index": [getattr(event, "output_index", None) for event in listed],
            "item_id": [getattr(event, "item_id", None) for event in listed],
            "delta": [getattr(event, "delta", None) for event in listed],
            "json": [msgspec.json.encode(event).decode() for event in listed],
        }
    )
    frame["type"] = frame["type"].astype("category")
    frame["output_index"] = frame["output_index"].astype("Int64")
    for name in ("item_id", "delta", "json"):
        frame[name] = frame[name].astype("string")
    if times is not None:
        frame.insert(1, "seconds", list(times))
    return frame
