"""A comparison as it stays in the notebook: the answers side by side, and a table of what they took."""

from __future__ import annotations

from html import escape
from textwrap import shorten
from typing import TYPE_CHECKING

from agentbench.notebook.comparing.columns import Column, Panel, columns_html, faint, table_html
from agentbench.notebook.comparing.groups import MOST_RUNS, groups_of, has_many_prompts, sheet_of
from agentbench.notebook.comparing.telling import line_of, note_of, row_of, summary_of, totals_of
from agentbench.notebook.records import Record
from agentbench.notebook.render import html_of, pretty_json
from agentbench.notebook.sanitize import fence, literal, safe
from agentbench.notebook.sources import cut
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agentbench.notebook.comparing.groups import Group, Sheet
    from agentbench.protocol.trial import Trial

__all__ = ["cell_of", "markdown_of", "matrix_of", "name_of", "plain_of", "record_of", "table_of"]

_MOST_ROWS = 20
_LONGEST_ANSWER = 20_000
_LONGEST_CELL = 280
_TOOK = ("tokens in", "tokens out", "cost", "time", "first token")


def record_of(trials: Sequence[Trial], names: Sequence[str]) -> Record:
    """Return the record of finished trials: of one prompt whole answers, of many the beginnings of some.

    `names` says of each trial who was asked.
    """
    groups = groups_of(trials, names)
    told = table_of(trials, groups)
    if has_many_prompts(trials):
        shown = _beginnings(matrix_of(sheet_of(trials, groups), lambda place: cell_of(trials[place])))
    else:
        shown = _answers(trials, groups)
    return Record(
        f"{shown.html}{table_html(told.columns, told.rows)}<div>{faint(told.note)}</div>",
        f"{shown.markdown}\n\n{told._repr_markdown_()}",
        f"{shown.plain}\n\n{told!r}",
    )


def table_of(trials: Sequence[Trial], groups: Sequence[Group]) -> Table:
    """Return what the answers took: a row an answer, or an answerer if there are many."""
    note = totals_of(trials)
    if has_many_prompts(trials) or len(trials) > _MOST_ROWS:
        sums = [(group.name, *summary_of([trials[place] for place in group.places])) for group in groups]
        return Table(("answerer", "answers", *_TOOK), sums, note=note)
    rows = [(name_of(group, trials[place]), *row_of(trials[place])) for group in groups for place in group.places]
    return Table(("answerer", "status", *_TOOK), rows, note=note)


def name_of(group: Group, trial: Trial) -> str:
    """Return what to call one answer of an answerer."""
    return group.name if group.runs == 1 else f"{group.name}, run {trial.run}"


def matrix_of(sheet: Sheet, cell: Callable[[int], str]) -> Table:
    """Return a table with a row a prompt and a column an answerer; `cell` says what to show of the trial of a place."""
    rows = [
        (
            shorten(prompt, _LONGEST_CELL, placeholder="…"),
            *("\n".join(filter(None, map(cell, each))) for each in places),
        )
        for prompt, places in sheet.rows
    ]
    note = f"{sheet.left:,} more prompts aren't shown; frame() has them all." if sheet.left else ""
    return Table(("prompt", *sheet.names), rows, note=note)


def cell_of(trial: Trial) -> str:
    """Return a trial in a few words: how its answer begins, or what went wrong."""
    words = " ".join(filter(None, (trial.answer, f"({note})" if (note := note_of(trial)) else "")))
    return shorten(words, _LONGEST_CELL, placeholder="…")


def markdown_of(trial: Trial) -> str:
    """Return an answer as the Markdown that it was written in; JSON, where that was asked for, as code."""
    text = cut(trial.answer or "", _LONGEST_ANSWER)
    return text if trial.parsed is None else fence(pretty_json(text), "json")


def plain_of(name: str, trial: Trial) -> str:
    """Return an answer as plain text, under the name of who gave it."""
    note = f"({problem})" if (problem := note_of(trial)) else ""
    line = f"— {told}" if (told := line_of(trial)) else ""
    return "\n".join(filter(None, (f"── {name}", cut(trial.answer or "", _LONGEST_ANSWER), note, line)))


def _beginnings(matrix: Table) -> Record:
    html = table_html(matrix.columns, matrix.rows, numbers=False)
    return Record(f"{html}<div>{faint(matrix.note)}</div>", matrix._repr_markdown_(), repr(matrix))


def _answers(trials: Sequence[Trial], groups: Sequence[Group]) -> Record:
    columns = [_column(group, [trials[place] for place in group.places]) for group in groups]
    named = [(name_of(group, trials[place]), trials[place]) for group in groups for place in group.places[:MOST_RUNS]]
    more = max(group.runs for group in groups) > MOST_RUNS
    note = f"Of each, the first {MOST_RUNS} answers are shown; frame() has them all." if more else ""
    markdown = [part for name, trial in named for part in _markdown(name, trial)]
    return Record(
        f"{columns_html(columns)}<div>{faint(note)}</div>",
        "\n\n".join([*markdown, *([f"*{note}*"] if note else [])]),
        "\n\n".join([*(plain_of(*each) for each in named), *([note] if note else [])]),
    )


def _column(group: Group, trials: Sequence[Trial]) -> Column:
    several = group.runs > 1
    panels = [
        Panel(html_of(markdown_of(each)), note_of(each), line_of(each), f"run {each.run}" if several else "")
        for each in trials[:MOST_RUNS]
    ]
    return Column(group.name, group.model, panels)


def _markdown(name: str, trial: Trial) -> Iterator[str]:
    yield f"**{literal(name)}**"
    if trial.answer:
        text = markdown_of(trial)
        yield text if trial.parsed is not None else safe(text)
    if note := note_of(trial):
        yield f"*{literal(note)}*"
    if line := line_of(trial):
        yield f"<sub>{escape(line)}</sub>"
