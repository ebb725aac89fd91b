"""Who answers a question: an agent of the config, an assistant that lives here, or one of an upstream's."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agentbench.auth.principal import KERNEL
from agentbench.config.endpoint import Agent
from agentbench.errors import UnknownName
from agentbench.protocol.assistants.tools import CodeInterpreter
from agentbench.protocol.request import TextConfig
from agentbench.runner.target import find_target
from agentbench.storage.paging import Page
from agentbench.workbench.parts import Parts

if TYPE_CHECKING:
    from agentbench.protocol.assistants.objects import Assistant
    from agentbench.protocol.request import FunctionTool
    from agentbench.runner import Runner, Turn
    from agentbench.runner.documents import Document
    from agentbench.runner.target import Target
    from agentbench.runner.tools import Tool

__all__ = ["ID_PREFIX", "Answerer", "Answerers", "all_assistants"]

ID_PREFIX = "asst_"
"""What the ids of assistants begin with."""

_LARGEST_PAGE = 100


class Answerer(NamedTuple):
    """An assistant as an agent, with what its answers rest on and the functions that it may ask for.

    `code` runs its code; `text` is what form its answers have, unless a question says so itself.
    """

    agent: Agent
    documents: tuple[Document, ...] = ()
    tools: tuple[FunctionTool, ...] = ()
    code: Tool | None = None
    text: TextConfig = TextConfig()

    def answers(self, turn: Turn, runner: Runner) -> tuple[Turn, list[Tool]]:
        """Return the turn as this one's, and the tools that run here; other functions are the caller's."""
        here = runner.toolbox.those(each.name for each in self.tools)
        theirs = (each for each in self.tools if each.name not in here)
        text = self.text if turn.request.text == TextConfig() else turn.request.text
        request = msgspec.structs.replace(turn.request, tools=(*turn.request.tools, *theirs), text=text)
        turn = msgspec.structs.replace(
            turn, request=request, agent=None, persona=self.agent, documents=(*self.documents, *turn.documents)
        )
        return turn, [*here.values(), *([] if self.code is None else [self.code])]


class Answerers(Parts):
    """Finds agents and assistants by what people call them."""

    def find_agent(self, name: str) -> Agent:
        """Return the agent of that id; else the assistant of that id, or yours of that name, as an agent.

        Raises `UnknownName` if there is neither, or if you may not use it.
        """
        return self.catalog.agents.get(name) or self._answerer(name).agent

    def find_target(self, agent: str | None = None, model: str | None = None) -> Target:
        """Return which agent, endpoint and model would answer."""
        if agent is None or agent in self.catalog.agents:
            return find_target(self.catalog, agent=agent, model=model)
        return find_target(self.catalog, agent=None, model=model, persona=self._answerer(agent).agent)

    def own_collections(self, agent: str) -> frozenset[str]:
        """Return the names and ids of what the answers of an agent or assistant rest on by themselves."""
        found = self.catalog.agents.get(agent)
        return (
            frozenset(each.id for each in self._answerer(agent).documents)
            if found is None
            else frozenset(found.collections)
        )

    def assistant_names(self) -> dict[str, str | None]:
        """Return the ids and names of the assistants here that you may use, the newest first."""
        found = self._open_loop().portal.call(all_assistants, self._runner)
        return {each.id: each.name for each in found}

    def _answerer_of(self, agent: str | None) -> Answerer | None:
        """Return the assistant that is meant; None for an agent. Each turn asks anew, so that changes hold at once."""
        return None if agent is None or agent in self.catalog.agents else self._answerer(agent)

    def _answerer(self, name: str) -> Answerer:
        return self._open_loop().portal.call(partial(_found, self._runner, name))


async def all_assistants(runner: Runner) -> list[Assistant]:
    """Return all assistants here that the person at the kernel may use, the newest first."""
    found: list[Assistant] = []
    page = Page(limit=_LARGEST_PAGE)
    while True:
        listing = await runner.assistants.assistants(KERNEL, page)
        found += listing.data
        if not listing.has_more:
            return found
        page = Page(limit=_LARGEST_PAGE, after=listing.last_id)


async def _found(runner: Runner, name: str) -> Answerer:
    is_id = name.startswith(ID_PREFIX)
    if not is_id and (named := await runner.assistants.named(KERNEL, name)) is not None:
        name, is_id = named.id, True
    try:
        if is_id:
            return await _assistant(runner, name)
    except UnknownName as error:
        if error.kind != "assistant" or (upstream := _upstream(runner)) is None:
            raise
        return Answerer(Agent(id=name, name=name, endpoint=upstream, model=name))
    known = [each.name or each.id for each in await all_assistants(runner)]
    raise UnknownName("agent", name, [*runner.catalog.agents, *known])


async def _assistant(runner: Runner, assistant_id: str) -> Answerer:
    from agentbench.runner.assistants.limits import text_config
    from agentbench.workbench.coding import code_tool

    found = await runner.assistants.persona(KERNEL, assistant_id)
    assistant = found.assistant
    code = None
    if any(isinstance(each, CodeInterpreter) for each in assistant.tools):
        author = (await runner.assistants.stored(KERNEL, assistant_id)).user
        code = code_tool(runner, assistant, author)
    return Answerer(found.agent, found.documents, found.tools, code, text_config(assistant.response_format))


def _upstream(runner: Runner) -> str | None:
    """Return the endpoint that has assistants of its own; the one named first, where there are several."""
    endpoints = runner.catalog.endpoints.values()
    return next((each.name for each in endpoints if each.provider == "assistants" and not each.unsupported), None)
