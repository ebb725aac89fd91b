"""Starts turns: finds who answers and hands over what a run needs."""

from __future__ import annotations

from copy import copy
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakSet

import msgspec

from agentbench.config.mcp import is_mcp_reference
from agentbench.errors import UnknownName
from agentbench.retrieval.library import Library
from agentbench.runner.background import Background
from agentbench.runner.budget import Budgets
from agentbench.runner.embeddings import Embeddings
from agentbench.runner.grounding import Grounding
from agentbench.runner.mcp import McpConnections
from agentbench.runner.purse import Purse
from agentbench.runner.queries import QueryWriter
from agentbench.runner.recordings import Recordings
from agentbench.runner.run import Run
from agentbench.runner.steps import Steps
from agentbench.runner.target import find_target, model_names
from agentbench.runner.titles import Titler
from agentbench.runner.tools import Toolbox
from agentbench.telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.auth.principal import Principal
    from agentbench.config.endpoint import Catalog
    from agentbench.providers import Providers
    from agentbench.runner.assistants.assistants import Assistants
    from agentbench.runner.steps import Approve
    from agentbench.runner.target import Target
    from agentbench.runner.tools import Tool
    from agentbench.runner.turn import Turn
    from agentbench.storage.database import Database
    from agentbench.telemetry import Watch

__all__ = ["Runner"]


