"""`%agent serve`: let other programs on this machine reach the agents."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from agentbench.auth.principal import KERNEL_EMAIL
from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call

__all__ = ["Serve"]


class Serve:
    """Start and stop a server on this machine's own address."""

    name = "serve"
    summary = "Let other programs on this machine reach the agents over HTTP, until the kernel ends."
    argument = ""
    options = (
        Option(("--port",), "the port, 0 for any free one; without it 8017", "N", int),
        Option(("--stop",), "stop serving; answers on their way end early"),
    )

    async def run(self, call: Call) -> Table:
        """Return where it is served; a second call tells it again."""
        session = call.session
        if call.options.get("stop"):
            # It waits for answers on their way, so not on the kernel's event loop.
            stopped = session.stop_serving() if call.blocking else await asyncio.to_thread(session.stop_serving)
            return Table(("address", "state"), [(stopped, "stopped")])
        url = session.serve(call.options.get("port"))
        rows = [
            ("API", f"{url}/api/agents/v1"),
            ("its description", f"{url}/docs"),
            # No key is made here: what a cell shows stays in the notebook's file.
            ("a key", f"agentbench keys create --user {KERNEL_EMAIL} --name NAME (in a terminal)"),
        ]
        return Table(("what", "where"), rows, note="It stops with the kernel, or by: %agent serve --stop")
