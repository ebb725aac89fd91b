"""The workbench: the one place that builds every part and owns its lifetime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.workbench.archiving import Archiving
from agentbench.workbench.assisting import Assisting
from agentbench.workbench.clients import Clients
from agentbench.workbench.conversing import Conversing
from agentbench.workbench.experimenting import Experimenting
from agentbench.workbench.keys import Keys
from agentbench.workbench.taping import Taping
from agentbench.workbench.widgets import Widgets

if TYPE_CHECKING:
    from agentbench.gateway.serve import ServedApp

__all__ = ["Workbench", "served_app"]


class Workbench(Archiving, Assisting, Conversing, Experimenting, Taping, Widgets, Clients, Keys):
    """Agents, endpoints, conversations and their ledger, in this process.

    `config` is the path of an `agentbench.yaml`, the same as a mapping, or None for what the environment offers. Data
    lies in `home` (default: `AGENTBENCH_HOME`, else the user's data folder), or in the database that `database_url`
    or `AGENTBENCH_DATABASE_URL` names. Use it as a context manager, or `close` it; it closes at exit by itself.
    """


def served_app() -> ServedApp:
    """Return the gateway of a new workbench for a server process, which closes it at the end of its lifespan."""
    from agentbench.gateway.serve import ServedApp

    bench = Workbench()
    return ServedApp(bench.app, bench._runner, bench._aclose)  # noqa: SLF001 - the same package
