"""Faults: an upstream that breaks off at every byte, sends garbage, storms, and never ends.

Each run must end in exactly one terminal event, with one row in the ledger, nothing reserved and nothing leaked; what
had come before the fault is not lost, and a request is sent again only where nothing had.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos import fault_cases
from tests.chaos.driving import Peak, audited, configured, counted, drive, held, settled
from tests.chaos.faults_served import drive_served, leaks, served
from tests.chaos.upstream import started

from agentbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.driving import Case
    from tests.chaos.report import Report

__all__ = ["run"]

_SUITE = "faults"
_WARM = 60
_MOST_MEMORY = 400
"""MiB above what there was: one answer that never ends may take 256."""
_SERVED = 2000
"""How many runs over HTTP, at share 1."""
_NEVER = "what never ends"


def run(report: Report, *, share: float) -> None:
    """Try every fault on every wire format, in this process and behind a server."""
    with started() as url, _bench(url, seconds=60) as (bench, home):
        asyncio.run(drive(bench, fault_cases.good(_WARM)))
        before = held(bench)
        for name, cases in fault_cases.patient(share).items():
            _try(report, name, cases, bench, home)
        with report.trying(_SUITE, "nothing leaks") as row:
            row.times, row.lost, now = 1, settled(bench, before), held(bench)
            row.measured = f"{now.files} files, {now.threads} threads, {now.tasks} tasks"
    with started() as url, _bench(url, seconds=1.5) as (bench, home):
        for name, cases in fault_cases.hasty(share).items():
            _try(report, name, cases, bench, home)
    with started() as url:
        _try_served(report, url, share)


def _try(report: Report, name: str, cases: list[Case], bench: Workbench, home: Path) -> None:
    with report.trying(_SUITE, name) as row:
        peak = Peak()
        with peak.watching():
            row.lost += asyncio.run(drive(bench, cases, width=1 if name == _NEVER else 48))
        row.times = len(cases)
        row.lost += counted(bench, cases) + audited(home, cases)
        row.measured = _memory(peak, row.lost)


def _try_served(report: Report, url: str, share: float) -> None:
    groups = {name: cases for name, cases in fault_cases.patient(share).items() if name != _NEVER}
    cases = [case for group in groups.values() for case in group]
    cases = cases[:: max(1, round(len(cases) / (_SERVED * share)))]
    with report.trying(_SUITE, "behind a server") as row, served(url) as server:
        asyncio.run(drive_served(server, fault_cases.good(_WARM // 2)))
        before, peak = (server.process.num_fds(), server.process.num_threads()), Peak(server.process.pid)
        with peak.watching():
            row.lost += asyncio.run(drive_served(server, cases))
        row.times = len(cases)
        row.lost += leaks(server, before)
        row.measured = _memory(peak, row.lost)


def _memory(peak: Peak, lost: list[str]) -> str:
    if peak.mebibytes > _MOST_MEMORY:
        lost.append(f"memory grew by {peak.mebibytes:.0f} MiB")
    return f"memory +{peak.mebibytes:.0f} MiB"


@contextmanager
def _bench(url: str, *, seconds: float) -> Iterator[tuple[Workbench, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        with Workbench(configured(url, seconds=seconds), home=home) as bench:
            yield bench, home
