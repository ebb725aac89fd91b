"""What was said before: from a conversation or a previous response to the items that go in front of a request."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentbench.errors import PreviousNotFound, UnknownName
from agentbench.protocol.values import Value
from agentbench.storage import conversations, responses
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from agentbench.protocol import InputItem
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
        """Every turn's input and output, in order."""
        return tuple(item for turn in self.turns for item in (*turn.input, *turn.response.output))

    def shortened(self) -> History:
        """Return the newer half, cut between turns."""
        return History(turns=self.turns[(len(self.turns) + 1) // 2 :])


async def load_history(database: Database, turn: Turn) -> History:
    """Return what this turn follows.

    A `previous_response_id` names it exactly; else it is the conversation's newest turn, or, if the asking cell has
    answered in this conversation before, what came before that: running a cell again rewinds to there.
    """
    previous = turn.request.previous_response_id
    if previous is None and turn.conversation is None:
        return History()
    return await database.read(partial(_load, turn=turn, previous=previous))


def _load(connection: Connection, turn: Turn, previous: str | None) -> History:
    user = turn.principal.user
    if previous is not None:
        chain = responses.chain(connection, previous, user)
        if not chain:
            raise PreviousNotFound(previous)
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
