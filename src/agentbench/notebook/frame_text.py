"""Python values as a few words for a model: a DataFrame as its schema with some rows, anything else as type and shape.

Owns what is left out, and says so: a prompt isn't the place for a million rows. Pandas is used only where a value of
its is given.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_text", "shape_of"]

LONGEST = 2_000
"""Characters of a frame in a prompt, about."""

_ROWS = 5
_WHOLE = 800
"""A frame whose CSV has no more characters is given whole."""
_LONGEST_CELL = 60
_LONGEST_NAME = 40
_COLUMN_ROOM = 1_100
"""Characters for the list of columns; the rest is for the rows."""
_LISTED = 5
"""Distinct values that are named; more are counted."""
_LOOKED_AT = 200_000
"""Rows that distinct values are counted in."""
_SIZED = (str, bytes, bytearray, list, tuple, set, frozenset, dict)
_NAMED_COLUMNS = 20


def frame_text(value: object) -> str | None:
    """Return a DataFrame, Series or Index of pandas as schema and sample, in about 2,000 characters; else None."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    if isinstance(value, pandas.DataFrame):
        return _described(value, f"{type(value).__name__} of {_count(len(value), 'row')} and {_columns(value)}")
    if isinstance(value, pandas.Series):
        name = "" if value.name is None else f" {_name(value.name)}"
        return _described(value.to_frame(), f"Series{name} of {_count(len(value), 'value')}")
    if isinstance(value, pandas.Index):
        return _described(value.to_frame(index=False), f"{type(value).__name__} of {_count(len(value), 'value')}")
    return None


def shape_of(value: object) -> str:
    """Return a value's type and size, never what it holds; of a frame the columns."""
    kind = type(value).__name__
    if isinstance(value, _SIZED):
        return f"{kind} of {len(value):,}"
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        named = [f"{_name(name)} ({dtype})" for name, dtype in islice(value.dtypes.items(), _NAMED_COLUMNS)]
        more = ", …" if value.shape[1] > _NAMED_COLUMNS else ""
        return f"{kind} of {_count(len(value), 'row')} and {_columns(value)}: {', '.join(named)}{more}"
    with suppress(Exception):  # whatever a stranger's object does when it is looked at
        if isinstance(shape := getattr(value, "shape", None), tuple):
            return f"{kind} of shape {tuple(map(int, shape))}, {getattr(value, 'dtype', '')}".rstrip(", ")
    return kind


def _described(frame: pd.DataFrame, title: str) -> str:
    shown, schema = _schema(frame)
    rest = frame.shape[1] - len(shown)
    if rest:
        schema.append(f"… and {_count(rest, 'more column')}, up to {_name(frame.columns[-1])}")
    head = "\n".join([f"{title}.", *schema])
    if frame.empty:
        return head
    return f"{head}\n{_sample(frame, shown, LONGEST - len(head))}"


def _schema(frame: pd.DataFrame) -> tuple[list[int], list[str]]:
    """Return the places of the columns that there is room for, and a line for each; the index comes first."""
    lines = [f"- {_name(name)} (index): {_values(level)}" for name, level in _levels(frame)]
    room, shown = _COLUMN_ROOM - sum(map(len, lines)), list[int]()
    for place, name in enumerate(frame.columns):
        line = f"- {_name(name)}: {_values(frame.iloc[:, place])}"
        room -= len(line) + 1
        if room < 0 and shown:
            break
        lines.append(line)
        shown.append(place)
    return shown, lines


def _levels(frame: pd.DataFrame) -> list[tuple[Any, pd.Series]]:
    """Return the index's levels by name; none if it only counts the rows."""
    import pandas as pd

    index = frame.index
    if isinstance(index, pd.RangeIndex) and index.name is None:
        return []
    names = [f"level {number}" if name is None else name for number, name in enumerate(index.names)]
    if index.nlevels == 1:
        return [("index" if index.name is None else index.name, index.to_series())]
    return [(name, index.get_level_values(number).to_series()) for number, name in enumerate(names)]


