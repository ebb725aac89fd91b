"""What was tried, how often, and what was lost: one table at the end."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Report", "Row"]

_HEADER = ("suite", "tried", "times", "lost", "seconds", "measured")


@dataclass(slots=True)
class Row:
    """One kind of trouble; `lost` has a sentence for each thing that went otherwise than it must."""

    suite: str
    tried: str
    times: int = 0
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0
    measured: str = ""


@dataclass(slots=True)
class Report:
    """The rows so far; each is printed as it ends."""

    rows: list[Row] = field(default_factory=list)

    @contextmanager
    def trying(self, suite: str, tried: str) -> Iterator[Row]:
        """Add a row that takes the time of a block; what the block raises is a loss, and the next ones go on."""
        row, began = Row(suite, tried), time.monotonic()
        try:
            yield row
        except Exception as error:  # noqa: BLE001 - whatever it is, the other rows are wanted too
            row.lost.append(f"{type(error).__name__}: {error}")
        row.seconds = time.monotonic() - began
        self.rows.append(row)
        print(f"{suite}: {tried}: {row.times} times, {len(row.lost)} lost, {row.seconds:.0f} s", flush=True)  # noqa: T201 - a command
        for each in row.lost[:5]:
            print(f"    {each}", flush=True)  # noqa: T201 - a command

    @property
    def lost(self) -> int:
        """How much was lost in all."""
        return sum(len(row.lost) for row in self.rows)

    def table(self) -> str:
        """Return all rows as a table in Markdown."""
        rows = [_HEADER, *map(_cells, self.rows)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
        lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
        return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    lost = str(len(row.lost)) if row.lost else "nothing"
    return row.suite, row.tried, str(row.times), lost, f"{row.seconds:.0f}", row.measured
