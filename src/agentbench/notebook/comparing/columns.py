"""How answers stand side by side, as HTML: a column an answerer, as many beside each other as there is room for.

The HTML keeps to what JupyterLab leaves of a notebook that nobody trusts: plain elements, and styles without colours
of their own but for a translucent grey, which is there in light and in dark.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Column", "Panel", "columns_html", "faint", "table_html"]

_GRID = "display:grid;grid-template-columns:repeat(auto-fit,minmax(18em,1fr));gap:12px;max-width:90em;margin:0 0 12px"
_COLUMN = "border:1px solid #8886;border-radius:6px;padding:8px 12px;min-width:0;overflow:auto"
_HEAD = "border-bottom:1px solid #8883;padding:0 0 6px;margin:0 0 8px"
_NEXT = "border-top:1px solid #8883;padding:8px 0 0;margin:8px 0 0"
_BELOW = "margin:6px 0 0"
_FAINT = "opacity:0.75"
_CELL = "text-align:left;vertical-align:top"


class Panel(NamedTuple):
    """One answer as it is shown: safe HTML, what went wrong with it, and what it took; `title` says which one it is."""

    html: str
    note: str
    line: str
    title: str = ""


class Column(NamedTuple):
    """One answerer's answers."""

    name: str
    detail: str
    panels: Sequence[Panel]


def columns_html(columns: Sequence[Column]) -> str:
    """Return the columns side by side; they wrap where the page is narrow."""
    return f'<div style="{_GRID}">{"".join(map(_column, columns))}</div>'


def table_html(columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: bool = True) -> str:
    """Return a table of texts whose first column names the rows; the others are to the right if they are `numbers`."""
    head = "".join(
        f'<th scope="col"{_cell(number, numbers)}>{escape(each)}</th>' for number, each in enumerate(columns)
    )
    body = "".join(f"<tr>{''.join(_cells(row, numbers))}</tr>" for row in rows)
    return f'<div style="overflow:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def faint(text: str) -> str:
    """Return a line in small letters that stands back."""
    return f'<small style="{_FAINT}">{escape(text)}</small>' if text else ""


def _cell(number: int, numbers: bool) -> str:  # noqa: FBT001 - private
    return "" if numbers and number else f' style="{_CELL}"'


def _cells(row: Sequence[str], numbers: bool) -> list[str]:  # noqa: FBT001 - private
    first, *others = row
    head = f'<th scope="row" style="{_CELL}">{_lines(first)}</th>'
    return [head, *(f"<td{_cell(1, numbers)}>{_lines(each)}</td>" for each in others)]


def _lines(text: str) -> str:
    return "<br>".join(escape(text).splitlines())


def _column(column: Column) -> str:
    head = f"<strong>{escape(column.name)}</strong> {faint(column.detail)}"
    panels = "".join(_panel(panel, first=not number) for number, panel in enumerate(column.panels))
    return f'<section style="{_COLUMN}"><div style="{_HEAD}">{head}</div>{panels}</section>'


def _panel(panel: Panel, *, first: bool) -> str:
    note = f'<div style="{_BELOW}"><em>{_lines(panel.note)}</em></div>' if panel.note else ""
    line = f'<div style="{_BELOW}">{faint(panel.line)}</div>' if panel.line else ""
    title = f"<div>{faint(panel.title)}</div>" if panel.title else ""
    return f'<div style="{"" if first else _NEXT}">{title}{panel.html}{note}{line}</div>'
