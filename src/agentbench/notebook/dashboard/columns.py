"""Calls as columns for the page: numbers as they are, words as places in a list of the different ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentbench.storage.usage_tail import Call

__all__ = ["GROUPS", "NUMBERS", "columns", "milliseconds", "utc_offset"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DOLLAR_DIGITS = 10
"""Behind the point: that is less than any price of a token."""
_SECOND_DIGITS = 4

NUMBERS = (
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost",
    "time_to_first_token",
    "duration",
)


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970, which is how the page knows times."""
    return (moment - _EPOCH) // _MILLISECOND


def utc_offset() -> int:
    """Return how many milliseconds the clock here is ahead of UTC now; as in `UsageFrame`, that holds for all days."""
    return (datetime.now().astimezone().utcoffset() or timedelta()) // _MILLISECOND


def _cell(call: Call) -> str | None:
    """Name a notebook's cell as JSON; None for a call from elsewhere."""
    cell = (call.notebook, call.cell_id, call.execution_count)
    return None if cell == (None, None, None) else msgspec.json.encode(cell).decode()


def _error(call: Call) -> str | None:
    return (call.error_type or "unknown") if call.status == "failed" else None


GROUPS: dict[str, Callable[[Call], str | None]] = {
    "model": lambda call: f"{call.endpoint}/{call.model}",
    "agent": lambda call: call.agent,
    "endpoint": lambda call: call.endpoint,
    "cell": _cell,
    "context": lambda call: call.context,
    "error": _error,
}
"""What calls are put together by, besides the day, which follows from the time."""


def columns(calls: Sequence[Call]) -> dict[str, Any]:
    """Return the calls by column, as JSON can hold them. Each time is the difference to the one before."""
    times = [milliseconds(call.time) for call in calls]
    words, codes = {}, {}
    for name, word in GROUPS.items():
        known: dict[str | None, int] = {}
        codes[name] = [known.setdefault(word(call), len(known)) for call in calls]
        words[name] = list(known)
    return {
        "time": [later - earlier for earlier, later in zip([0, *times], times, strict=False)],
        "words": words,
        "codes": codes,
        "numbers": {name: [_number(name, getattr(call, name)) for call in calls] for name in NUMBERS},
    }


def _number(name: str, value: float | None) -> float | None:
    return round(value, _DOLLAR_DIGITS if name == "cost" else _SECOND_DIGITS) if isinstance(value, float) else value
