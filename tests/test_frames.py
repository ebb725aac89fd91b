"""DataFrames of rows and events: their dtypes, sums and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from agentbench import frames
from agentbench.errors import InvalidRequest
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.storage.usage import UsageRow

DTYPES = {
    "id": "string",
    "time": "datetime64[us, UTC]",
    "user": "category",
    "context": "category",
    "conversation_id": "string",
    "response_id": "string",
    "cell_id": "string",
    "execution_count": "Int64",
    "agent": "category",
    "endpoint": "category",
    "model": "category",
    "input_tokens": "Int64",
    "cached_tokens": "Int64",
    "cache_write_tokens": "Int64",
    "output_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "cost": "Float64",
    "time_to_first_token": "Float64",
    "duration": "Float64",
    "status": "category",
    "error_type": "category",
}
NOW = datetime.now(UTC)


def row(**fields: Any) -> UsageRow:
    """Return a row of the ledger."""
    given = {"time": NOW, "model": "m", "duration": 1.0, "status": "completed"} | fields
    return UsageRow(id="use_1", user="ann", context="chat", endpoint="fake", **given)


def frame_of(*rows: UsageRow) -> pd.DataFrame:
    """Return the rows as a DataFrame."""
    return frames.usage_frame({name: [getattr(row, name) for row in rows] for name in UsageRow.__struct_fields__})


def records(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Return some columns as plain rows, None for null."""
    plain = frame[list(names)].astype(object).where(frame[list(names)].notna(), None)
    return list(plain.itertuples(index=False, name=None))


@pytest.mark.parametrize("rows", [(), (row(),), (row(cost=0.5, input_tokens=3), row())])
def test_dtypes(rows: tuple[UsageRow, ...]) -> None:
    """They are the same whatever the rows hold, also where there is none."""
    frame = frame_of(*rows)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert len(frame) == len(rows)


def test_values() -> None:
    """A time keeps its zone; a null is a null, not 0 and not NaN."""
    frame = frame_of(row(input_tokens=3, cost=0.5), row())
    assert frame["time"].tolist() == [pd.Timestamp(NOW)] * 2
    assert records(frame, "input_tokens", "cost", "agent") == [(3, 0.5, None), (None, None, None)]


def test_sums() -> None:
    """A sum is null only where every one of its numbers is."""
    rows = (
        row(model="a", input_tokens=3, cost=0.5),
        row(model="a"),
        row(model="b", input_tokens=2),
        row(model="b", input_tokens=0),
        row(model="c"),
    )
    grouped = frames.grouped(frame_of(*rows), "model")
    assert records(grouped, "model", "calls", "input_tokens", "cost") == [
        ("a", 2, 3, 0.5),
        ("b", 2, 2, None),
        ("c", 1, None, None),
    ]


def test_medians() -> None:
    """Times are in the middle of what is known."""
    durations = (row(duration=1.0), row(duration=2.0, time_to_first_token=0.5), row(duration=9.0))
    grouped = frames.grouped(frame_of(*durations), "model")
    assert records(grouped, "duration", "time_to_first_token") == [(2.0, 0.5)]


def test_several_columns() -> None:
    """One row for each combination that there is; a null is a group of its own."""
    rows = (row(agent="bot"), row(agent="bot", status="failed"), row(), row())
    grouped = frames.grouped(frame_of(*rows), ["agent", "status"])
    assert records(grouped, "agent", "status", "calls") == [
        ("bot", "completed", 1),
        ("bot", "failed", 1),
        (None, "completed", 2),
    ]


def test_days() -> None:
    """`day` is the date of the call, in UTC as the times are."""
    times = ("2026-01-01T23:59:59+00:00", "2026-01-02T00:00:00+00:00", "2026-01-02T01:00:00+02:00")
    rows = [row(time=datetime.fromisoformat(time)) for time in times]
    grouped = frames.grouped(frame_of(*rows), "day")
    assert [(str(day), calls) for day, calls in records(grouped, "day", "calls")] == [
        ("2026-01-01", 2),
        ("2026-01-02", 1),
    ]


@pytest.mark.parametrize("by", ["model", "day", ["day", "agent"], ["model", "model"], ("user",)])
def test_groups_of_nothing(by: Any) -> None:
    """An empty ledger has the columns of any other, each once."""
    empty, full = (frames.grouped(frame_of(*rows), by) for rows in ((), (row(),)))
    assert list(empty.columns) == list(full.columns)
    assert (len(empty), len(full)) == (0, 1)
    assert str(empty["calls"].dtype) == "Int64"


@pytest.mark.parametrize("by", ["cost", "time", "modle", "", ["model", "id"], []])
def test_no_such_group(by: Any) -> None:
    """What can't be grouped by is refused, with what can."""
    with pytest.raises(InvalidRequest, match=r"can't be grouped by .* Choose from: day, conversation_id, "):
        frames.grouped(frame_of(row()), by)


@pytest.mark.parametrize(
    ("since", "ago"),
    [
        ("45s", timedelta(seconds=45)),
        ("90m", timedelta(minutes=90)),
        (" 24h ", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("0d", timedelta()),
        (timedelta(hours=3), timedelta(hours=3)),
        (pd.Timedelta("1D"), timedelta(days=1)),
    ],
)
def test_so_long_ago(since: Any, ago: timedelta) -> None:
    """A span counts back from now."""
    found = frames.moment(since)
    assert found is not None
    assert abs(datetime.now(UTC) - ago - found) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (None, None),
        ("2026-11-01T12:00:00Z", datetime(2026, 11, 1, 12, tzinfo=UTC)),
        ("2026-11-01T12:00+02:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1).astimezone()),
        (datetime(2026, 11, 1), datetime(2026, 11, 1).astimezone()),  # noqa: DTZ001 - local on purpose
        (NOW, NOW),
    ],
)
def test_a_moment(since: Any, expected: datetime | None) -> None:
    """A moment is itself; without a zone it is local."""
    assert frames.moment(since) == expected


def test_today() -> None:
    """It began at midnight here."""
    found = frames.moment("today")
    assert found is not None
    local = found.astimezone()
    assert (local.hour, local.minute, local.date()) == (0, 0, datetime.now().astimezone().date())


@pytest.mark.parametrize("since", ["", "yesterday", "7", "d", "-3d", "7 d", "1.5h", "²d", "9999999999d", "2026-13-01"])
def test_no_moment(since: str) -> None:
    """What isn't a time is refused, with what is."""
    with pytest.raises(InvalidRequest, match=r"is not a time\. Write 90m, 24h, 7d, today or 2026-11-01"):
        frames.moment(since)


def test_events() -> None:
    """One row an event; what an event hasn't is null."""
    builder = EventBuilder(draft(CreateResponse(), model="m"))
    events = builder.start() + builder.text("Hi")
    builder.stop()
    events += builder.finish()
    frame = frames.events_frame(events, [number / 10 for number in range(len(events))])
    assert list(frame.columns) == ["sequence_number", "seconds", "type", "output_index", "item_id", "delta", "json"]
    assert records(frame[frame["delta"].notna()], "type", "output_index", "delta") == [
        ("response.output_text.delta", 0, "Hi")
    ]
    assert frame["sequence_number"].tolist() == list(range(len(events)))


def test_no_events() -> None:
    """The columns are there though nothing came."""
    assert str(frames.events_frame([]).dtypes["output_index"]) == "Int64"
