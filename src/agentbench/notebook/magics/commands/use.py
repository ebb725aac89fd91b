"""`%agent use`: who answers from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call

__all__ = ["Use"]


class Use:
    """Choose the agent, the model or the conversation."""

    name = "use"
    summary = "Choose who answers from now on: an agent, or endpoint/model. The conversation goes on."
    argument = "[AGENT | ENDPOINT/MODEL]"
    options = (Option(("-c", "--conversation"), "continue this conversation", "ID", completes="conversations"),)

    async def run(self, call: Call) -> Table:
        """Return what is in use, after the change."""
        from agentbench.runner.target import find_target

        session, magics = call.session, call.magics
        catalog = session.bench.catalog
        if call.text in catalog.agents:
            magics.agent, magics.model = call.text, ""
        elif call.text:
            magics.model = find_target(catalog, agent=call.agent, model=call.text).name
        if conversation := call.options.get("conversation"):
            session.conversation = session.find(conversation)
        target = find_target(catalog, agent=call.agent, model=call.model)
        talk = session.look()
        rows = [
            ("agent", call.agent),
            ("model", target.name),
            ("conversation", f"{talk.title} ({talk.id})" if talk else "a new one"),
        ]
        return Table(("in use", ""), rows)
