"""Tables as text: rows that say what their columns are, markdown tables, and files of separated values."""

from __future__ import annotations

import csv
import io
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from agentbench.retrieval.extraction.encodings import decode
from agentbench.retrieval.extraction.reading import LONGEST_TEXT, Pages, check_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["markdown_table", "read_csv", "rows_text"]

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 16 * 1024  # characters
_SAMPLE_LINES = 20


def read_csv(data: bytes, charset: str | None = None) -> Pages:
    """Read separated values, whatever separates them."""
    text = decode(data, charset)
    check_length(len(text))
    csv.field_size_limit(LONGEST_TEXT)
    rows = csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=_delimiter(text[:_SAMPLE]))
    return Pages(pages=(rows_text(rows),))


def _delimiter(sample: str) -> str:
    """Return what gives the first lines the same number of columns, and the most."""
    lines = sample.splitlines()[:_SAMPLE_LINES]

    def worth(delimiter: str) -> tuple[bool, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        alike = len(set(counts[:-1])) <= 1  # the last line may be cut
        return (alike and max(counts, default=1) > 1, sum(counts))

    return max(_DELIMITERS, key=worth)


def rows_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return a line a row: `Name: Ada; Year: 1843` where the first row names the columns, else the values.

    Each row can be understood without the others, wherever the text is split.
    """
    found = (cells for cells in (tuple(map(_cell, row)) for row in rows) if any(cells))
    names = next(found, ())
    second = next(found, None)
    if second is None or not _are_names(names):
        first = (row for row in (names, second) if row)
        return "\n".join(_counted(" | ".join(row) for part in (first, found) for row in part))
    return "\n".join(_counted(line for part in ((second,), found) for line in (_named(names, row) for row in part)))


def _counted(lines: Iterable[str]) -> Iterator[str]:
    length = 0
    for line in lines:
        length += len(line) + 1
        check_length(length)
        yield line


def _named(names: Sequence[str], row: Sequence[str]) -> str:
    pairs = zip(names, row, strict=False)
    return "; ".join([*(f"{name}: {cell}" for name, cell in pairs if cell), *filter(None, row[len(names) :])])


def _are_names(cells: Sequence[str]) -> bool:
    words = [cell for cell in cells if cell and not _is_number(cell)]
    return len(words) == len(cells) == len(set(words)) and len(words) > 1


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ""))
    except ValueError:
        return False
    return True


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date().isoformat()
    return " ".join(str(value).split()) if value is not None else ""


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a markdown table whose head is the first row; "" if no cell has text."""
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in (*row, *[''] * (width - len(row))))} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])
