"""A conversation with all its branches, to look at: as text, as HTML, as Markdown, as a DataFrame.

Turns are numbered in the order in which they were asked, so that a number never changes. Owns which turns are shown
and where; where each turn stands, `storage/branches.py` knows.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.items import FunctionCallOutput, Message
from agentbench.runner.title_text import first_words
from agentbench.workbench.tree_lines import Line, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from agentbench.frames.library import Frame
    from agentbench.storage.branches import Branches
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse

__all__ = ["ConversationTree", "TreeTurn", "turns_of"]

_HELP = "Go on after a turn: %agent branch NUMBER"
_DEAD_ENDS = ("failed", "queued", "in_progress")


class TreeTurn(NamedTuple):
    """A turn, and the number of the one that it follows; 0 is the beginning."""

    number: int
    after: int
    question: str
    agent: str | None
    model: str
    status: str
    time: datetime
    response_id: str
    is_whole: bool
    """Whether a conversation can go on from it."""


class ConversationTree:
    """The turns of a conversation in the order in which they were asked, and where the conversation goes on."""

    def __init__(self, conversation: Conversation, turns: Sequence[TreeTurn]) -> None:
        self.conversation = conversation
        self.turns = tuple(turns)
        self.by_number = {turn.number: turn for turn in turns}
        by_id = {turn.response_id: turn.number for turn in turns}
        self.here = by_id.get(conversation.head or "", 0)
        """The number of the turn that the next question follows; 0 is the beginning."""

    def __len__(self) -> int:
        return len(self.turns)

    @property
    def current(self) -> tuple[int, ...]:
        """The numbers of the turns in the branch that goes on, oldest first."""
        path, number = list[int](), self.here
        while number in self.by_number:
            path.append(number)
            number = self.by_number[number].after
        return tuple(reversed(path))

    def find(self, after: int | str | None) -> str | None:
        """Return the response that a conversation is to go on from, None for its beginning.

        It is named by its turn's number or by itself; None means the one before the last question.
        """
        if after is None:
            if self.here == 0:
                raise InvalidRequest("This conversation is at its beginning: there is no question to go back before.")
            after = self.by_number[self.here].after
        if after == 0:
            return None
        found = next((turn for turn in self.turns if after in (turn.number, turn.response_id)), None)
        if found is None:
            raise UnknownName("turn", str(after), [str(turn.number) for turn in self.turns])
        if not found.is_whole:
            raise InvalidRequest(
                f"Turn {found.number} has no answer, so nothing can follow it. The turn before it is {found.after}."
            )
        return found.response_id

    def frame(self) -> Frame:
        """Return one row a turn: number, after, question, agent, model, status, time, response_id, current."""
        from agentbench.frames.talks import tree_frame

        current = set(self.current)
        return tree_frame(turn._asdict() | {"current": turn.number in current} for turn in self.turns)

    def __repr__(self) -> str:
        lines = [self._title, *(_plain(line, self) for line in self._lines())]
        return "\n".join([*lines, *([_HELP] if self.turns else [])])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002 - IPython's shape
        text = repr(self)
        ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        return {"text/html": self._html(), "text/markdown": f"{ticks}text\n{text}\n{ticks}", "text/plain": text}

    @property
    def _title(self) -> str:
        count, ends = len(self.turns), len({turn.number for turn in self.turns} - {turn.after for turn in self.turns})
        told = f"{count:,} turn{'s' * (count != 1)}" + (f", {ends:,} branches" if ends > 1 else "")
        return f"{self.conversation.title or self.conversation.id} ({told if count else 'nothing was said yet'})"

    def _lines(self) -> list[Line]:
        return lines_of({turn.number: turn.after for turn in self.turns}, self.current)

    def _html(self) -> str:
        """Return it with a list item a branch, in which the branches that leave it are lists of their own."""
        parts, depth = [f"<p><strong>{escape(self._title)}</strong></p>"], -1
        for line in self._lines():
            if line.depth > depth:
                before = "<ul><li>" * (line.depth - depth)
            else:
                before = "</li></ul>" * (depth - line.depth)
                before += "</li><li>" if line.begins else "<br>" * (depth == line.depth)
            parts.append(f"{before}{_html(line, self)}")
            depth = line.depth
        parts.append("</li></ul>" * (depth + 1))
        return "".join([*parts, f"<p><small>{_HELP}</small></p>" if self.turns else ""])


def turns_of(known: Branches, stored: Iterable[StoredResponse]) -> list[TreeTurn]:
    """Return the turns of a conversation, those that are known and stored, with their numbers."""
    by_id = {each.response.id: each for each in stored}
    numbers = {link.id: number for number, link in enumerate(known.links, 1)}
    return [_turn(number, numbers, by_id[key]) for key, number in numbers.items() if key in by_id]


def _turn(number: int, numbers: dict[str, int], stored: StoredResponse) -> TreeTurn:
    response = stored.response
    return TreeTurn(
        number=number,
        after=numbers.get(stored.parent or "", 0),
        question=_question(stored),
        agent=stored.agent,
        model=response.model,
        status=response.status,
        time=stored.created_at,
        response_id=response.id,
        is_whole=bool(response.output) and response.status not in _DEAD_ENDS,
    )


def _question(stored: StoredResponse) -> str:
    """Return a question's first words; of one without words, what it is."""
    said = " ".join(item.text for item in stored.input if isinstance(item, Message) and item.role == "user")
    if words := first_words(said):
        return words
    return "(results of tools)" if any(isinstance(each, FunctionCallOutput) for each in stored.input) else "(image)"


def _told(line: Line, tree: ConversationTree) -> tuple[str, str, str]:
    """Return a line's number, its question and what else there is to say of it."""
    if line.left_out:
        return "…", f"{line.left_out:,} more", ""
    if line.number == 0:
        return "0", "(the beginning)", "← here" if tree.here == 0 else ""
    turn = tree.by_number[line.number]
    state = "" if turn.status == "completed" else turn.status.replace("_", " ")
    here = "← here" if line.number == tree.here else ""
    return str(turn.number), turn.question, " · ".join(filter(None, (turn.agent or turn.model, state, here)))


def _plain(line: Line, tree: ConversationTree) -> str:
    number, question, more = _told(line, tree)
    mark = "●" if line.is_current else "○"
    indent = "" if line.depth == 0 else "    " * (line.depth - 1) + ("  └ " if line.begins else "    ")
    return f"{indent}{mark} {number}  {question}{f'  · {more}' if more else ''}"


def _html(line: Line, tree: ConversationTree) -> str:
    number, question, more = (escape(each) for each in _told(line, tree))
    said = f"{number}. {question}"
    return (f"<strong>{said}</strong>" if line.is_current else said) + (f" <small>· {more}</small>" if more else "")
