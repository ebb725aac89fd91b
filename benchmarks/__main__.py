"""Measures how fast agentbench is, beside what it is compared with, in one run.

    python -m benchmarks [SUITE…] [--short] [--json FILE] [--into PAGE] [--check FILE] [--keep FILE]

Each suite is a module here with `measure(short=…)`, and runs in a process of its own. `--check` fails where a steady
ratio got worse by a third since `--keep` wrote them. `--into` puts the tables onto a page, between the lines
`<!-- measured: SUITE -->` and `<!-- end of SUITE -->`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.figures import Figure, table

SUITES = ("streaming", "serving")
WORSE = 4 / 3


def main() -> None:
    """Measure, print, keep, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)} (default: all)")
    parser.add_argument("--short", action="store_true", help="fewer rounds, and nothing that must be installed first")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--into", type=Path, metavar="PAGE", help="put the tables onto that page")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="write the steady ratios there")
    parser.add_argument("--check", type=Path, metavar="FILE", help="compare with the ratios there")
    parser.add_argument("--within", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.suites) - set(SUITES)
    if unknown:
        parser.error(f"there is no suite {', '.join(sorted(unknown))}; choose from {', '.join(SUITES)}")
    if options.within:
        options.within.write_text(json.dumps(_measured(options.suites[0], short=options.short)))
        return
    figures: list[Figure] = []
    for suite in options.suites or SUITES:
        found = _apart(suite, short=options.short)
        print(f"\n## {suite}\n\n{table(found)}", flush=True)
        if options.into:
            _put(options.into, suite, table(found))
        figures += found
    if options.json:
        options.json.write_text(json.dumps([asdict(each) | {"ratio": each.ratio} for each in figures], indent=1))
    if options.keep:
        options.keep.write_text(json.dumps(_steady(figures), indent=1, sort_keys=True) + "\n")
    if options.check:
        sys.exit(_worse(figures, json.loads(options.check.read_text())))


def _measured(suite: str, *, short: bool) -> list[dict[str, object]]:
    module = importlib.import_module(f"benchmarks.{suite}")
    return [asdict(each) for each in module.measure(short=short)]


def _apart(suite: str, *, short: bool) -> list[Figure]:
    """Measure in a new process, so that no suite sees another's memory and imports."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "figures.json")
        command = [sys.executable, "-m", "benchmarks", suite, "--within", str(file), *(["--short"] if short else [])]
        subprocess.run(command, check=True, cwd=Path(__file__).parent.parent)
        return [Figure(**each) for each in json.loads(file.read_text())]


def _put(page: Path, suite: str, text: str) -> None:
    """Write a suite's table onto the page, where it has a place for it."""
    region = re.compile(rf"(<!-- measured: {suite} -->\n).*?(<!-- end of {suite} -->)", re.DOTALL)
    page.write_text(region.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page.read_text()))


def _steady(figures: list[Figure]) -> dict[str, float]:
    return {each.name: round(each.ratio, 4) for each in figures if each.steady and each.ratio is not None}


def _worse(figures: list[Figure], kept: dict[str, float]) -> str | None:
    """Return what to say of the ratios that got worse, if any did."""
    now = _steady(figures)
    better = {each.name for each in figures if each.more_is_better}
    worse = [
        f"{name}: {now[name]:.3g}, was {was:.3g}"
        for name, was in kept.items()
        if name in now and (was > now[name] * WORSE if name in better else now[name] > was * WORSE)
    ]
    return "Worse by more than a third:\n  " + "\n  ".join(worse) if worse else None


if __name__ == "__main__":
    main()
