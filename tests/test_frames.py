"""DataFrames of rows and events: their dtypes, sums and times."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd
import pytest
from sqlalchemy import insert

from agentbench import frames
from agentbench.errors import InvalidRequest
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.values import new_id
from agentbench.storage import tables, usage, usage_blocks
from agentbench.storage.database import Database
from agentbench.storage.usage import UsageRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    "key_id": "category",
    "notebook": "category",
    "step": "Int64",
    "input_rate": "Float64",
    "cached_rate": "Float64",
    "cache_write_rate": "Float64",
    "output_rate": "Float64",
    "rate_source": "category",
    "credits": "Float64",
    "estimated": "boolean",
    "flags": "category",
    "tokens_per_second": "Float64",
}
NOW = datetime.now(UTC)


class Ledger:
    """A ledger to fill and to read as a frame."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, *rows: UsageRow) -> None:
        """Put rows into it."""

        def job(connection: Any) -> None:
            for each in rows:
                usage.append(connection, each)

        asyncio.run(self.database.write(job))

    def frame(self, *rows: UsageRow, **chosen: Any) -> frames.UsageFrame:
        """Put rows into it, and return all that are chosen."""
        self.add(*rows)
        return frames.read_usage(self.database, **chosen)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Give an empty ledger."""
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Ledger(database)
    database.close()


def row(**fields: Any) -> UsageRow:
    """Return a row of the ledger."""
    given = {"id": new_id("use"), "time": NOW, "model": "m", "duration": 1.0, "status": "completed"} | fields
    return UsageRow(**{"user": "ann", "context": "message", "endpoint": "fake"} | given)


def records(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """Return some columns as plain rows, None for null."""
    plain = frame[list(names)].astype(object).where(frame[list(names)].notna(), None)
    return list(plain.itertuples(index=False, name=None))


@pytest.mark.parametrize("rows", [(), (row(),), (row(cost=0.5, input_tokens=3), row())])
def test_dtypes(ledger: Ledger, rows: tuple[UsageRow, ...]) -> None:
    """They are the same whatever the rows hold, also where there is none."""
    frame = ledger.frame(*rows)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert len(frame) == len(rows)


def test_values(ledger: Ledger) -> None:
    """A time keeps its zone; a null is a null, not 0 and not NaN."""
    frame = ledger.frame(row(input_tokens=3, cost=0.5), row())
    assert frame["time"].tolist() == [pd.Timestamp(NOW)] * 2
    assert records(frame, "input_tokens", "cost", "agent") == [(3, 0.5, None), (None, None, None)]


def test_sums(ledger: Ledger) -> None:
    """A sum is null only where every one of its numbers is."""
    rows = (
        row(model="a", input_tokens=3, cost=0.5),
        row(model="a"),
        row(model="b", input_tokens=2),
        row(model="b", input_tokens=0),
        row(model="c"),
    )
    grouped = frames.grouped(ledger.frame(*rows), "model")
    assert records(grouped, "model", "calls", "input_tokens", "cost") == [
        ("a", 2, 3, 0.5),
        ("b", 2, 2, None),
        ("c", 1, None, None),
    ]


def test_medians(ledger: Ledger) -> None:
    """Times are in the middle of what is known."""
    durations = (row(duration=1.0), row(duration=2.0, time_to_first_token=0.5), row(duration=9.0))
    grouped = frames.grouped(ledger.frame(*durations), "model")
    assert records(grouped, "duration", "time_to_first_token") == [(2.0, 0.5)]


def test_several_columns(ledger: Ledger) -> None:
    """One row for each combination that there is; a null is a group of its own."""
    rows = (row(agent="bot"), row(agent="bot", status="failed"), row(), row())
    grouped = frames.grouped(ledger.frame(*rows), ["agent", "status"])
    assert records(grouped, "agent", "status", "calls") == [
        ("bot", "completed", 1),
        ("bot", "failed", 1),
        (None, "completed", 2),
    ]


def test_days(ledger: Ledger) -> None:
    """`day` is the date of the call, in UTC as the times are."""
    times = ("2026-01-01T23:59:59+00:00", "2026-01-02T00:00:00+00:00", "2026-01-02T01:00:00+02:00")
    rows = [row(time=datetime.fromisoformat(time)) for time in times]
    grouped = frames.grouped(ledger.frame(*rows), "day")
    assert [(str(day), calls) for day, calls in records(grouped, "day", "calls")] == [
        ("2026-01-01", 2),
        ("2026-01-02", 1),
    ]


@pytest.mark.parametrize("by", ["model", "day", ["day", "agent"], ["model", "model"], ("user",)])
def test_groups_of_nothing(ledger: Ledger, by: Any) -> None:
    """An empty ledger has the columns of any other, each once."""
    empty, full = (frames.grouped(ledger.frame(*rows), by) for rows in ((), (row(),)))
    assert list(empty.columns) == list(full.columns)
    assert (len(empty), len(full)) == (0, 1)
    assert str(empty["calls"].dtype) == "Int64"


@pytest.mark.parametrize("by", ["cost", "time", "modle", "", ["model", "id"], []])
def test_no_such_group(ledger: Ledger, by: Any) -> None:
    """What can't be grouped by is refused, with what can."""
    with pytest.raises(InvalidRequest, match=r"can't be grouped by .* Choose from: day, cell, "):
        frames.grouped(ledger.frame(row()), by)


