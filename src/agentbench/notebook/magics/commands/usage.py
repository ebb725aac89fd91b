"""`%agent usage`: every call and its tokens, as a DataFrame, a chart or a file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest, MissingExtra
from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.frames import UsageFrame
    from agentbench.frames.charts import Drawing
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.widgets.dashboard import Dashboard

__all__ = ["GROUPS", "Usage"]

GROUPS = (
    "model",
    "agent",
    "endpoint",
    "day",
    "cell",
    "notebook",
    "status",
    "context",
    "conversation_id",
    "cell_id",
    "user",
    "key_id",
    "error_type",
)

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
    summary = "Every call and its tokens, as a DataFrame; summed up with --by, as charts with --plot, live with --live."
    argument = ""
    options = (
        Option(
            ("--by",),
            "sum up by model, agent, endpoint, day, cell, notebook, status …; several with commas",
            "COLUMNS",
            completes="columns",
        ),
        Option(("--since",), "only from then on: 90m, 24h, 7d, today, 2026-11-01", "WHEN"),
        Option(("--full",), "all columns"),
        Option(("--plot",), "charts: tokens over time, cost by model, waits, cache hits"),
        Option(("--live",), "a dashboard that follows the calls as they are made"),
        Option(("--export",), "write all columns, or the sums, to a .csv or .parquet file", "FILE"),
    )

    async def run(self, call: Call) -> UsageFrame | Drawing | Table | Dashboard:
        """Return the frame, newest call last; or its charts; or a dashboard; or what was written."""
        by, file = call.options.get("by"), call.options.get("export")
        names = [name.strip() for name in by.split(",")] if by else None
        if call.options.get("live"):
            return _live(call)
        if call.options.get("plot") and (names or file):
            raise InvalidRequest("--plot draws single calls, and goes with neither --by nor --export.")
        if file and file.endswith(".parquet") and find_spec("pyarrow") is None:
            raise MissingExtra("parquet", "A Parquet file")
        frame = call.session.bench.usage(since=call.options.get("since"), by=names)
        if call.options.get("plot"):
            return frame.chart()
        if file:
            return _exported(frame, file)
        return frame if names or call.options.get("full") else _readable(frame[list(_SHOWN)])


def _live(call: Call) -> Dashboard:
    if others := sorted({"by", "full", "plot", "export"} & {name for name, value in call.options.items() if value}):
        raise InvalidRequest(f"--live shows calls as they are made; it doesn't go with --{others[0]}.")
    since = call.options.get("since")
    return call.session.bench.dashboard(**({} if since is None else {"since": since}))


def _readable(frame: UsageFrame) -> UsageFrame:
    """Return the frame with whole seconds and milliseconds; `--full` keeps every digit."""
    seconds = ["time_to_first_token", "duration"]
    return frame.assign(time=frame["time"].dt.floor("s"), **{name: frame[name].round(3) for name in seconds})


def _exported(frame: UsageFrame, name: str) -> Table:
    file = Path(name).expanduser()
    try:
        if file.suffix == ".csv":
            frame.to_csv(file, index=False)
        elif file.suffix == ".parquet":
            frame.to_parquet(file, index=False)
        else:
            raise InvalidRequest(f"--export {file}: name a file that ends in .csv or .parquet.", param="export")
    except OSError as error:
        raise InvalidRequest(f"--export {file}: {error.strerror or error}.", param="export") from error
    return Table(("written to", "rows"), [(str(file), str(len(frame)))])
