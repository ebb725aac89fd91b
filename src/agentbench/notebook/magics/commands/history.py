"""`%agent history`: what was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.magics.options import Option, whole_name

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.transcript import ConversationList, Transcript

__all__ = ["History"]


class History:
    """Show a conversation, or list them all."""

    name = "history"
    summary = "Show this conversation; with --all, list the conversations with what each took, and number them."
    argument = "[CONVERSATION]"
    options = (
        Option(("--all",), "list the newest conversations"),
        Option(("-n", "--limit"), "how many of them", "COUNT", int),
    )

    async def run(self, call: Call) -> Transcript | ConversationList:
        """Return the transcript, or the list."""
        from agentbench.notebook.transcript import ConversationList, Transcript

        session, bench, current = call.session, call.session.bench, call.session.look()
        if call.options.get("all"):
            found = bench.conversations(call.options.get("limit", 20))
            session.listed = tuple(each.id for each in found)
            return ConversationList(found, bench.took(found), current)
        if call.text:
            current = session.find(whole_name(call.text))
        return Transcript(()) if current is None else Transcript.of(bench, current)
