"""Charts of the ledger: what they draw, how little they hold, what they say without data."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pandas as pd
import pytest

from agentbench.errors import InvalidRequest, MissingExtra
from agentbench.frames import UsageFrame
from agentbench.frames.charts import MIME_TYPE, Kind

if TYPE_CHECKING:
    from agentbench.frames.charts import Drawing

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBERS = {
    "input_tokens": "Int64",
    "cached_tokens": "Int64",
    "cache_write_tokens": "Int64",
    "output_tokens": "Int64",
    "cost": "Float64",
    "time_to_first_token": "Float64",
    "duration": "Float64",
}


def frame_of(*calls: dict[str, Any]) -> UsageFrame:
    """Return a frame of the ledger with the columns that charts look at."""
    columns = {name: [call.get(name) for call in calls] for name in ("time", "endpoint", "model", *NUMBERS)}
    frame = UsageFrame(columns).astype(NUMBERS | {"endpoint": "category", "model": "category"})
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    return frame


def call(**fields: Any) -> dict[str, Any]:
    """Return one call."""
    return {"time": START, "endpoint": "cloud", "model": "m", "duration": 1.0} | fields


def bundle(drawing: Drawing) -> dict[str, Any]:
    """Return what a notebook gets to show."""
    return drawing._repr_mimebundle_()


def only(drawing: Drawing) -> list[dict[str, Any]]:
    """Return the data of a single chart as plain rows."""
    (data,) = drawing.data.values()
    return data.to_dict("records")


def test_tokens_are_in_one_series_each() -> None:
    """Cached tokens are taken out of the input, so that the bars add up."""
    frame = frame_of(call(input_tokens=100, cached_tokens=60, cache_write_tokens=10, output_tokens=5), call())
    found = {row["kind"]: row["tokens"] for row in only(frame.chart("tokens"))}
    assert found == {"input": 30, "cache read": 60, "cache write": 10, "output": 5}


def test_costs_are_by_model() -> None:
    """The dearest first; calls of unknown cost are counted."""
    frame = frame_of(call(cost=0.25), call(model="dear", cost=2.0), call(), call(cost=0.5))
    assert only(frame.chart("cost")) == [
        {"model": "cloud/dear", "dollars": 2.0, "unknown": 0},
        {"model": "cloud/m", "dollars": 0.75, "unknown": 1},
    ]
    assert list(frame.chart("cost").data) == ["Cost by model, 1 unknown"]


def test_waits_are_all_counted() -> None:
    """Every known wait is in one bar."""
    frame = frame_of(*(call(duration=0.0 + n, time_to_first_token=n / 10 or None) for n in range(50)))
    data = pd.DataFrame(only(frame.chart("latency")))
    assert data.groupby("wait")["calls"].sum().to_dict() == {"first token": 49, "whole answer": 50}


def test_cache_hits_are_a_share() -> None:
    """Of the tokens, not of the calls; calls of unknown input don't count."""
    frame = frame_of(call(input_tokens=100, cached_tokens=0), call(input_tokens=300, cached_tokens=100), call())
    assert [row["share"] for row in only(frame.chart("cache"))] == [0.25]


def test_times_get_coarser() -> None:
    """The longer the time, the longer the steps; never are there more than a hundred."""
    for days, step in ((0.01, "minute"), (1, "hour"), (30, "day"), (300, "week"), (2000, "month")):
        calls = [call(time=START + timedelta(days=days * part / 500), input_tokens=1) for part in range(500)]
        drawing = frame_of(*calls).chart("tokens")
        assert list(drawing.data) == [f"Tokens per {step}"]
        assert len(only(drawing)) <= 100


def test_a_long_ledger_stays_out_of_the_notebook() -> None:
    """A hundred thousand rows become a few hundred numbers."""
    frame = pd.concat([frame_of(call(input_tokens=9, output_tokens=9, cost=0.1, time_to_first_token=0.1))] * 1000)
    frame = UsageFrame(pd.concat([frame] * 100, ignore_index=True))
    frame["time"] += pd.to_timedelta(range(len(frame)), unit="min")
    assert len(msgspec.json.encode(bundle(frame.chart()))) < 50_000


@pytest.mark.parametrize("kind", get_args(Kind))
def test_nothing_to_draw(kind: Kind) -> None:
    """An empty ledger gives a chart that says so."""
    text = msgspec.json.encode(bundle(frame_of().chart(kind))).decode()
    assert "No tokens were counted." in text or "No call was made." in text or "No input was counted." in text


@pytest.mark.parametrize("kind", get_args(Kind))
def test_it_is_drawn_with_no_network(kind: Kind) -> None:
    """JupyterLab gets Vega-Lite of its own version, and a terminal the numbers; no page, no script."""
    shown = bundle(frame_of(call(input_tokens=3, cached_tokens=1, output_tokens=2, cost=0.1)).chart(kind))
    assert list(shown) == [MIME_TYPE, "text/plain"]
    assert shown[MIME_TYPE]["$schema"].endswith("/v5.json")
    assert shown["text/plain"].strip()


def test_no_such_chart() -> None:
    """What can't be drawn is refused, with what can."""
    with pytest.raises(
        InvalidRequest, match=r"There is no chart 'pie'\. Choose from: all, tokens, cost, latency, cache\."
    ):
        frame_of(call()).chart("pie")  # type: ignore[arg-type]


def test_without_altair(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra to install is named."""
    monkeypatch.setitem(sys.modules, "altair", None)
    monkeypatch.delitem(sys.modules, "agentbench.frames.charts")
    with pytest.raises(MissingExtra, match=r"agentbench\[plots\]"):
        frame_of(call()).chart()
