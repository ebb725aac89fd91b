"""Where answers are drawn while they come: side by side in a notebook's output, or one after another in a terminal."""

from __future__ import annotations

import time
from textwrap import shorten
from typing import TYPE_CHECKING, Protocol

from IPython.core.display_functions import display

from agentbench.notebook.comparing.columns import Column, columns_html, faint, table_html
from agentbench.notebook.comparing.groups import MOST_RUNS, groups_of, has_many_prompts, sheet_of
from agentbench.notebook.comparing.lanes import Lane
from agentbench.notebook.comparing.record import cell_of, matrix_of, name_of, plain_of, record_of, table_of
from agentbench.notebook.comparing.telling import totals_of
from agentbench.notebook.records import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from IPython.core.display_functions import DisplayHandle

    from agentbench.notebook.comparing.groups import Sheet
    from agentbench.protocol import Event
    from agentbench.protocol.trial import Trial

__all__ = ["Board", "NotebookBoard", "TerminalBoard"]

_MOST_UPDATES = 10  # a second: each is as long as all answers together
_SHARE = 0.1  # of the time that may go into drawing
_LONGEST_PAUSE = 0.4  # for that; one drawing may be slow by chance
_BYTES_A_SECOND = 300_000  # a Jupyter server cuts off at a million
_LONGEST_PROMPT = 60
_STILL = 1.0  # seconds until the next drawing while nothing comes, so that the times go on


class Board(Protocol):
    """Where a comparison is drawn; a trial is known by its place among all."""

    def feed(self, place: int, events: Sequence[Event]) -> None:
        """Take in what came of a trial, nothing when it is asked; draw now or later."""

    def end(self, place: int, trial: Trial) -> None:
        """Take in what came of a trial; draw now or later."""

    def tick(self) -> float | None:
        """Draw what is due; return in how many seconds to ask again, None if that need not be."""

    def finish(self, trials: Sequence[Trial]) -> None:
        """Draw the final state, which is what stays."""


class NotebookBoard:
    """One output of a cell, updated at most `rate` times a second however many answers come at once.

    `trials` are as they are before anybody is asked, `names` says of each whom.
    """

    def __init__(self, trials: Sequence[Trial], names: Sequence[str], rate: float) -> None:
        self._pause = 1 / min(rate, _MOST_UPDATES)
        self._names = names
        self._groups = groups_of(trials, names)
        self._sheet = sheet_of(trials, self._groups) if has_many_prompts(trials) else None
        several = {place for group in self._groups if group.runs > 1 for place in group.places}
        self._lanes = [Lane(f"run {trial.run}" if place in several else "") for place, trial in enumerate(trials)]
        self._handle: DisplayHandle | None = None
        self._dirty = True
        self._began = time.monotonic()
        self._next = 0.0

    def feed(self, place: int, events: Sequence[Event]) -> None:
        """Note what is new."""
        self._lanes[place].feed(events)
        self._dirty = True

    def end(self, place: int, trial: Trial) -> None:
        """Note what came of it."""
        self._lanes[place].end(trial)
        self._dirty = True

    def tick(self) -> float | None:
        """Redraw if something is new, or for the clock, and the last drawing is long enough ago."""
        now = time.monotonic()
        if now < self._next:
            return self._next - now
        if self._dirty or now >= self._next + _STILL:
            self._draw(now)
        return max(self._next - now, 0) if self._dirty else self._next + _STILL - now

    def finish(self, trials: Sequence[Trial]) -> None:
        """Replace the drawing by the record, which is what the notebook stores."""
        self._show(record_of(trials, self._names).bundle())

    def _draw(self, now: float) -> None:
        html = self._columns() if self._sheet is None else self._table(self._sheet)
        self._show(Record(html, "", self._state).bundle())
        self._dirty = False
        spent = time.monotonic() - now
        self._next = now + max(self._pause, min(spent / _SHARE, _LONGEST_PAUSE), len(html) / _BYTES_A_SECOND)

    def _columns(self) -> str:
        return columns_html(
            [
                Column(group.name, group.model, [self._lanes[place].panel for place in group.places[:MOST_RUNS]])
                for group in self._groups
            ]
        )

    def _table(self, sheet: Sheet) -> str:
        matrix = matrix_of(sheet, lambda place: self._lanes[place].cell)
        meter = f'<progress value="{len(self._ended)}" max="{len(self._lanes)}"></progress>'
        table = table_html(matrix.columns, matrix.rows, numbers=False)
        return f"<div>{meter} {faint(self._state)}</div>{table}<div>{faint(matrix.note)}</div>"

    @property
    def _ended(self) -> list[Trial]:
        return [lane.trial for lane in self._lanes if lane.trial is not None]

    @property
    def _state(self) -> str:
        gone = time.monotonic() - self._began
        return f"{totals_of(self._ended, of=len(self._lanes))} · {gone:.0f} s"

    def _show(self, bundle: dict[str, str]) -> None:
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


class TerminalBoard:
    """Standard output: each answer when it has ended, of many prompts its beginning, and the table in the end."""

    def __init__(self, trials: Sequence[Trial], names: Sequence[str]) -> None:
        self._groups = groups_of(trials, names)
        self._names = {place: name_of(group, trials[place]) for group in self._groups for place in group.places}
        self._is_short = has_many_prompts(trials)

    def feed(self, place: int, events: Sequence[Event]) -> None:
        """Wait for the whole answer."""

    def end(self, place: int, trial: Trial) -> None:
        """Print the answer."""
        name = self._names[place]
        if self._is_short:
            name = f"{name}: {shorten(trial.prompt, _LONGEST_PROMPT, placeholder='…')}"
        text = f"{name} → {cell_of(trial)}" if self._is_short else f"{plain_of(name, trial)}\n"
        print(text, flush=True)  # noqa: T201 - this is the terminal's board

    def tick(self) -> float | None:
        """Nothing is ever due: answers are printed at once."""
        return None

    def finish(self, trials: Sequence[Trial]) -> None:
        """Print the table."""
        print(table_of(trials, self._groups))  # noqa: T201 - as above
