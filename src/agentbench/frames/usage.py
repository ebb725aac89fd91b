"""What a frame of the ledger can do: sum up, show, draw. Reading it from the database is `ledger`'s."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.frames.charts import Drawing, Kind

__all__ = ["CATEGORIES", "COUNTS", "FRACTIONS", "GROUPS", "TEXTS", "UsageFrame", "grouped", "local"]

CATEGORIES = (
    "user",
    "context",
    "agent",
    "endpoint",
    "model",
    "status",
    "error_type",
    "key_id",
    "notebook",
    "rate_source",
    "flags",
)
TEXTS = ("id", "conversation_id", "response_id", "cell_id")
COUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
FRACTIONS = ("cost", "credits", "time_to_first_token", "duration")
GROUPS = ("day", "cell", "conversation_id", "response_id", "cell_id", *CATEGORIES)
"""What usage can be summed up by."""

_CELL = ("notebook", "cell_id", "execution_count")
_MONEY = ("cost", "credits")
_MEDIANS = ("time_to_first_token", "duration", "tokens_per_second")


class UsageFrame(pd.DataFrame):
    """The ledger, one row a call, or some of its rows and columns. `to_csv` and all else is pandas' own.

    Unknown costs read "unknown" where it is shown; in the data they are null.
    """

    @property
    def _constructor(self) -> type[UsageFrame]:
        return UsageFrame

    def __repr__(self) -> str:
        return repr(self._readable())

    def _repr_html_(self) -> str | None:
        html: str | None = self._readable()._repr_html_()  # type: ignore[operator]  # as above
        return html

    def by(self, *names: str) -> UsageFrame:
        """Return the rows summed up by columns, by the local `day`, or by the notebook `cell` that asked."""
        return grouped(self, names)

    def chart(self, kind: Kind = "all") -> Drawing:
        """Return a chart: `tokens` over time, `cost` by model, `latency`, `cache` hits over time, or all four.

        Raises `MissingExtra` without the extra `plots`.
        """
        from agentbench.frames.charts import draw

        return draw(self, kind)

    def _readable(self) -> pd.DataFrame:
        return pd.DataFrame(self).assign(**{name: _told(self[name]) for name in _MONEY if name in self})


def grouped(frame: pd.DataFrame, by: str | Sequence[str]) -> UsageFrame:
    """Return calls, tokens, cost and median times for each value of `by`, one or several of `GROUPS`.

    A sum is null only where every one of its numbers is.
    """
    names = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    for name in names or [""]:
        if name not in GROUPS:
            raise InvalidRequest(f"Usage can't be grouped by {name!r}. Choose from: {', '.join(GROUPS)}.", param="by")
    if missing := {*COUNTS, *_MONEY, *_MEDIANS, "time"} - set(frame.columns):
        raise InvalidRequest(f"To sum up usage, keep its columns; missing: {', '.join(sorted(missing))}.", param="by")
    if "day" in names:
        frame = frame.assign(day=local(frame["time"]).dt.date)
    keys = list(dict.fromkeys(key for name in names for key in (_CELL if name == "cell" else (name,))))
    groups = pd.DataFrame(frame).groupby(keys, observed=True, dropna=False)
    out = groups.size().astype("Int64").to_frame("calls")
    for name in (*COUNTS, *_MONEY):
        out[name] = groups[name].sum(min_count=1)
    for name in _MEDIANS:
        out[name] = groups[name].median()
    return UsageFrame(out.reset_index())


def local(times: pd.Series[Any]) -> Any:
    """Return the times as a clock here shows them, still with their zone."""
    return times.dt.tz_convert(datetime.now().astimezone().tzinfo)


def _told(costs: Any) -> Any:
    return costs.astype(object).where(costs.notna(), "unknown")
