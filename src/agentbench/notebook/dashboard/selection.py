"""Which calls are looked at: those within a range of time that pass the filters. The page chooses by the same rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from agentbench.notebook.dashboard.columns import GROUPS, milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    from agentbench.storage.usage_tail import Call

__all__ = ["DAY", "Selection", "day_of"]

DAY = 24 * 3600 * 1000
"""Milliseconds."""


class Selection(NamedTuple):
    """A range from a millisecond on and before another, or all; and for each filter the words that pass."""

    range: tuple[float, float] | None = None
    filters: Mapping[str, Sequence[str | None]] = {}
    offset: int = 0

    @classmethod
    def of(cls, selected: Sequence[float] | None, filters: Mapping[str, Sequence[str | None]], offset: int) -> Self:
        """Return what a page chose; a filter without words, or of no such name, is none."""
        known = {name: words for name, words in filters.items() if words and name in {"day", *GROUPS}}
        return cls((selected[0], selected[1]) if selected else None, known, offset)

    def calls(self, calls: Sequence[Call]) -> list[Call]:
        """Return those of the calls that are chosen."""
        if self.range is None and not self.filters:
            return list(calls)
        return [call for call in calls if self._holds(call)]

    def _holds(self, call: Call) -> bool:
        if self.range is not None and not self.range[0] <= milliseconds(call.time) < self.range[1]:
            return False
        for name, words in self.filters.items():
            word = day_of(call, self.offset) if name == "day" else GROUPS[name](call)
            if word not in words:
                return False
        return True


def day_of(call: Call, offset: int) -> str:
    """Return the call's day by a clock that is so many milliseconds ahead of UTC."""
    days = (milliseconds(call.time) + offset) // DAY
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days):%Y-%m-%d}"
