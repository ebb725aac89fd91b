"""`%agent keys`: API keys for programs outside the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from datetime import datetime

    from agentbench.notebook.magics.commands.base import Call
    from agentbench.workbench import Workbench

__all__ = ["Keys"]


class Keys:
    """List, make and revoke keys."""

    name = "keys"
    summary = "List your API keys; with --new NAME --to VARIABLE make one, with --revoke ID take one back."
    argument = ""
    options = (
        Option(("--new",), "make a key of this name", "NAME"),
        Option(("--to",), "the variable that gets the new key: a cell's output would keep it in the file", "VARIABLE"),
        Option(("--agents",), "the agents that it may use, with commas; without it all", "AGENTS", completes="agents"),
        Option(("--expires",), "when it ends: 30d, 12h, 2027-01-31", "WHEN"),
        Option(("--rpm",), "requests per minute at most", "COUNT", int),
        Option(("--revoke",), "revoke the key of this id", "ID"),
    )

    async def run(self, call: Call) -> Table:
        """Return the keys as they are after the change; no secret among them."""
        bench = call.session.bench
        if (name := call.options.get("new")) is not None:
            self._make(call, name)
        if (key := call.options.get("revoke")) is not None:
            bench.revoke_key(key)
        return _table(bench)

    def _make(self, call: Call, name: str) -> None:
        variable = call.options.get("to")
        if not variable or not variable.isidentifier():
            raise InvalidRequest("A new key needs a variable to go to: %agent keys --new NAME --to VARIABLE")
        agents = call.options.get("agents")
        made = call.session.bench.create_key(
            name,
            expires=call.options.get("expires"),
            agents=None if agents is None else [each.strip() for each in agents.split(",")],
            requests_per_minute=call.options.get("rpm"),
        )
        call.namespace[variable] = made.secret


def _table(bench: Workbench) -> Table:
    made = bench.keys()
    rows = [
        (
            key.id,
            f"{key.prefix}…",
            key.name,
            "all" if key.agents is None else ", ".join(key.agents),
            key.requests_per_minute or "any",
            _shown(key.expires_at),
            _shown(key.last_used_at),
        )
        for key in made
    ]
    note = "A new key's text is VARIABLE.reveal()." if rows else "Make one: %agent keys --new NAME --to VARIABLE"
    return Table(("id", "begins", "name", "agents", "per minute", "expires", "last used"), rows, note=note)


def _shown(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"
