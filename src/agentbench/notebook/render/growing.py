"""Markdown that grows, as pieces of HTML: each is made once, the last ones again and again until they stand."""

from __future__ import annotations

from itertools import takewhile
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from agentbench.notebook.render.pieces import LONGEST, Piece, pieces_of, raw, read, tidy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Change", "GrowingHtml"]

_SHARE = 0.04  # of the time that may go into rendering while the text grows


class Change(NamedTuple):
    """What to show from now on: `html` in place of all pieces from index `start` on."""

    start: int
    html: list[str]


class GrowingHtml:
    """Follows a text piece by piece. Ask for `changes` on a timer, and at the end for what `finish` brings.

    Not for two threads at once. While it grows, a link may lack its address (the reference comes later); the end
    puts that right.
    """

    def __init__(self, *, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._rest_until = clock()
        self._text: list[str] = []
        self._tail: list[str] = []  # of the text, from the first block that may still change
        self._stable: list[str] = []
        self._references: dict[str, Any] = {}
        self._shown: list[str] = []
        self._fed = False

    @property
    def text(self) -> str:
        """The Markdown so far."""
        return "".join(self._text)

    @property
    def pieces(self) -> list[str]:
        """The pieces as the changes so far made them."""
        return list(self._shown)

    def feed(self, piece: str) -> None:
        """Take in what was said next."""
        self._text.append(piece)
        self._tail.append(piece)
        self._fed = True

    def changes(self) -> Change | None:
        """Return what is new to show; None if nothing is, or if rendering has had its share of the time for now."""
        began = self._clock()
        if not self._fed or began < self._rest_until:
            return None
        self._fed = False
        tail = self._render_tail()
        change = self._show([*self._stable, *tail])
        ended = self._clock()
        self._rest_until = ended + (ended - began) * (1 / _SHARE - 1)
        return change

    def finish(self) -> Change | None:
        """Render the whole text once more; return what differs from what was shown."""
        self._fed = False
        return self._show(pieces_of(self.text))

    def _show(self, pieces: list[str]) -> Change | None:
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(self._shown, pieces, strict=False)))
        if same == len(pieces) == len(self._shown):
            return None
        self._shown = pieces
        return Change(same, pieces[same:])

    def _render_tail(self) -> list[str]:
        """Return the tail's pieces, and put by those that no further text can change."""
        text = "".join(self._tail)
        held = "\r" if text.endswith("\r") else ""  # a line feed may come with the next piece
        self._tail = [text]
        if len(text) > LONGEST:
            return [raw(text)]
        text = tidy(text.removesuffix(held))
        env = {"references": dict(self._references)}
        pieces = list(read(text, env))
        stable = _stable(pieces, text.count("\n"))
        if stable:
            cut = pieces[stable].line
            self._tail = ["\n".join(text.split("\n")[cut:]), held]
            self._references = {
                name: reference | {"map": (0, 0)}
                for name, reference in env["references"].items()
                if reference["map"][1] <= cut
            }
            self._stable += [piece.html for piece in pieces[:stable]]
        return [piece.html for piece in pieces[stable:]]


def _stable(pieces: Sequence[Piece], whole_lines: int) -> int:
    """Return how many pieces stand: those before one whose first two lines, all that a parser looks at, are whole."""
    return next((index for index in range(len(pieces) - 1, 0, -1) if pieces[index].line + 2 <= whole_lines), 0)
