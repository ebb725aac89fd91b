"""Rows, runs and events as pandas DataFrames with real dtypes. The one room below the notebook that knows pandas."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd

from agentbench.config.explain import shown
from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentbench.config.layers import Setting
    from agentbench.protocol import Event

__all__ = ["events_frame", "grouped", "moment", "settings_frame", "usage_frame"]

_CATEGORIES = ("user", "context", "agent", "endpoint", "model", "status", "error_type")
_GROUPS = ("day", "conversation_id", "cell_id", *_CATEGORIES)
_COUNTS = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
)
_SECONDS = ("time_to_first_token", "duration")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def usage_frame(columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Return the ledger's columns with dtypes: times with their zone, Int64 counts, Float64 numbers, categories."""
    frame = pd.DataFrame(dict(columns))
    frame["time"] = pd.to_datetime(frame["time"], utc=True).astype("datetime64[us, UTC]")
    for name in (*_COUNTS, "execution_count"):
        frame[name] = frame[name].astype("Int64")
    for name in ("cost", *_SECONDS):
        frame[name] = frame[name].astype("Float64")
    for name in _CATEGORIES:
        frame[name] = frame[name].astype("category")
    for name in ("id", "conversation_id", "response_id", "cell_id"):
        frame[name] = frame[name].astype("string")
    return frame


def settings_frame(settings: Mapping[str, Mapping[str, Setting]]) -> pd.DataFrame:
    """Return what `bench.config.settings()` tells: a row a setting, with its value as text and who set it where."""
    rows = [
        (endpoint, key, shown(key, each.value), each.layer, each.origin)
        for endpoint, keys in settings.items()
        for key, each in keys.items()
    ]
    frame = pd.DataFrame(rows, columns=["endpoint", "key", "value", "layer", "from"], dtype="string")
    return frame.astype({"endpoint": "category", "layer": "category"})


def grouped(frame: pd.DataFrame, by: str | Sequence[str]) -> pd.DataFrame:
    """Return calls, tokens, cost and median times for each value of `by`: columns of the ledger, or the local `day`.

    A sum is null only where every one of its numbers is.
    """
    names = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    for name in names or [""]:
        if name not in _GROUPS:
            raise InvalidRequest(f"Usage can't be grouped by {name!r}. Choose from: {', '.join(_GROUPS)}.", param="by")
    if "day" in names:
        frame = frame.assign(day=frame["time"].dt.tz_convert(datetime.now().astimezone().tzinfo).dt.date)
    groups = frame.groupby(names, observed=True, dropna=False)
    out = groups.size().astype("Int64").to_frame("calls")
    for name in (*_COUNTS, "cost"):
        out[name] = groups[name].sum(min_count=1)
    for name in _SECONDS:
        out[name] = groups[name].median()
    return out.reset_index()


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


def moment(since: datetime | timedelta | str | None) -> datetime | None:
    """Return the moment that `since` means: itself, so long ago (`"90m"`, `"24h"`, `"7d"`), `"today"`, or a date.

    A time without a zone is local.
    """
    if since is None:
        return None
    if isinstance(since, timedelta):
        return datetime.now(UTC) - since
    if isinstance(since, datetime):
        return since.astimezone(UTC)
    try:
        return _written(since.strip())
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{since!r} is not a time. Write 90m, 24h, 7d, today or 2026-11-01.", param="since"
        ) from None


def _written(text: str) -> datetime:
    if text == "today":
        return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    if text[-1:] in _UNITS and text[:-1].isdecimal():
        return datetime.now(UTC) - timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    return datetime.fromisoformat(text).astimezone(UTC)
