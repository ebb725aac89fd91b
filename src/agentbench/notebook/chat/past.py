"""What was said in a conversation: the branch in view, the others, and what it all took.

Owns what is known of the stored turns, and of those that the conversation can't go on from; asks no agent anything.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentbench.errors import StorageError, UnknownName
from agentbench.notebook.chat.drawing import turn_of
from agentbench.notebook.chat.record import Snapshot
from agentbench.notebook.chat.totals import totals, turn_rows
from agentbench.storage.branches import Branches, Link, link_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentbench.notebook.chat.values import Turn
    from agentbench.protocol import InputItem, Item, Response
    from agentbench.runner.documents import Document
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.responses import StoredResponse
    from agentbench.storage.usage import UsageRow
    from agentbench.workbench import Workbench

__all__ = ["Past", "Place", "View"]

MOST_TURNS = 50
MOST_BYTES = 400_000
"""Of turns that go to a view at once; notebook servers drop what is more than a few megabytes."""


class Place(NamedTuple):
    """Where a question stands: after which response, None at the beginning; what it says, and what was answered."""

    parent: str | None
    items: tuple[InputItem, ...]
    output: tuple[Item, ...] = ()
    documents: tuple[Document, ...] | None = None
    """What it rested on, where this process asked in vain; else its search says so."""


class View(NamedTuple):
    """Turns, oldest first, and how many are before them."""

    turns: list[Turn]
    earlier: int


class _Loose(NamedTuple):
    """A turn that the conversation can't go on from: it failed, or was stopped before it said anything."""

    turn: Turn
    items: tuple[InputItem, ...]
    output: tuple[Item, ...] = ()
    text: str = ""
    documents: tuple[Document, ...] | None = None


