"""Starts turns: finds who answers and hands over what a run needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.runner.run import Run
from agentbench.runner.target import find_target

if TYPE_CHECKING:
    from agentbench.config.endpoint import Catalog
    from agentbench.providers import Providers
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database

__all__ = ["Runner"]


class Runner:
    """Runs turns against one catalog, one set of providers and one database; it owns none of them."""

    def __init__(self, catalog: Catalog, providers: Providers, database: Database) -> None:
        self.catalog = catalog
        self.database = database
        self.providers = providers

    def start(self, turn: Turn) -> Run:
        """Return the run of a turn; nothing happens until its events are read.

        Raises `UnknownName` or `InvalidRequest` if nobody can answer it.
        """
        target = find_target(self.catalog, agent=turn.agent, model=turn.request.model)
        return Run(turn, target, self.providers.of(target.endpoint), self.database)
