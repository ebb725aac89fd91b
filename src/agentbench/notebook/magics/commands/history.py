"""`%agent history`: what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.magics.options import Option

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.tables import Table
    from agentbench.notebook.transcript import Transcript

__all__ = ["History"]


class History:
    """Show a conversation, or list them all."""

    name = "history"
    summary = "Show this conversation; with --all, list the conversations."
    argument = "[CONVERSATION]"
    options = (
        Option(("--all",), "list the newest conversations"),
        Option(("-n", "--limit"), "how many of them", "COUNT", int),
    )

    async def run(self, call: Call) -> Transcript | Table:
        """Return the transcript, or the list."""
        from agentbench.notebook.transcript import Transcript, conversation_table

        bench, current = call.session.bench, call.session.look()
        if call.options.get("all"):
            return conversation_table(bench.conversations(call.options.get("limit", 20)), current)
        if call.text:
            current = call.session.find(call.text)
        if current is None:
            return Transcript(())
        title = None if current.titled_by == "words" else current.title  # the transcript begins with the words
        return Transcript(bench.turns(current), title=title)
