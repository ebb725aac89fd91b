"""One answer of a comparison while it comes: what it says so far, and how it goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agentbench.notebook.blocks import text_kind
from agentbench.notebook.comparing.columns import Panel
from agentbench.notebook.comparing.record import cell_of, markdown_of
from agentbench.notebook.comparing.telling import line_of, note_of
from agentbench.notebook.render import GrowingHtml, html_of
from agentbench.notebook.sanitize import literal
from agentbench.protocol import events as ev
from agentbench.protocol.items import FunctionCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from agentbench.protocol import Event
    from agentbench.protocol.trial import Trial

__all__ = ["Lane"]

_LONGEST_HTML = 30_000  # of what is sent again and again; the end stays in view
_LONGEST_WORDS = 120
_CHARACTERS_A_TOKEN = 4


class Lane:
    """Waits, is asked, answers, and ends as a trial."""

    def __init__(self, title: str = "", *, clock: Callable[[], float] = time.monotonic) -> None:
        self.trial: Trial | None = None
        self._title = title
        self._clock = clock
        self._began: float | None = None
        self._growing = GrowingHtml()
        self._said = 0
        self._place: int | None = None
        self._thinks = False

    @property
    def is_running(self) -> bool:
        """Whether it was asked and hasn't ended."""
        return self._began is not None and self.trial is None

    def feed(self, events: Iterable[Event]) -> None:
        """Take in what came, nothing when it is asked."""
        if self._began is None:
            self._began = self._clock()
        for event in events:
            self._feed(event)

    def end(self, trial: Trial) -> None:
        """Take in what came of it."""
        self.trial = trial
        self._growing = GrowingHtml()

    def _feed(self, event: Event) -> None:
        match event:
            case ev.TextDelta() | ev.RefusalDelta():
                self._say(event.delta, event.output_index)
            case ev.ReasoningDelta() | ev.SummaryDelta():
                self._thinks = True
            case ev.ItemAdded(item=FunctionCall() as call):
                self._say(f"*{literal(call.name)} …*", event.output_index)
            case ev.ResponseCreated() if text_kind(event.response) == "json":
                self._growing.feed("```json\n")
            case _:
                pass

    def _say(self, piece: str, place: int) -> None:
        self._thinks = False
        if self._place not in (None, place):
            self._growing.feed("\n\n")
        self._place = place
        self._said += len(piece)
        self._growing.feed(piece)

    @property
    def panel(self) -> Panel:
        """What there is to see of it now."""
        if self.trial is not None:
            return Panel(html_of(markdown_of(self.trial)), note_of(self.trial), line_of(self.trial), self._title)
        self._growing.changes()
        return Panel(_end(self._growing.pieces), "", self.line, self._title)

    @property
    def cell(self) -> str:
        """What there is to see of it in a table."""
        if self.trial is not None:
            return cell_of(self.trial)
        words = " ".join(self._growing.text[: 2 * _LONGEST_WORDS].split())[:_LONGEST_WORDS]
        return "" if self._began is None else f"{words}…"

    @property
    def line(self) -> str:
        """How it goes."""
        if self._began is None:
            return "waiting…"
        state = "thinking…" if self._thinks else "answering…" if self._said else "asked…"
        tokens = [f"~{self._said // _CHARACTERS_A_TOKEN + 1:,} tokens"] if self._said else []
        return " · ".join([state, *tokens, f"{self._clock() - self._began:.0f} s"])


def _end(pieces: list[str]) -> str:
    """Return the last pieces, as many as may be sent many times a second; the last one in any case."""
    size, first = 0, len(pieces)
    while first and size + len(pieces[first - 1]) <= _LONGEST_HTML:
        first -= 1
        size += len(pieces[first])
    if not first:
        return "".join(pieces)
    return "<p>…</p>" + "".join(pieces[min(first, len(pieces) - 1) :])
