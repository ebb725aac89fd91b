"""`%agent agents`: who can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.config.endpoint import Catalog
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.workbench import Workbench

__all__ = ["Agents"]


class Agents:
    """List agents, or endpoints with their models."""

    name = "agents"
    summary = "List the agents; with -e the endpoints and their models."
    argument = ""
    options = (Option(("-e", "--endpoints"), "list endpoints and models instead"),)

    async def run(self, call: Call) -> Table:
        """Return the table."""
        bench = call.session.bench
        return _endpoints(bench) if call.options.get("endpoints") else _agents(bench.catalog, call)


def _agents(catalog: Catalog, call: Call) -> Table:
    current = call.agent
    rows = [
        (
            f"{agent.id} ←" if agent.id == current else agent.id,
            agent.name,
            "/".join(each for each in (agent.endpoint or catalog.default_endpoint.name, agent.model) if each),
            ", ".join(agent.tools),
            agent.description,
        )
        for agent in catalog.agents.values()
    ]
    note = f"Answers come from {call.model} (%agent use)." if call.model else "Models: %agent agents -e"
    return Table(("agent", "name", "endpoint", "tools", "description"), rows, note=note)


def _endpoints(bench: Workbench) -> Table:
    rows = [
        (
            endpoint.name,
            ", ".join(bench.known_models(endpoint.name)) or ("whatever it offers" if endpoint.fetch_models else ""),
            endpoint.unsupported or "ready",
            endpoint.origin,
        )
        for endpoint in bench.catalog.endpoints.values()
    ]
    return Table(("endpoint", "models", "state", "from"), rows)