class Past:
    """One conversation, None before its first question. Whoever uses it holds a lock."""

    def __init__(self, bench: Workbench, conversation: Conversation | None) -> None:
        self._bench = bench
        self._begin(conversation)

    def _begin(self, conversation: Conversation | None) -> None:
        self.conversation = conversation
        self.stored: list[StoredResponse] = []
        self._head: str | None = None  # of the conversation, when it was looked at last
        self._loose: dict[str, _Loose] = {}
        self._shown: str | None = None  # the loose turn at the end of the branch in view
        self._branches = Branches(())
        self._rows: dict[str, UsageRow] = {}
        self._turn_rows: dict[str, UsageRow] = {}
        self._seconds: dict[str, float] = {}
        self._drawn: dict[str, Turn] = {}
        if conversation is not None:
            self._load(conversation)

    def look(self) -> bool:
        """Look whether the conversation went on elsewhere, and follow it there; return whether it did.

        One that was deleted leaves nothing: the next question begins another.
        """
        if self.conversation is None:
            return False
        found = self._bench.conversation(self.conversation.id)
        if found is None:
            self._begin(None)
            return True
        if found.head == self._head:
            return False
        self._load(found)
        return True

    def title(self) -> str | None:
        """Return the title as it is now."""
        if self.conversation is None:
            return None
        with suppress(StorageError):
            self.conversation = self._bench.conversation(self.conversation.id) or self.conversation
        return self.conversation.title

    def count_again(self) -> None:
        """Read what the calls took, those among them that nobody here waited for."""
        if self.conversation is not None:
            with suppress(StorageError):
                self._count(self._bench.calls(self.conversation))

    def _load(self, conversation: Conversation) -> None:
        """Take in what is stored, and view the branch that the conversation goes on from."""
        self.conversation = conversation
        self._head, self._shown = conversation.head, None
        self.stored = list(self._bench.turns(conversation))
        loose = [link for link in self._branches.links if link.id in self._loose]
        self._branches = Branches((*self._bench.branches(conversation).links, *loose))
        self.count_again()

    # -- places -------------------------------------------------------------------------------------------------

    @property
    def end(self) -> str | None:
        """The response that the next question follows."""
        return self.stored[-1].response.id if self.stored else None

    def place(self, turn_id: str) -> Place:
        """Return where a turn stands; raises `UnknownName` if it isn't in view."""
        if turn_id in self._loose:
            loose = self._loose[turn_id]
            return Place(loose.turn.parent, loose.items, loose.output, loose.documents)
        for stored in self.stored:
            if stored.response.id == turn_id:
                return Place(stored.parent, stored.input, stored.response.output)
        raise UnknownName("turn", turn_id, ())

    def cut(self, parent: str | None) -> None:
        """View the branch only up to a response of it."""
        ids = [each.response.id for each in self.stored]
        self._shown = None
        self.stored = self.stored[: ids.index(parent) + 1] if parent in ids else []

    def switch(self, turn_id: str) -> None:
        """View the newest branch that goes through a turn, and let the conversation go on from its end."""
        if self.conversation is None or turn_id not in self._branches:
            raise UnknownName("turn", turn_id, ())
        leaf = self._branches.leaf(turn_id)
        if leaf not in self._loose:
            stored = list(self._bench.turns(self.conversation, to=leaf))
            if not stored:
                raise UnknownName("turn", leaf, ())
            if _goes_on(stored[-1].response):
                self._bench.rewind(self.conversation, leaf)
                self.stored, self._head, self._shown = stored, leaf, None
                return
            self._set_loose(stored[-1])
        parent = self._loose[leaf].turn.parent
        self.stored = [] if parent is None else list(self._bench.turns(self.conversation, to=parent))
        self._shown = leaf

    # -- a turn that has ended ----------------------------------------------------------------------------------

    def count(self, rows: Iterable[UsageRow], seconds: Mapping[str, float]) -> None:
        """Take in what a turn took, and its calls by their ids, before the turn itself."""
        self._count(rows)
        self._seconds |= seconds

    def draw(self, stored: StoredResponse, warning: str = "") -> Turn:
        """Return a turn as views show it, but for its siblings. It is remembered, and needs no lock.

        The first time a `warning` may be given, which is shown with it.
        """
        key = stored.response.id
        if key not in self._drawn:
            turn = turn_of(stored, siblings=(), row=self.row(key), seconds=self._seconds)
            note = " ".join(filter(None, (turn.note, warning)))
            self._drawn[key] = msgspec.structs.replace(turn, note=note)
        return self._drawn[key]

    def add(self, stored: StoredResponse) -> None:
        """Take in a turn that has ended, at the end of the branch in view."""
        self._branches = Branches((*self._branches.links, link_of(stored)))
        if _goes_on(stored.response):
            self.stored.append(stored)
            self._head, self._shown = stored.response.id, None
        else:
            self._set_loose(stored)

    def add_failed(self, turn: Turn, items: Sequence[InputItem], documents: tuple[Document, ...] = ()) -> None:
        """Take in a turn that nobody answered, so that it isn't stored either."""
        self._branches = Branches((*self._branches.links, _link_to(turn)))
        self._loose[turn.id] = _Loose(turn, tuple(items), documents=documents)
        self._shown = turn.id

    def _count(self, rows: Iterable[UsageRow]) -> None:
        self._rows |= {row.id: row for row in rows}
        self._turn_rows = turn_rows(self._rows.values())

    def _set_loose(self, stored: StoredResponse) -> None:
        said = stored.response
        self._loose[said.id] = _Loose(self.draw(stored), stored.input, said.output, said.output_text)
        self._shown = stored.response.id

    # -- for views ----------------------------------------------------------------------------------------------

    def view(self, most: int = MOST_TURNS, room: int = MOST_BYTES) -> View:
        """Return the newest turns of the branch in view: so many at most, and so many bytes."""
        loose = [] if self._shown is None else [self._with_siblings(self._loose[self._shown].turn)]
        turns = self._newest(self.stored, most - len(loose), room - sum(map(_size, loose)))
        return View([*turns, *loose], len(self.stored) - len(turns))

    def before(self, turn_id: str, count: int) -> list[Turn]:
        """Return the turns of the branch in view before one of them."""
        ids = [each.response.id for each in self.stored]
        if turn_id not in ids and turn_id != self._shown:
            raise UnknownName("turn", turn_id, ())
        end = ids.index(turn_id) if turn_id in ids else len(ids)
        return self._newest(self.stored[:end], max(0, min(count, MOST_TURNS)), MOST_BYTES)

    def siblings(self, turn_id: str) -> tuple[str, ...]:
        """Return the turns that follow the same response as one does, itself among them, oldest first."""
        return self._branches.siblings(turn_id)

    def after(self, parent: str | None) -> tuple[str, ...]:
        """Return the turns that follow a response, oldest first."""
        return self._branches.after(parent)

    def totals(self) -> dict[str, Any]:
        """Return what the conversation took so far, all branches and the title with it."""
        return totals(len(self.stored), self._rows.values())

    def snapshot(self) -> Snapshot:
        """Return what a record is made of."""
        loose = None if self._shown is None else self._loose[self._shown].turn
        return Snapshot(self.conversation, list(self.stored), self._turn_rows, dict(self._seconds), loose)

    def text(self, turn_id: str) -> str:
        """Return a turn's answer as it was written; raises `UnknownName` if it isn't in view."""
        if turn_id in self._loose:
            return self._loose[turn_id].text
        for stored in self.stored:
            if stored.response.id == turn_id:
                return stored.response.output_text
        raise UnknownName("turn", turn_id, ())

    def row(self, response_id: str) -> UsageRow | None:
        """Return what a turn took, all its calls as one."""
        return self._turn_rows.get(response_id)

    def _newest(self, stored: Sequence[StoredResponse], most: int, room: int) -> list[Turn]:
        """Return so many turns of the last ones as there is room for, but one at least."""
        turns: list[Turn] = []
        for each in reversed(stored[max(0, len(stored) - most) :]):
            turn = self._with_siblings(self.draw(each))
            room -= _size(turn)
            if room < 0 and turns:
                break
            turns.append(turn)
        return turns[::-1]

    def _with_siblings(self, turn: Turn) -> Turn:
        return msgspec.structs.replace(turn, siblings=self.siblings(turn.id))


def _goes_on(response: Response) -> bool:
    """Tell whether a conversation goes on from a response; what has failed or is empty is none of its turns."""
    return bool(response.output) and response.status != "failed"


def _link_to(turn: Turn) -> Link:
    return Link(id=turn.id, parent=turn.parent, created_at=datetime.now(UTC))


def _size(turn: Turn) -> int:
    return len(msgspec.json.encode(turn))
