"""What the page's tests read: calls as they are sent, and for some choices what `UsageFrame` says of them.

To write it anew: PYTHONPATH=tests python -m notebook.widgets.page_data, then format it with biome.
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench import Workbench
from agentbench.notebook.dashboard.columns import milliseconds
from notebook.widgets.ledger import START, add, rows

if TYPE_CHECKING:
    from agentbench.frames import UsageFrame

__all__ = ["CHOICES", "FILE", "choose", "page_data", "unpacked"]

FILE = Path(__file__).parents[3] / "widgets" / "tests" / "dashboard" / "ledger.json"
CALLS = 200
FIRST = milliseconds(START)
CHOICES: tuple[dict[str, Any], ...] = (
    {"range": None, "filters": {}},
    {"range": [FIRST + 3_600_000, FIRST + 40_000_000], "filters": {}},
    {"range": None, "filters": {"model": ["cloud/small"], "agent": [None, "coder"]}},
    {"range": [0, FIRST + 90_000_000], "filters": {"error": ["unknown", "rate_limit_error"]}},
    {"range": None, "filters": {"cell": [None]}},
    {"range": None, "filters": {"cell": ['["a | b.ipynb","cell-1",1]']}},
    {"range": None, "filters": {"endpoint": ["home"], "context": ["title"]}},
    {"range": None, "filters": {"model": ["cloud/small", "home/small"]}},
    {"range": [FIRST, FIRST + 1], "filters": {"model": ["cloud/small"]}},
)


def unpacked(data: bytes) -> Any:
    """Return what was packed."""
    return msgspec.json.decode(gzip.decompress(data))


def choose(dashboard: Any, choice: dict[str, Any]) -> None:
    """Choose as a page does."""
    dashboard.set_trait("filters", choice["filters"])
    dashboard.set_trait("selected", choice["range"])


def page_data(folder: Path) -> Any:
    """Return what the file holds; the ledger is made in the folder."""
    add(folder / "page.db", *rows(CALLS))
    config = {"endpoints": {"scripted": {"models": {"hello": [{"text": "hi"}]}}}}
    with Workbench(config, database_url=f"sqlite:///{folder / 'page.db'}") as bench:
        dashboard = bench.dashboard()
        snapshot = unpacked(dashboard.rows) | {"offset": 5_400_000}
        found = []
        for choice in CHOICES:
            choose(dashboard, choice)
            found.append(choice | expected(dashboard.frame()))
        dashboard.close()
    return {"snapshot": snapshot, "choices": found}


def expected(frame: UsageFrame) -> dict[str, Any]:
    """Return the chosen rows and their sums."""
    groups = ("model", "agent", "endpoint", "context") if len(frame) else ()
    return {
        "ids": [int(each.removeprefix("use_")) for each in frame["id"]],
        "sums": {name: lines(frame, name) for name in groups},
        "cells": sorted(frame.by("cell")["calls"].tolist()) if len(frame) else [],
    }


def lines(frame: UsageFrame, name: str) -> list[dict[str, Any]]:
    """Return what the frame says of each word of a group."""
    names = {"time_to_first_token": "first", "input_tokens": "input", "output_tokens": "output", name: "word"}
    sums = frame.by(name).rename(columns=names)
    if name == "model":  # which the page tells apart by endpoint
        sums = frame.by("endpoint", "model").rename(columns=names)
        sums["word"] = sums["endpoint"].astype(str) + "/" + sums["word"].astype(str)
    sums = sums[["word", "calls", "input", "output", "cost", "duration", "first"]].round(9)
    plain = sums.astype(object).where(sums.notna(), None)
    return sorted(plain.to_dict("records"), key=lambda each: each["word"] or "")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        FILE.write_bytes(msgspec.json.encode(page_data(Path(made))))
