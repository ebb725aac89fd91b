"""A config as a table: what stays in the notebook when the form is gone."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from agentbench.notebook.records import Record
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentbench.config.tuning import Draft

__all__ = ["record_of"]

_COLUMNS = ("setting", "value", "layer", "from")
_LONGEST = 300
_LEFT = ' style="text-align:left"'  # JupyterLab's tables lean to the right


def record_of(draft: Draft) -> Record:
    """Return the settings that differ from their defaults, and what was applied and saved here."""
    rows = list(_rows(draft))
    table = Table(_COLUMNS, rows, note="" if rows else "Every setting is as it is by default.")
    done = [_short(each) for each in draft.history.applied]
    title = f"Settings in {draft.config.file}" if draft.config.file else "Settings"
    return Record(_html(title, table, done), _markdown(title, table, done), _plain(title, table, done))


def _rows(draft: Draft) -> Iterator[tuple[str, str, str, str]]:
    for block in draft.blocks:
        for row in draft.rows(block):
            if row.now.layer != "default":
                name = f"{block}.{row.field.key}"
                yield name, _short(row.now.text), row.now.layer, row.now.origin


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _html(title: str, table: Table, done: Sequence[str]) -> str:
    head = "".join(f'<th scope="col"{_LEFT}>{escape(each)}</th>' for each in table.columns)
    body = "".join(_html_row(row) for row in table.rows)
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    steps = "".join(f"<li>{escape(each)}</li>" for each in done)
    return (
        f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"
        + (f"<p>Changed here:</p><ol>{steps}</ol>" if steps else "")
    )


def _html_row(row: Sequence[str]) -> str:
    first, *others = map(escape, row)
    return f'<tr><th scope="row"{_LEFT}>{first}</th>{"".join(f"<td{_LEFT}>{each}</td>" for each in others)}</tr>'


def _markdown(title: str, table: Table, done: Sequence[str]) -> str:
    steps = "\n".join(f"1. {each}" for each in done)
    return f"**{title}**\n\n{table._repr_markdown_()}" + (f"\n\nChanged here:\n\n{steps}" if steps else "")


def _plain(title: str, table: Table, done: Sequence[str]) -> str:
    steps = "".join(f"\n- {each}" for each in done)
    return f"{title}\n{table!r}" + (f"\nChanged here:{steps}" if steps else "")
