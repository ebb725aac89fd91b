"""`%agent use`: who answers from now on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import UnknownName
from agentbench.notebook.magics.options import Option, first_word
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.workbench import Workbench

__all__ = ["Use"]


class Use:
    """Choose the agent, the model or the conversation."""

    name = "use"
    summary = "Choose who answers from now on: an agent, an assistant, or endpoint/model. The conversation goes on."
    argument = "[AGENT | ASSISTANT | ENDPOINT/MODEL]"
    options = (Option(("-c", "--conversation"), "continue this conversation", "ID", completes="conversations"),)

    async def run(self, call: Call) -> Table:
        """Return what is in use, after the change."""
        session, magics, bench = call.session, call.magics, call.session.bench
        word, more = first_word(call.text)
        name = call.text if more else word
        if (chosen := _chosen(bench, name)) is not None:
            magics.agent, magics.model = chosen, ""
        elif name:
            magics.model = bench.find_target(call.agent, name).name
        if conversation := call.options.get("conversation"):
            session.conversation = session.find(conversation)
        target = bench.find_target(call.agent, call.model)
        shown = target.agent if call.agent not in bench.catalog.agents else None
        talk = session.look()
        rows = [
            ("agent", call.agent if shown is None else f"{shown.name} ({shown.id})"),
            ("model", target.name),
            ("conversation", f"{talk.title} ({talk.id})" if talk else "a new one"),
        ]
        return Table(("in use", ""), rows)


def _chosen(bench: Workbench, name: str) -> str | None:
    """Return the id of the agent or assistant of that name; None for what can only be a model."""
    try:
        return bench.find_agent(name).id if name else None
    except UnknownName as error:
        if error.kind == "assistant":
            raise
        return None
