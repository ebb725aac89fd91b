"""Who answers for an assistant: an agent of the config or a model, as its model or the substitutes say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.config.assistants import ANY_MODEL
from agentbench.config.endpoint import Agent
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.assistants.objects import Assistant
from agentbench.protocol.assistants.tools import FileSearch, FunctionTool
from agentbench.protocol.request import FunctionTool as Function
from agentbench.protocol.values import Value
from agentbench.runner.documents import Document
from agentbench.runner.target import Target, find_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.auth.principal import Principal
    from agentbench.config.endpoint import Catalog
    from agentbench.protocol.assistants.tools import AssistantTool, FileSearchOptions, ToolResources
    from agentbench.runner.runner import Runner

__all__ = ["Persona", "agent_of", "answering", "chat_agent", "functions", "search_options", "searched", "unless_usual"]


class Persona(Value, frozen=True, kw_only=True):
    """An assistant as what a turn takes: an agent, the documents that are searched, and the client's functions."""

    agent: Agent
    documents: tuple[Document, ...] = ()
    tools: tuple[Function, ...] = ()
    assistant: Assistant


def answering(runner: Runner, principal: Principal, model: str) -> Target:
    """Return who answers for a model that an assistant names.

    What the caller may name answers itself: an agent, or a model. For everything else the substitutes do, or, where
    the config has none, the first agent that the caller may use. Raises `UnknownName` if nobody does.
    """
    catalog, remote = runner.catalog, principal.remote
    if (own := _own(runner, principal, model)) is not None:
        return own
    substitutes = catalog.assistants.substitutes
    if substitutes is None:
        name = next((each for each in runner.names_for(principal) if each in catalog.agents), None)
    else:
        name = substitutes.get(model, substitutes.get(ANY_MODEL))
    if name is None or not (principal.agents is None or name in principal.agents):
        raise UnknownName("model", model, runner.names_for(principal), param="model")
    return find_target(catalog, agent=None, model=name, remote=remote)


def agent_of(catalog: Catalog, *, name: str, assistant_id: str, model: str, base: str | None) -> Agent:
    """Return what answers as the agent of a turn: on `endpoint/model`, and as the `base` agent of the config if any.

    The base agent's own instructions, tools and collections hold too.
    """
    endpoint, _, bare = model.partition("/")
    own = catalog.agents.get(base or "") or Agent(id=assistant_id, name=name)
    return msgspec.structs.replace(own, id=assistant_id, name=name, endpoint=endpoint, model=bare)


def chat_agent(catalog: Catalog, assistant: Assistant, target: Target) -> Agent:
    """Return an assistant as an agent that has its instructions and sampling too."""
    base = None if target.agent is None else target.agent.id
    name = assistant.name or assistant.id
    made = agent_of(catalog, name=name, assistant_id=assistant.id, model=target.name, base=base)
    given = {"temperature": unless_usual(assistant.temperature), "top_p": unless_usual(assistant.top_p)}
    changes = {name: value for name, value in given.items() if value is not None}
    return msgspec.structs.replace(
        made,
        description=assistant.description or "",
        instructions="\n\n".join(filter(None, (made.instructions, assistant.instructions))) or None,
        parameters=msgspec.structs.replace(made.parameters, **changes),
    )


def unless_usual(value: float | None) -> float | None:
    """Return a value that isn't the API's default, in whose place the agent's own may stand."""
    return None if value == 1 else value


def functions(tools: Iterable[AssistantTool]) -> tuple[Function, ...]:
    """Return the functions among an assistant's tools, as requests have them."""
    specs = [each.function for each in tools if isinstance(each, FunctionTool)]
    return tuple(
        Function(name=each.name, description=each.description, parameters=each.parameters, strict=each.strict)
        for each in specs
    )


def searched(
    tools: Iterable[AssistantTool], *resources: tuple[ToolResources | None, str]
) -> tuple[tuple[str, str], ...]:
    """Return the vector stores to search, each with the user whose right to read counts; none without the tool."""
    if not any(isinstance(each, FileSearch) for each in tools):
        return ()
    found = [(each.file_search, user) for each, user in resources if each is not None]
    return tuple((store, user) for each, user in found if each is not None for store in each.vector_store_ids)


def search_options(tools: Iterable[AssistantTool]) -> FileSearchOptions | None:
    """Return what the tool says of how files are searched."""
    return next((each.file_search for each in tools if isinstance(each, FileSearch)), None)


def _own(runner: Runner, principal: Principal, model: str) -> Target | None:
    """Return who a model is, if that is here and the caller may name it."""
    catalog, remote = runner.catalog, principal.remote
    is_agent = model in catalog.agents
    may_name = (
        (principal.agents is None or model in principal.agents) if is_agent else runner.may_name_models(principal)
    )
    if not may_name:
        return None
    try:
        return find_target(catalog, agent=None, model=model, remote=remote)
    except InvalidRequest:  # nobody of that name, or nobody for this caller
        return None
