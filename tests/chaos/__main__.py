"""Tries to break agentbench, and says what was lost.

python -m tests.chaos [SUITE…] [--share F]
"""

from __future__ import annotations

import argparse
import importlib
import sys

from tests.chaos.report import Report

SUITES = ("faults", "crashes", "scale_out")


def main() -> None:
    """Run the suites, print the table, and fail where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)} (default: all)")
    parser.add_argument("--share", type=float, default=1.0, metavar="F", help="of the full length (default: 1)")
    options = parser.parse_args()
    report = Report()
    for suite in options.suites or SUITES:
        importlib.import_module(f"tests.chaos.{suite}").run(report, share=options.share)
    print(f"\n{report.table()}")  # noqa: T201 - a command
    sys.exit(f"{report.lost} lost" if report.lost else None)


if __name__ == "__main__":
    main()