FULL = {
    "conversation_id": "conv_1",
    "response_id": "resp_1",
    "cell_id": 'a "cell"\n',
    "execution_count": 7,
    "agent": "보조",
    "input_tokens": 1200,
    "cached_tokens": 0,
    "cache_write_tokens": 3,
    "output_tokens": 40,
    "reasoning_tokens": 5,
    "cost": 0.1234567890123,
    "time_to_first_token": 0.25,
    "error_type": "upstream_timeout",
    "key_id": "key_1",
    "notebook": "a\tb,c.ipynb",
    "step": 2,
    "input_rate": 0.29,
    "cached_rate": 0.0,
    "cache_write_rate": 3.75,
    "output_rate": 150.0,
    "rate_source": "config",
    "credits": 123456.7890123,
    "estimated": True,
    "flags": "negative,total",
}


def test_rows_come_out_as_they_went_in(ledger: Ledger) -> None:
    """Every field, also with quotes, tabs and line ends in it."""
    full = row(**FULL)
    (found,) = records(ledger.frame(full), *UsageRow.__struct_fields__)
    assert found == msgspec.structs.astuple(full)


def test_blocks(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many blocks there are, each row is there once, oldest first, and ties are in the order of writing."""
    monkeypatch.setattr(usage_blocks, "ROWS", 3)
    rows = [row(id=f"{n:02}", time=NOW - timedelta(hours=n // 2), model=f"m{n % 3}", step=n) for n in range(20)]
    expected = sorted(rows, key=lambda each: each.time)
    found = records(ledger.frame(*rows), "id", "model", "step")
    assert found == [(each.id, each.model, each.step) for each in expected]
    assert len(ledger.frame(model=["m0", "m2"], until=NOW - timedelta(hours=5))) == 5


def test_fifty_thousand_rows(ledger: Ledger) -> None:
    """They take a twentieth of what a million may take, and then some on a busy machine: CPU time and memory."""
    rows = [msgspec.structs.asdict(row(**FULL | {"execution_count": n})) for n in range(50_000)]
    asyncio.run(ledger.database.write(lambda connection: connection.execute(insert(tables.usage), rows)))
    started = time.process_time()
    frame = ledger.frame()
    assert time.process_time() - started < 2
    assert frame["execution_count"].sum() == sum(range(50_000))
    assert frame.memory_usage(deep=True).sum() < 50 * 2**20


def test_a_frame_stays_a_usage_frame(ledger: Ledger) -> None:
    """What is chosen of it can still be summed up."""
    frame = ledger.frame(row(model="a"), row(model="a", status="failed"), row(model="b"))
    chosen = frame[frame["model"] == "a"].sort_values("status")
    assert records(chosen.by("model", "status"), "status", "calls") == [("completed", 1), ("failed", 1)]


def test_what_is_missing_is_named(ledger: Ledger) -> None:
    """A frame without the columns to sum up says so."""
    with pytest.raises(InvalidRequest, match=r"To sum up usage, keep its columns; missing: .*cost"):
        ledger.frame(row())[["model", "time"]].by("model")


def test_cells(ledger: Ledger) -> None:
    """`cell` is one run of one cell of one notebook."""
    cell = {"notebook": "a.ipynb", "cell_id": "c1", "execution_count": 1}
    rows = (row(**cell, cost=0.5), row(**cell, cost=0.25), row(**cell | {"execution_count": 2}), row())
    found = records(ledger.frame(*rows).by("cell"), "notebook", "cell_id", "execution_count", "calls", "cost")
    assert found == [
        ("a.ipynb", "c1", 1, 2, 0.75),
        ("a.ipynb", "c1", 2, 1, None),
        (None, None, None, 1, None),
    ]


def test_unknown_costs(ledger: Ledger) -> None:
    """They are shown in words and stay null in the data."""
    frame = ledger.frame(row(cost=0.5), row())[["model", "cost"]]
    assert "unknown" in repr(frame)
    assert "<td>unknown</td>" in str(frame._repr_html_())
    assert str(frame.dtypes["cost"]) == "Float64"


@pytest.mark.parametrize(
    ("fields", "speed"),
    [
        ({"output_tokens": 30, "duration": 2.0}, 15.0),
        ({"duration": 2.0}, None),
        ({"output_tokens": 30, "duration": 0.0}, None),
    ],
)
def test_tokens_per_second(ledger: Ledger, fields: dict[str, Any], speed: float | None) -> None:
    """Tokens out by the whole duration; unknown where that is unknown or nothing."""
    assert records(ledger.frame(row(**fields)), "tokens_per_second") == [(speed,)]


def test_a_conversation_is_chosen(ledger: Ledger) -> None:
    """By its id or itself; a wrong filter is an error."""
    assert len(ledger.frame(row(conversation_id="c"), row(), conversation="c")) == 1
    with pytest.raises(TypeError, match="modle"):
        ledger.frame(modle="m")


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
