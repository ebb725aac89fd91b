"""What a benchmark finds: figures, most of them as a ratio to something measured in the same run.

A machine's speed changes from minute to minute, and from one machine to the next; a ratio within one run doesn't, or
far less. So limits are ratios wherever there is something to compare with.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["Figure", "cpu_of", "interleaved", "table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One thing measured: so much of a unit, and what it is compared with.

    `base` is the same figure of `of`, the thing compared with. `limit` is the most that the ratio may be, or the value
    where there is no `base`; the least where more is better. `steady` ones are held against the last ones kept, in CI.
    """

    name: str
    value: float
    unit: str
    of: str = ""
    base: float | None = None
    limit: float | None = None
    more_is_better: bool = False
    steady: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value as a part of the base."""
        return self.value / self.base if self.base else None

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None where there is none."""
        if self.limit is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.limit if self.more_is_better else measured <= self.limit


def interleaved(
    targets: Mapping[str, Callable[[], float]],
    *,
    rounds: int,
    take: Callable[[list[float]], float] = statistics.median,
) -> dict[str, float]:
    """Return the median of each target, measured in turns, so that a slow minute is slow for all of them.

    The first round only warms up. `take` may be `min` for what others on the machine only ever add to: CPU time.
    """
    found: dict[str, list[float]] = {name: [] for name in targets}
    for count in range(rounds + 1):
        for name, target in targets.items():
            value = target()
            if count:
                found[name].append(value)
    return {name: take(values) for name, values in found.items()}


def cpu_of(work: Callable[[], object]) -> float:
    """Return the seconds of CPU time that this process spends on the work."""
    began = time.process_time()
    work()
    return time.process_time() - began


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a table in Markdown."""
    rows = [("what", "measured", "compared with", "ratio", "limit", ""), *map(_row, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths) for row in rows]
    return "\n".join([lines[0], _line(["-" * width for width in widths], widths), *lines[1:]])


def _row(figure: Figure) -> tuple[str, ...]:
    base = "" if figure.base is None else f"{figure.of}: {figure.base:.4g}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.3g}x"
    sign = "≥" if figure.more_is_better else "≤"
    unit = "x" if figure.base else f" {figure.unit}"
    limit = "" if figure.limit is None else f"{sign} {figure.limit:g}{unit}"
    met = {True: "met", False: "MISSED", None: ""}[figure.met]
    return figure.name, f"{figure.value:.4g} {figure.unit}", base, ratio, limit, met


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
