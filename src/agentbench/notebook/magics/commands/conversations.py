"""`%agent open`, `branch`, `tree` and `delete`: conversations as things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.options import Option, whole_name
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.transcript import Transcript
    from agentbench.storage.conversations import Conversation
    from agentbench.workbench.tree import ConversationTree

__all__ = ["Branch", "Delete", "Open", "Tree"]

_NO_OPTIONS: tuple[Option, ...] = ()


class Open:
    """Go on in an earlier conversation."""

    name = "open"
    summary = "Go on in an earlier conversation, by its number in %agent history --all, its id or its title; show it."
    argument = "CONVERSATION"
    options = _NO_OPTIONS

    async def run(self, call: Call) -> Transcript:
        """Return its transcript."""
        from agentbench.notebook.transcript import Transcript

        call.session.conversation = _named(call, "open")
        return Transcript.of(call.session.bench, call.session.conversation)


class Tree:
    """Show the branches of a conversation."""

    name = "tree"
    summary = "Show all turns of a conversation with their numbers, how they branch, and where it goes on."
    argument = "[CONVERSATION]"
    options = _NO_OPTIONS

    async def run(self, call: Call) -> ConversationTree:
        """Return the tree; of this conversation, if none is named."""
        found = call.session.find(whole_name(call.text)) if call.text else _current(call)
        return call.session.bench.tree(found)


class Branch:
    """Go back in the current conversation."""

    name = "branch"
    summary = "Go on after an earlier turn, by its number in %agent tree; alone, go back before the last question."
    argument = "[TURN]"
    options = _NO_OPTIONS

    async def run(self, call: Call) -> Table:
        """Return where the conversation goes on now."""
        session, bench, conversation = call.session, call.session.bench, _current(call)
        word = whole_name(call.text)
        if word:
            tree = bench.branch(conversation, int(word) if word.isdecimal() else word)
        else:
            tree = bench.tree(conversation)
            cell = call.cell.id or call.cell.run
            if session.branched != (conversation.id, cell, tree.here):  # else the cell is run again
                tree = bench.branch(conversation)
            session.branched = (conversation.id, cell, tree.here)
        session.conversation = tree.conversation
        session.tell_chats()
        return _place(tree)


class Delete:
    """Delete a conversation."""

    name = "delete"
    summary = "Delete a conversation with all its turns, by its number in %agent history --all, its id or its title."
    argument = "CONVERSATION"
    options = _NO_OPTIONS

    async def run(self, call: Call) -> Table:
        """Return what was deleted; of this conversation, the next question begins a new one."""
        found = _named(call, "delete")
        _check_whole(call, found)
        count = call.session.bench.delete(found)
        call.session.look()
        call.session.tell_chats()
        note = "Its calls stay in the ledger: %agent usage"
        return Table(("deleted", "turns", "conversation"), [(found.title, count, found.id)], note=note)


def _named(call: Call, command: str) -> Conversation:
    if not call.text:
        raise InvalidRequest(f"Say which conversation: %agent {command} NUMBER, as in %agent history --all")
    return call.session.find(whole_name(call.text))


def _current(call: Call) -> Conversation:
    if (found := call.session.look()) is None:
        raise InvalidRequest("There is no conversation yet. Ask first, or open one: %agent history --all")
    return found


def _check_whole(call: Call, found: Conversation) -> None:
    """Refuse to delete what was named by a part of its title."""
    name, title, listed = whole_name(call.text), found.title or "", call.session.listed
    number = str(listed.index(found.id) + 1) if found.id in listed else ""
    if name not in (found.id, number) and " ".join(name.split()).casefold() != title.casefold():
        raise InvalidRequest(f"{name!r} is a part of the title {title!r}. To delete that one, write its title in full.")


def _place(tree: ConversationTree) -> Table:
    here = tree.by_number.get(tree.here)
    follows = "nothing: it begins anew" if here is None else f"turn {here.number}: {here.question}"
    rows = [("conversation", tree.conversation.title or tree.conversation.id), ("the next question follows", follows)]
    return Table(("branch", ""), rows, note="All turns: %agent tree")