class Runner:
    """Runs turns against one catalog, one set of providers and one database; it owns none of them."""

    def __init__(
        self, catalog: Catalog, providers: Providers, database: Database, *, telemetry: Telemetry | None = None
    ) -> None:
        self.catalog = catalog
        self.telemetry = telemetry or Telemetry({})
        self.database = database
        self.providers = providers
        self.budgets = Budgets()
        self.toolbox = Toolbox()
        self.recordings = Recordings()
        self.background = Background(database)
        self.mcp = McpConnections(catalog.mcp_servers, providers.deck)
        self.purse = Purse(lambda: self.catalog.balance, database)
        self.titles = Titler(lambda: self.catalog, providers, database, purse=self.purse, telemetry=self.telemetry)
        self.embeddings = Embeddings(
            lambda: self.catalog,
            providers,
            database,
            purse=self.purse,
            budgets=self.budgets,
            may_name_models=self.may_name_models,
            telemetry=self.telemetry,
        )
        self.library = Library(database, embedder=self.embeddings.embedder_for, settings=lambda: self.catalog.retrieval)
        writer = QueryWriter(lambda: self.catalog, providers, database, purse=self.purse, telemetry=self.telemetry)
        self.grounding = Grounding(lambda: self.catalog, self.library, self.embeddings, writer)
        self._runs: WeakSet[Run] = WeakSet()
        self._runs_lock = Lock()  # turns start on any thread

    @cached_property
    def assistants(self) -> Assistants:
        """The assistants that are made and run here; made on first use, as most runners have none."""
        from agentbench.runner.assistants.assistants import Assistants

        return Assistants(self)

    def start(self, turn: Turn, *, tools: Iterable[Tool] = (), approve: Approve | None = None) -> Run:
        """Return the run of a turn; nothing happens until its events are read.

        `tools` join the agent's own. `approve` is asked before a tool that wants it; without it such a tool is not
        run. Raises `UnknownName` or `InvalidRequest` if nobody can answer.
        """
        if not turn.principal.remote:
            turn = msgspec.structs.replace(turn, budgets=self.budgets.now())
        target = self._target(turn)
        watch = self.telemetry.watch(
            target.endpoint, target.model, agent=target.agent, conversation=turn.conversation, context=turn.context
        )
        provider = self.providers.of(target.endpoint)
        run = Run(
            turn,
            target,
            provider,
            self.database,
            steps=self._steps(turn, target, tools, approve, watch),
            titler=self.titles,
            purse=self.purse if self.catalog.balance.enabled else None,
            ledger=self.catalog.keeps_ledger,
            recordings=self.recordings,
            grounding=self.grounding,
            watch=watch,
        )
        with self._runs_lock:
            self._runs.add(run)
        return run

    def answers_in(self, conversation_id: str) -> bool:
        """Tell whether an answer in that conversation is being made in this process."""
        return any(run.is_running and run.turn.conversation == conversation_id for run in self._known_runs())

    def use(self, catalog: Catalog) -> None:
        """Run the turns that start from now on against another catalog."""
        self.catalog = catalog
        self.mcp.servers = catalog.mcp_servers

    def trying(self, catalog: Catalog) -> Runner:
        """Return a runner of the same parts that finds who answers in another catalog."""
        other = copy(self)
        other.catalog = catalog
        return other

    def stop_remote(self) -> bool:
        """Let the running turns of callers over HTTP end as incomplete; return whether there were any.

        Call it on the event loop that runs them.
        """
        running = [run for run in self._known_runs() if run.turn.principal.remote and run.row is None]
        for run in running:
            run.stop()
        return bool(running)

    async def aclose(self) -> None:
        """End the background runs and titles of this event loop, then the connections to MCP servers and providers."""
        if "assistants" in self.__dict__:
            await self.assistants.aclose()
        await self.background.aclose()
        await self.titles.aclose()
        await self.library.aclose()
        await self.mcp.aclose()
        await self.providers.aclose()

    def names_for(self, principal: Principal) -> list[str]:
        """Return what a principal may name as `model`: its agents, and where it may every listed `endpoint/model`.

        What only the kernel gets an answer from is left out for callers over HTTP.
        """
        agents = [each for each in self._agents_of(principal) if not (principal.remote and self._is_personal(each))]
        models = model_names(self.catalog, remote=principal.remote) if self.may_name_models(principal) else []
        return [*agents, *models]

    def may_name_models(self, principal: Principal) -> bool:
        """Return whether a principal may name an `endpoint/model` in place of an agent."""
        return not principal.remote or (self.catalog.remote.models and principal.agents is None)

    def _known_runs(self) -> list[Run]:
        with self._runs_lock:
            return list(self._runs)

    def _steps(self, turn: Turn, target: Target, tools: Iterable[Tool], approve: Approve | None, watch: Watch) -> Steps:
        """Return what runs the tools of a turn: the agent's own, and `tools`."""
        names = () if target.agent is None else target.agent.tools
        own = self.toolbox.select((name for name in names if not is_mcp_reference(name)), tools)
        more = partial(self.mcp.tools, tuple(filter(is_mcp_reference, names)))
        here = self.toolbox.those(self.toolbox.names) if self._runs_functions_of(target, turn) else {}
        return Steps(
            own,
            turn.request,
            approve,
            limit=self.catalog.recursion_limit,
            more=more,
            unoffered=here,
            deck=self.providers.deck,
            watch=watch,
        )

    def _runs_functions_of(self, target: Target, turn: Turn) -> bool:
        """Return whether the functions of an upstream's assistant run here if a tool has their name."""
        return target.endpoint.provider == "assistants" and not turn.principal.remote

    def _agents_of(self, principal: Principal) -> list[str]:
        return [each for each in self.catalog.agents if principal.agents is None or each in principal.agents]

    def _is_personal(self, agent: str) -> bool:
        name = self.catalog.agents[agent].endpoint
        endpoint = self.catalog.endpoint(name) if name else self.catalog.default_endpoint
        return endpoint.personal

    def _target(self, turn: Turn) -> Target:
        """Return who answers; to a caller, an agent that it may not use isn't there."""
        agent, model = turn.agent, turn.request.model
        if turn.persona is not None:  # whoever made it one has seen to what the caller may use
            return find_target(
                self.catalog, agent=None, model=model, remote=turn.principal.remote, persona=turn.persona
            )
        if self.may_name_models(turn.principal):
            return find_target(self.catalog, agent=agent, model=model, remote=turn.principal.remote)
        names = self.names_for(turn.principal)
        name = agent or model or next(iter(names), "")
        if name not in self._agents_of(turn.principal):
            raise UnknownName("model", name, names, param="model")
        return find_target(self.catalog, agent=name, model=None, remote=turn.principal.remote)
