"""Conversations as things: found by what people call them, summed up, drawn as trees, deleted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.runner.background import GONE_SECONDS
from agentbench.storage import background, conversation_sums, conversations, responses, threads
from agentbench.storage.conversation_sums import ConversationSums, together
from agentbench.workbench.branching import Branching
from agentbench.workbench.tree import ConversationTree, turns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from agentbench.storage.conversations import Conversation

__all__ = ["Conversing"]

_MOST_NAMED = 5
"""Conversations that an error lists; the rest it counts."""

_RUNNING = "An answer in this conversation is still coming. Stop it, or wait for its end."


class Conversing(Branching):
    """Handles whole conversations."""

    def find_conversation(self, name: str) -> Conversation:
        """Return the conversation of that id, else of that title, else the one with that in its title.

        Raises `InvalidRequest` that lists them if there are several, `UnknownName` if there is none.
        """
        if (found := self.conversation(name)) is not None:
            return found
        titles = self._titles()
        chosen = _of_title(name, titles)
        if not chosen:
            raise UnknownName("conversation", name, [*titles.values(), *titles])
        if len(chosen) > 1:
            raise InvalidRequest(_ambiguous(name, {key: titles[key] for key in chosen}))
        return self._found(chosen[0])

    def took(self, found: Sequence[Conversation]) -> list[ConversationSums]:
        """Return what each of these conversations took, all branches and its title together."""
        ids, unsaved = [each.id for each in found], self._database.unsaved
        sums = self._database.read_now(partial(conversation_sums.sums, conversation_ids=ids, user=KERNEL.user))
        return [
            together(sums.get(key), len(unsaved.turns(key, KERNEL.user)), unsaved.rows(key, KERNEL.user)) for key in ids
        ]

    def tree(self, conversation: Conversation | str) -> ConversationTree:
        """Return all turns of a conversation and how they branch; raises `UnknownName` if there is none of that id."""
        found = self._found(conversation)
        known = self.branches(found)
        ids = [link.id for link in known.links]
        stored = self._database.read_now(partial(responses.several, response_ids=ids, user=KERNEL.user))
        kept = self._database.unsaved.turns(found.id, KERNEL.user)
        return ConversationTree(found, turns_of(known, (*stored, *kept)))

    def branch(self, conversation: Conversation | str, after: int | str | None = None) -> ConversationTree:
        """Let a conversation go on after a turn, and return the tree as it is then; what came later stays in it.

        A turn is named by its number in the tree or its response; 0 is the beginning, None means before the last
        question. Raises `UnknownName` if there is no such turn, `InvalidRequest` if nothing can follow it.
        """
        tree = self.tree(conversation)
        self.rewind(tree.conversation, tree.find(after))
        return self.tree(tree.conversation.id)

    def delete(self, conversation: Conversation | str) -> int:
        """Delete a conversation with all its turns, and return how many those were; the ledger keeps its rows.

        A thread of the Assistants API goes with its messages and runs. Raises `UnknownName` if there is no such
        conversation, `InvalidRequest` while an answer in it is being made.
        """
        key = self._found(conversation).id
        count = len(self.branches(key))
        if self._runner.answers_in(key):
            raise InvalidRequest(_RUNNING)
        if self._database.read_now(partial(threads.get, thread_id=key, user=KERNEL.user)) is not None:
            self._open_loop().portal.call(self._runner.assistants.delete_thread, KERNEL, key)
        else:
            self._write(partial(_delete, conversation_id=key))
        self._database.unsaved.drop(key, KERNEL.user)
        return count

    def _titles(self) -> dict[str, str]:
        """Return all titles by id, the newest first."""
        stored = self._database.read_now(partial(conversations.titles, user=KERNEL.user))
        kept = map(self.conversation, self._database.unsaved.begun(KERNEL.user))
        return {each.id: each.title for each in kept if each is not None and each.title} | stored


def _of_title(name: str, titles: Mapping[str, str]) -> list[str]:
    """Return the ids of those whose title is that, else of those in whose titles it is; case and blanks don't count."""
    asked = _folded(name)
    same = [key for key, title in titles.items() if _folded(title) == asked]
    return same or [key for key, title in titles.items() if asked and asked in _folded(title)]


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _ambiguous(name: str, titles: Mapping[str, str]) -> str:
    shown = [f"{title!r} ({key})" for key, title in list(titles.items())[:_MOST_NAMED]]
    more = f" and {len(titles) - _MOST_NAMED} more" if len(titles) > _MOST_NAMED else ""
    return f"{len(titles)} conversations are called {name!r}: {', '.join(shown)}{more}. Name one by its id."


def _delete(connection: Connection, conversation_id: str) -> None:
    since = datetime.now(UTC) - timedelta(seconds=GONE_SECONDS)
    if background.is_busy(connection, conversation_id, since):
        raise InvalidRequest(_RUNNING)
    conversations.delete(connection, conversation_id, KERNEL.user)
