"""Who may be asked in a chat, as its views show them: the agents of the config, and assistants."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from agentbench.errors import AgentbenchError, UnknownName

if TYPE_CHECKING:
    from agentbench.config.endpoint import Agent, Endpoint
    from agentbench.workbench import Workbench

__all__ = ["Roster"]

_MOST = 50
"""Assistants that are shown, the newest."""
_WITHOUT_IMAGES = ("llama_cpp",)
"""Providers whose models see none."""


class Roster:
    """Agents as they are now, and assistants as they were at the last look."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._assistants: dict[str, dict[str, Any]] = {}
        self.look()

    def look(self) -> None:
        """Look which assistants there are."""
        self._assistants = {}
        with suppress(AgentbenchError):  # the database is in trouble
            for each in list(self._bench.assistant_names())[:_MOST]:
                self._see(each)

    def known(self, agent: str | None) -> str | None:
        """Return the agent, if it is still there."""
        with suppress(UnknownName):
            return None if agent is None else self._bench.find_agent(agent).id
        return None

    def checked(self, agent: str, model: str) -> str:
        """Return the id of an agent, or of an assistant that is named; raises `UnknownName` without it or the model."""
        found = self._bench.find_agent(agent).id
        if model:
            self._bench.find_target(found, model)
        if found not in self._bench.catalog.agents:
            self._see(found)
        return found

    def shown(self) -> list[dict[str, Any]]:
        """Return all of them as JSON has it."""
        catalog = self._bench.catalog
        agents = [
            _shown(each, catalog.endpoint(each.endpoint) if each.endpoint else catalog.default_endpoint, each.model)
            for each in catalog.agents.values()
        ]
        return [*agents, *self._assistants.values()]

    def _see(self, assistant_id: str) -> None:
        with suppress(AgentbenchError):  # nobody answers for it
            target = self._bench.find_target(assistant_id)
            if target.agent is not None:
                self._assistants[assistant_id] = _shown(target.agent, target.endpoint, target.model)


def _shown(agent: Agent, endpoint: Endpoint, model: str | None) -> dict[str, Any]:
    model = model or endpoint.default_model
    named = f"{endpoint.name}/{model}" if model else endpoint.name
    return {"id": agent.id, "name": agent.name, "model": named, "images": endpoint.provider not in _WITHOUT_IMAGES}
