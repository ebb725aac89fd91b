"""Charts of the ledger. Every chart sums up first, so that a notebook holds a few hundred numbers, not the ledger.

Owns what is drawn; altair turns it into Vega-Lite, and JupyterLab draws that with nothing from the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from agentbench.errors import InvalidRequest, MissingExtra
from agentbench.frames.usage import local

try:
    import altair as alt
except ImportError as error:
    raise MissingExtra("plots", "A chart") from error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Drawing", "Kind", "draw"]

Kind: TypeAlias = Literal["all", "tokens", "cost", "latency", "cache"]

MIME_TYPE = "application/vnd.vegalite.v5+json"
"""The newest Vega-Lite that JupyterLab 4 draws by itself. What is drawn here is the same in 5 and 6."""
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # a name; nobody loads it

STEPS = ("min", "h", "D", "W", "MS")
MOST_STEPS = 100
MOST_MODELS = 15
BARS = 40
WIDTH, HEIGHT = 330, 200
_LOG = alt.Scale(type="log", nice=False)


class Drawing:
    """A chart in a notebook. `chart` is altair's, to change or save it; `data` is what it draws."""

    def __init__(self, chart: alt.TopLevelMixin, data: dict[str, pd.DataFrame]) -> None:
        self.chart = chart
        self.data = data

    def __repr__(self) -> str:
        return "\n\n".join(f"{title}\n{frame.to_string(index=False)}" for title, frame in self.data.items())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002 - IPython's shape
        return {MIME_TYPE: self.chart.to_dict() | {"$schema": SCHEMA}, "text/plain": repr(self)}


def draw(frame: pd.DataFrame, kind: Kind = "all") -> Drawing:
    """Return the chart of that kind for these rows of the ledger; without anything to draw it says so."""
    if kind not in get_args(Kind):
        raise InvalidRequest(f"There is no chart {kind!r}. Choose from: {', '.join(get_args(Kind))}.", param="kind")
    frame = pd.DataFrame(frame)
    parts = [_PARTS[each](frame) for each in (_PARTS if kind == "all" else [kind])]
    charts = [chart for chart, _ in parts]
    whole = alt.concat(*charts, columns=2).resolve_scale(color="independent") if kind == "all" else charts[0]
    return Drawing(whole, {str(chart.title): data for chart, data in parts})


def _tokens(frame: pd.DataFrame) -> tuple[alt.Chart, pd.DataFrame]:
    """Tokens over time; each in one series: cached ones aren't among the input here."""
    cached, written = frame["cached_tokens"].fillna(0), frame["cache_write_tokens"].fillna(0)
    series = {
        "input": frame["input_tokens"] - cached - written,
        "cache read": cached,
        "cache write": written,
        "output": frame["output_tokens"],
    }
    step, times = _steps(frame)
    sums = pd.DataFrame(series).groupby(times).sum().astype(float)
    data = sums.rename_axis("time").reset_index().melt("time", var_name="kind", value_name="tokens")
    data = data[data["tokens"] > 0]
    encoding = {
        "x": alt.X("time:T", title=None),
        "y": alt.Y("tokens:Q", title="tokens", axis=alt.Axis(format="~s")),
        "color": alt.Color("kind:N", title=None, sort=list(series)),
        "tooltip": ["time:T", "kind:N", alt.Tooltip("tokens:Q", format=",")],
    }
    return _chart(data, f"Tokens per {step}", "bar", encoding, "No tokens were counted."), data


def _cost(frame: pd.DataFrame) -> tuple[alt.Chart, pd.DataFrame]:
    missing = frame.assign(unknown=frame["cost"].isna())
    sums = missing.groupby(["endpoint", "model"], observed=True)[["cost", "unknown"]].sum().reset_index()
    data = pd.DataFrame(
        {
            "model": sums["endpoint"].astype(str) + "/" + sums["model"].astype(str),
            "dollars": sums["cost"].astype(float),
            "unknown": sums["unknown"].astype(int),
        }
    ).nlargest(MOST_MODELS, ["dollars", "unknown"])
    unknown = int(frame["cost"].isna().sum())
    title = "Cost by model" + (f", {unknown:,} unknown" if unknown else "")
    encoding = {
        "x": alt.X("dollars:Q", title="US dollars"),
        "y": alt.Y("model:N", sort=None, title=None),
        "tooltip": ["model:N", "dollars:Q", alt.Tooltip("unknown:Q", title="calls of unknown cost")],
    }
    return _chart(data, title, "bar", encoding, "No call was made."), data


