"""A small table that a notebook shows as Markdown, a terminal as aligned text, and pandas takes as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.notebook.sanitize import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["Table"]


class Table:
    """Rows of text under named columns; `note` is a line below."""

    def __init__(self, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, note: str = "") -> None:
        self.columns = list(columns)
        self.rows = [["" if value is None else str(value) for value in row] for row in rows]
        self.note = note

    def frame(self) -> pd.DataFrame:
        """Return the rows as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=self.columns)

    def __repr__(self) -> str:
        table = [[" ".join(value.split()) for value in row] for row in (self.columns, *self.rows)]
        widths = [max(len(row[place]) for row in table) for place in range(len(self.columns))]
        lines = [
            "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in table
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def _repr_markdown_(self) -> str:
        lines = [_row(self.columns), _row(["---"] * len(self.columns)), *map(_row, self.rows)]
        return "\n".join(lines) + (f"\n\n{literal(self.note)}" if self.note else "")


def _row(values: Sequence[str]) -> str:
    return f"| {' | '.join(map(literal, values))} |"
