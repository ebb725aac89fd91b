"""What a workbench lets people spend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from agentbench import Workbench
from agentbench.errors import InsufficientBalance

if TYPE_CHECKING:
    from pathlib import Path

# Nearly what a call may take at most, so that no eleventh can be paid from what ten leave.
USAGE = {"input_tokens": 5, "output_tokens": 100}
MODEL = [{"wait": 0.2}, {"text": "Seven minutes."}, {"usage": USAGE}]
RATES = {"prompt": 2.5, "completion": 15}


def config(start: float) -> dict[str, Any]:
    """Return a config in which everybody starts with so many credits."""
    return {
        "balance": {"enabled": True, "startBalance": start},
        "endpoints": {"scripted": {"models": {"egg": MODEL}, "tokenConfig": {"egg": RATES}}},
        "agents": [{"id": "chef", "endpoint": "scripted", "model": "egg"}],
    }


def asked(bench: Workbench) -> Exception | str:
    """Ask; return the answer or the error."""
    try:
        return bench.ask("How long?", max_output_tokens=100).output_text
    except InsufficientBalance as error:
        return error


def needed(home: Path) -> float:
    """Return what a call needs at most, in credits, as one that can't be paid is told."""
    with Workbench(config(0), home=home) as poor:
        error = asked(poor)
    assert isinstance(error, InsufficientBalance)
    return error.needed


def test_fifty_at_once(tmp_path: Path) -> None:
    """With a balance for ten, ten are answered and the others refused unsent; it ends where the ledger says."""
    start = 10 * needed(tmp_path / "poor")
    with Workbench(config(start), home=tmp_path / "home") as bench, ThreadPoolExecutor(50) as threads:
        done = list(threads.map(lambda _: asked(bench), range(50)))
        rows, standing = bench.usage(), bench.balance()
    assert done.count("Seven minutes.") == 10
    assert sum(isinstance(each, InsufficientBalance) for each in done) == 40
    assert rows.groupby("status").size().to_dict() == {"completed": 10, "failed": 40}
    assert rows["credits"].fillna(0).sum() == pytest.approx(15_125)
    assert standing is not None
    assert (standing.balance, standing.reserved) == (round((start - 15_125) * 1_000_000), 0)