def _values(column: pd.Series) -> str:
    """Return a column's dtype, how many of its values are missing, and what they are."""
    nulls = int(column.isna().sum())
    parts = [_dtype(column), f"{nulls:,} missing" if nulls else ""]
    for looks in (_range, _distinct):
        with suppress(Exception):  # values that can't be compared or hashed, of which objects may be
            parts.append(looks(column))
            break
    return ", ".join(filter(None, parts))


def _dtype(column: pd.Series) -> str:
    import pandas as pd

    if column.dtype != object:
        return str(column.dtype) if not isinstance(column.dtype, pd.CategoricalDtype) else "category"
    kinds = list(dict.fromkeys(type(value).__name__ for value in column.head(_LOOKED_AT).dropna().head(100)))
    return f"object ({', '.join(kinds[:3])})" if kinds else "object"


def _range(column: pd.Series) -> str:
    """Return the least and the greatest of numbers and moments; raises `TypeError` for anything else."""
    import pandas as pd

    types = pd.api.types
    if types.is_bool_dtype(column.dtype) or not (
        types.is_numeric_dtype(column.dtype) or column.dtype.kind in "mM" or isinstance(column.dtype, pd.PeriodDtype)
    ):
        raise TypeError
    known = column.dropna()
    return f"{_cell(known.min())} to {_cell(known.max())}" if len(known) else ""


def _distinct(column: pd.Series) -> str:
    """Return how many distinct values there are, and which, if they are few; raises `TypeError` if nobody can tell."""
    found = column.head(_LOOKED_AT).dropna().unique()
    least = "at least " if len(column) > _LOOKED_AT else ""
    if not len(found):
        return ""
    told = f"{least}{len(found):,} distinct"
    return told if len(found) > _LISTED else f"{told}: {', '.join(map(_cell, found))}"


def _sample(frame: pd.DataFrame, places: list[int], room: int) -> str:
    """Return rows as CSV: all, if they are short, else the first ones that there is room for."""
    part = frame.iloc[:, places]
    rows = min(len(part), _WHOLE // 2)  # a row is a character and a line's end at least
    whole = _csv(part.head(rows)) if rows == len(part) else ""
    if whole and len(whole) <= min(_WHOLE, room):
        return f"All rows as CSV:\n{whole}"
    lines = _csv(part.head(_ROWS)).split("\n")
    while len(lines) > 2 and len("\n".join(lines)) > room:  # noqa: PLR2004 - the header and one row
        lines.pop()
    count = len(lines) - 1
    return f"The first {_count(count, 'row')} as CSV, {len(frame) - count:,} left out:\n" + "\n".join(lines)


def _csv(part: pd.DataFrame) -> str:
    """Return rows as CSV in which each is one line, and no value is long."""
    import csv
    import io

    levels = _levels(part)
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write([_name(name) for name, _ in levels] + [_name(name) for name in part.columns])
    columns = [level.tolist() for _, level in levels]
    columns += [part.iloc[:, place].tolist() for place in range(part.shape[1])]
    for row in zip(*columns, strict=True):
        write([_cell(value) for value in row])
    return out.getvalue().rstrip("\n")


def _cell(value: Any) -> str:
    """Return a value in one short line; what is missing is empty."""
    import pandas as pd

    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    return _short(f"{value:.6g}" if isinstance(value, float) else str(value), _LONGEST_CELL)


def _name(name: object) -> str:
    """Return a column's name as it is written in code, where it isn't text."""
    return _short(name if isinstance(name, str) else repr(name), _LONGEST_NAME)


def _short(text: str, longest: int) -> str:
    line = " ".join(text[: 2 * longest].split())
    return line if len(line) <= longest and len(text) <= 2 * longest else f"{line[:longest]}…"


def _columns(frame: pd.DataFrame) -> str:
    return _count(frame.shape[1], "column")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
