"""The branches of a conversation: where a question was asked again or put differently, both answers stay."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentbench.auth.principal import KERNEL
from agentbench.errors import UnknownName
from agentbench.storage import branches, conversations, usage
from agentbench.storage.branches import Branches, link_of
from agentbench.storage.usage import UsageFilter
from agentbench.workbench.looking import Looking

if TYPE_CHECKING:
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.usage import UsageRow

__all__ = ["Branching"]


class Branching(Looking):
    """Goes back in conversations, and from one branch to another."""

    def branches(self, conversation: Conversation | str) -> Branches:
        """Return all responses of a conversation as a tree; raises `UnknownName` if there is no such conversation."""
        key = self._found(conversation).id
        kept = map(link_of, self._database.unsaved.turns(key, KERNEL.user))
        stored = self._database.read_now(partial(branches.links, conversation_id=key, user=KERNEL.user))
        return Branches((*stored, *kept))

    def rewind(self, conversation: Conversation | str, to: str | None) -> None:
        """Let a conversation go on from one of its responses, None for its beginning; what came after it stays.

        Raises `UnknownName` if there is no such conversation, or no such response in it.
        """
        known = self.branches(conversation)
        if to is not None and to not in known:
            raise UnknownName("response", to, [link.id for link in known.links])
        self._write(partial(conversations.move_head, conversation_id=self._found(conversation).id, head=to))

    def calls(self, conversation: Conversation | str) -> list[UsageRow]:
        """Return the ledger's rows of a conversation, oldest first: every call of every branch, and of its title."""
        key = conversation if isinstance(conversation, str) else conversation.id
        chosen = UsageFilter(user=KERNEL.user, conversation_id=key)
        return self._database.read_now(partial(usage.rows, chosen=chosen))
