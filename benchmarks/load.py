"""What it costs to load agentbench: CPU time, memory, modules.

    python benchmarks/load.py [--runs N] [--json]

Each statement runs N times, each time in a fresh process with a ready IPython shell; the best figures count, since
what else the machine does only ever adds to them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionResult

STATEMENTS = ("import agentbench", "%load_ext agentbench")


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one statement, and the modules it loaded, by their full names."""

    statement: str
    cpu_seconds: float
    rss_mib: float
    modules: list[str]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="processes a statement (default: 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line, with the modules' names")
    parser.add_argument("--once", metavar="STATEMENT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        print(json.dumps(asdict(measure(options.once))))
        return
    for statement in STATEMENTS:
        cost = best([measure_apart(statement) for _ in range(options.runs)])
        print(json.dumps(asdict(cost)) if options.json else line(cost))


def line(cost: Cost) -> str:
    """Return the cost as a line for people."""
    figures = f"{cost.cpu_seconds:6.3f} s CPU  {cost.rss_mib:+6.1f} MiB  {len(cost.modules):4} modules"
    return f"{cost.statement:22} {figures}"


def measure(statement: str) -> Cost:
    """Run the statement in a new IPython shell of this process; what it prints goes to the standard error."""
    from IPython.core.interactiveshell import InteractiveShell

    run: Callable[[str], ExecutionResult] = InteractiveShell.instance().run_cell
    with contextlib.redirect_stdout(sys.stderr):
        run("pass")
        process, before = psutil.Process(), set(sys.modules)
        rss, cpu = process.memory_info().rss, time.process_time()
        result = run(statement)
        cpu, rss = time.process_time() - cpu, process.memory_info().rss - rss
    if not result.success:
        sys.exit(f"{statement} failed")
    return Cost(statement, cpu, rss / 2**20, sorted(set(sys.modules) - before))


def measure_apart(statement: str) -> Cost:
    """Run the statement in a process of its own."""
    command = [sys.executable, __file__, "--once", statement]
    return Cost(**json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))


def best(costs: list[Cost]) -> Cost:
    """Return the least of each figure."""
    cpu, rss = min(cost.cpu_seconds for cost in costs), min(cost.rss_mib for cost in costs)
    return replace(costs[0], cpu_seconds=cpu, rss_mib=rss)


if __name__ == "__main__":
    main()
