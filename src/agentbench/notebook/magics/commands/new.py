"""`%agent new`: begin a new conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.magics.options import Option

__all__ = ["New"]


class New:
    """Begin a new conversation."""

    name = "new"
    summary = "Begin a new conversation. The old one stays in %agent history --all."
    argument = "[TITLE]"
    options: tuple[Option, ...] = ()

    async def run(self, call: Call) -> None:
        """Forget the current conversation; without a title the next question gives the new one its title."""
        session = call.session
        session.conversation = session.bench.start_conversation(call.text, agent=call.agent) if call.text else None
