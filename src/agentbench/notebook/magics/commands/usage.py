"""`%agent usage`: every call and its tokens, as a DataFrame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.magics.options import Option

if TYPE_CHECKING:
    import pandas as pd

    from agentbench.notebook.magics.commands.base import Call

__all__ = ["GROUPS", "Usage"]

GROUPS = ("model", "agent", "endpoint", "day", "status", "context", "conversation_id", "cell_id", "user", "error_type")

# What a reader wants to see first; `--full` shows every column, as does `bench.usage()`.
_SHOWN = (
    "time",
    "agent",
    "endpoint",
    "model",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "cost",
    "time_to_first_token",
    "duration",
    "status",
)


class Usage:
    """Tabulate what calls took."""

    name = "usage"
    summary = "Every call and its tokens, as a DataFrame; summed up with --by."
    argument = ""
    options = (
        Option(
            ("--by",),
            "sum up by model, agent, endpoint, day, status …; several with commas",
            "COLUMNS",
            completes="columns",
        ),
        Option(("--since",), "only from then on: 90m, 24h, 7d, today, 2026-11-01", "WHEN"),
        Option(("--full",), "all columns"),
    )

    async def run(self, call: Call) -> pd.DataFrame:
        """Return the frame, newest call last."""
        by = call.options.get("by")
        names = [name.strip() for name in by.split(",")] if by else None
        frame = call.session.bench.usage(since=call.options.get("since"), by=names)
        return frame if names or call.options.get("full") else _readable(frame[list(_SHOWN)])


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with whole seconds and milliseconds; `--full` keeps every digit."""
    seconds = ["time_to_first_token", "duration"]
    return frame.assign(time=frame["time"].dt.floor("s"), **{name: frame[name].round(3) for name in seconds})
