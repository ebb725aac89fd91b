"""A small ledger with every kind of call in it, the same at each run, and what `UsageFrame.by` says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict
from sqlalchemy import insert

from agentbench.storage import tables
from agentbench.storage.database import Database
from agentbench.storage.usage import UsageRow

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["START", "add", "row", "rows"]

START = datetime(2026, 11, 1, 22, 30, tzinfo=UTC)
MODELS = (("cloud", "large"), ("cloud", "small"), ("home", "small"))


def row(number: int = 0, **fields: Any) -> UsageRow:
    """Return a row of the ledger; some of its kinds lack something, as calls do."""
    endpoint, model = MODELS[number % 3]
    failed, silent = number % 11 == 7, number % 7 == 5
    given = {
        "id": f"use_{number}",
        "time": START + timedelta(minutes=17 * number, milliseconds=number),
        "user": "ann",
        "context": "title" if number % 5 == 4 else "message",
        "agent": (None, "coder", "reader")[number % 4 % 3],
        "notebook": None if number % 6 == 0 else "a | b.ipynb",
        "cell_id": None if number % 6 == 0 else f"cell-{number % 3}",
        "execution_count": None if number % 6 == 0 else number % 4,
        "endpoint": endpoint,
        "model": model,
        "input_tokens": None if silent else 100 + number,
        "cached_tokens": None if silent else number % 50,
        "cache_write_tokens": None if silent else number % 3,
        "output_tokens": None if silent else 10 + number % 13,
        "reasoning_tokens": None if silent else number % 10,
        "cost": None if silent or endpoint == "home" else 0.000125 * number,
        "time_to_first_token": None if failed else 0.1 + number / 1000,
        "duration": 0.5 + (number * 37 % 100) / 100,
        "status": "failed" if failed else "completed",
        "error_type": ("rate_limit_error", None)[number % 2] if failed else None,
    }
    return UsageRow(**(given | fields))


def rows(count: int) -> list[UsageRow]:
    """Return so many rows."""
    return [row(number) for number in range(count)]


def add(database: Database | Path, *added: UsageRow) -> None:
    """Put rows into a ledger, which is made if it isn't there."""
    opened = database if isinstance(database, Database) else Database(f"sqlite:///{database}")
    values = [asdict(each) for each in added]
    # Not `write`: where Playwright runs an event loop, there can't be another.
    opened._writer.submit(lambda connection: connection.execute(insert(tables.usage), values)).result(30)
    if opened is not database:
        opened.close()
