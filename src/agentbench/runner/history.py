"""What was said before: from a conversation or a previous response to the items that go in front of a request."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest, PreviousNotFound, UnknownName
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Reasoning
from agentbench.protocol.values import Value
from agentbench.storage import conversations, responses
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from agentbench.protocol import InputItem, Item, Response
    from agentbench.runner.turn import Cell, Turn
    from agentbench.storage.database import Database

__all__ = ["History", "load_history"]


class History(Value, frozen=True, kw_only=True):
    """The turns before this one, oldest first."""

    turns: tuple[StoredResponse, ...] = ()

    @property
    def parent(self) -> str | None:
        """The id of the response that this turn follows."""
        return self.turns[-1].response.id if self.turns else None

    @property
    def items(self) -> tuple[InputItem, ...]:
        """Every turn's input and output, in order, but for calls that an early end left without a result."""
        return tuple(item for turn in self.turns for item in (*turn.input, *_whole(turn.response)))

    def shortened(self) -> History:
        """Return the newer half, cut between turns."""
        return History(turns=self.turns[(len(self.turns) + 1) // 2 :])


def _whole(response: Response) -> Iterable[Item]:
    if response.status == "completed":
        return response.output
    answered = {item.call_id for item in response.output if isinstance(item, FunctionCallOutput)}
    kept = [item for item in response.output if not isinstance(item, FunctionCall) or item.call_id in answered]
    while kept and isinstance(kept[-1], Reasoning):  # providers take sealed reasoning only with what it led to
        kept.pop()
    return kept


async def load_history(database: Database, turn: Turn) -> History:
    """Return what this turn follows.

    The turn may bring it along, or name it exactly with `previous_response_id`; else it is the conversation's newest
    turn, or, if the asking cell has answered in this conversation before, what came before that: running a cell again
    rewinds to there. Turns that couldn't be stored yet count too.
    """
    if turn.past is not None:
        return History(turns=turn.past)
    previous = turn.request.previous_response_id
    if previous is None and turn.conversation is None:
        return History()
    kept = _kept(database, turn, previous)
    if not kept and _is_begun(database, turn, previous):
        return History()
    if not kept:
        return await database.read(partial(_load, turn=turn, previous=previous))
    older: tuple[StoredResponse, ...] = ()
    if kept[0].parent is not None:
        older = await database.read(partial(responses.chain, head=kept[0].parent, user=turn.principal.user))
    return History(turns=_rewound((*older, *kept), turn.cell if previous is None else None))


def _kept(database: Database, turn: Turn, previous: str | None) -> tuple[StoredResponse, ...]:
    """Return the turns that wait to be stored, if this one follows them."""
    user, head = turn.principal.user, previous
    if head is None:
        begun = database.unsaved.conversation(turn.conversation or "", user)
        head = None if begun is None else begun.head
    return database.unsaved.chain(head, user)


def _is_begun(database: Database, turn: Turn, previous: str | None) -> bool:
    """Tell whether this is the first turn of a conversation that waits to be stored itself."""
    return previous is None and database.unsaved.conversation(turn.conversation or "", turn.principal.user) is not None


def _load(connection: Connection, turn: Turn, previous: str | None) -> History:
    user = turn.principal.user
    if previous is not None:
        chain = responses.chain(connection, previous, user)
        if not chain:
            raise PreviousNotFound(previous)
        if chain[-1].response.status in ("queued", "in_progress"):
            message = f"The response {previous!r} is still being made. Wait for its end."
            raise InvalidRequest(message, param="previous_response_id")
        return History(turns=chain)
    conversation = conversations.get(connection, turn.conversation or "", user)
    if conversation is None:
        raise UnknownName("conversation", turn.conversation or "", param="conversation")
    chain = responses.chain(connection, conversation.head, user) if conversation.head else ()
    return History(turns=_rewound(chain, turn.cell))


def _rewound(chain: Sequence[StoredResponse], cell: Cell | None) -> tuple[StoredResponse, ...]:
    if cell is not None and cell.id is not None:
        for place, stored in enumerate(chain):
            if stored.cell_id == cell.id and stored.cell_run != cell.run:
                return tuple(chain[:place])
    return tuple(chain)