def _latency(frame: pd.DataFrame) -> tuple[alt.Chart, pd.DataFrame]:
    """Counts in bars that grow by a factor, as waits do."""
    names = {"first token": "time_to_first_token", "whole answer": "duration"}
    known = {name: frame[column].dropna().to_numpy(dtype=float) for name, column in names.items()}
    known = {name: np.maximum(values, 1e-3) for name, values in known.items() if len(values)}
    rows = []
    if known:
        low, high = (function([function(each) for each in known.values()]) for function in (min, max))
        edges = np.geomspace(low * 0.99, high * 1.01, BARS + 1)
        for name, values in known.items():
            counts, _ = np.histogram(values, edges)
            rows += [(name, *each) for each in zip(edges, edges[1:], counts.tolist(), strict=False) if each[2]]
    data = pd.DataFrame(rows, columns=["wait", "from", "to", "calls"])
    encoding = {
        "x": alt.X("from:Q", title="seconds", scale=_LOG, axis=alt.Axis(format="~g", tickCount=6)),
        "x2": "to:Q",
        "y2": alt.Y2Datum(0),
        "y": alt.Y("calls:Q", title="calls", stack=None, axis=alt.Axis(format="~s", tickMinStep=1)),
        "color": alt.Color("wait:N", title=None),
        "opacity": alt.value(0.6),
        "tooltip": ["wait:N", alt.Tooltip("from:Q", format=".3~g"), alt.Tooltip("to:Q", format=".3~g"), "calls:Q"],
    }
    return _chart(data, "Seconds waited", "bar", encoding, "No call was made."), data


def _cache(frame: pd.DataFrame) -> tuple[alt.Chart, pd.DataFrame]:
    counted = frame[frame["input_tokens"].gt(0).fillna(value=False)]
    step, times = _steps(counted)
    sums = counted[["cached_tokens", "input_tokens"]].groupby(times).sum().astype(float)
    data = (sums["cached_tokens"] / sums["input_tokens"].where(sums["input_tokens"] > 0)).dropna()
    shares = data.rename_axis("time").rename("share").reset_index()
    encoding = {
        "x": alt.X("time:T", title=None),
        "y": alt.Y("share:Q", title="of input tokens", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
        "tooltip": ["time:T", alt.Tooltip("share:Q", format=".1%")],
    }
    mark = {"type": "line", "point": True}
    return _chart(shares, f"Read from the cache, per {step}", mark, encoding, "No input was counted."), shares


_PARTS: dict[str, Callable[[pd.DataFrame], tuple[alt.Chart, pd.DataFrame]]] = {
    "tokens": _tokens,
    "cost": _cost,
    "latency": _latency,
    "cache": _cache,
}
_NAMES = {"min": "minute", "h": "hour", "D": "day", "W": "week", "MS": "month"}


def _chart(data: pd.DataFrame, title: str, mark: Any, encoding: dict[str, Any], otherwise: str) -> alt.Chart:
    if data.empty:
        note = alt.Chart(pd.DataFrame({"note": [otherwise]}))
        chart = note.mark_text(color="gray").encode(text="note:N")
    else:
        chart = alt.Chart(data, mark=mark).encode(**encoding)
    sized: alt.Chart = chart.properties(title=title, width=WIDTH, height=HEIGHT)
    return sized


def _steps(frame: pd.DataFrame) -> tuple[str, pd.Series]:
    """Return the finest step that needs few enough, and each row's: when its step began, by the clock here."""
    times = local(frame["time"]).dt.tz_localize(None)
    for step in STEPS:
        period = {"MS": "M"}.get(step, step)
        starts = times.dt.to_period(period).dt.start_time
        if starts.nunique() <= MOST_STEPS:
            break
    return _NAMES[step], starts
