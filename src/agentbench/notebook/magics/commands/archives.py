"""`%agent export` and `%agent import`: conversations into files, and out of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.options import Option, first_word
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.notebook.magics.commands.base import Call
    from agentbench.storage.conversations import Conversation
    from agentbench.workbench.archiving import Imported

__all__ = ["Export", "Import"]

_EVERY = 1_000_000
"""More conversations than anybody has."""


class Export:
    """Write conversations into a file."""

    name = "export"
    summary = "Write this conversation, or another one, into a file: .ipynb, .md, .html, .json or .jsonl."
    argument = "FILE [CONVERSATION]"
    options = (
        Option(("--branches",), "all branches, not only the current one; .json holds them anyway"),
        Option(("--all",), "all conversations, in one file"),
    )

    async def run(self, call: Call) -> Table:
        """Return what was written, and where."""
        from agentbench.notebook.export import write_conversations

        file, name = first_word(call.text)
        if not file:
            raise InvalidRequest("Name the file: %agent export talk.ipynb")
        found = self._found(call, name)
        branches = bool(call.options.get("branches"))
        path = write_conversations(call.session.bench, found, Path(file), branches=branches)
        titles = [each.title or each.id for each in found]
        shown = titles[0] if len(titles) == 1 else f"{len(titles):,} conversations"
        return Table(("file", "holds"), [(str(path), shown)])

    def _found(self, call: Call, name: str) -> Sequence[Conversation]:
        if call.options.get("all"):
            found = call.session.bench.conversations(_EVERY)
        else:
            current = call.session.find(name) if name else call.session.look()
            found = [] if current is None else [current]
        if not found:
            raise InvalidRequest("There is no conversation to export yet. Name one: %agent history --all lists them.")
        return found


class Import:
    """Take conversations in from a file."""

    name = "import"
    summary = "Take in the conversations of a file: an export of LibreChat, Open WebUI or ChatGPT, JSON, or a log."
    argument = "FILE"
    options = ()

    async def run(self, call: Call) -> Imported:
        """Return the conversations; shown, they say what became of everything in the file."""
        file, more = first_word(call.text)
        if not file or more:
            raise InvalidRequest(
                'Name one file, in quotes if there are spaces in its name: %agent import "my chats.json"'
            )
        return call.session.bench.import_conversations(Path(file))
