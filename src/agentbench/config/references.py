"""What one part of a config says about another: names that are taken, and names that nothing has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.assemble import AZURE
from agentbench.config.assistants_schema import assistant_problems
from agentbench.config.azure_schema import azure_problems
from agentbench.config.discover import KINDS, how_to_offer
from agentbench.config.mcp_schema import mcp_problem
from agentbench.config.problem import Problem, spell
from agentbench.config.retrieval_schema import retrieval_problems
from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config.endpoint import Catalog
    from agentbench.config.problem import KeyPath
    from agentbench.config.schema import AgentSection, File
    from agentbench.config.section import Section

__all__ = ["problems_between"]

# What agentbench names itself, now or as librechat.yaml does. `ollama` is free: people name custom ones so.
_RESERVED = (
    "agents",
    "all",
    "anthropic",
    "assistants",
    "azureAssistants",
    "azureOpenAI",
    "bedrock",
    "custom",
    "google",
    "local",
    "openAI",
    "scripted",
)


def problems_between(file: File, catalog: Catalog) -> Iterator[Problem]:
    """Yield what doesn't fit together."""
    yield from _name_problems(file)
    yield from _title_problems(file, catalog)
    yield from retrieval_problems(file.retrieval, catalog)
    yield from assistant_problems(catalog)
    if file.endpoints.azure_open_ai is not None:
        yield from azure_problems(file.endpoints.azure_open_ai)
    for index, agent in enumerate(file.agents):
        yield from _agent_problems(("agents", index), agent, catalog)


def _name_problems(file: File) -> Iterator[Problem]:
    custom, local = file.endpoints.custom, file.endpoints.local
    reserved = {name.casefold() for name in _RESERVED}
    if file.endpoints.ollama is not None:
        reserved.add("ollama")
    for index, each in enumerate(custom):
        if each.name.casefold() in reserved:
            path = ("endpoints", "custom", index, "name")
            yield Problem(path, f"{each.name!r} is a name of agentbench's own. Choose another")
    yield from _repeated(("endpoints", "custom"), "name", [each.name.casefold() for each in custom])
    yield from _repeated(
        ("endpoints", "local", "models"), "name", [each.name for each in local.models] if local else []
    )
    yield from _repeated(("agents",), "id", [each.id for each in file.agents])


def _repeated(path: KeyPath, key: str, names: list[str]) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Problem((*path, index, key), f"the same {key} as {spell((*path, names.index(name)))}")


def _title_problems(file: File, catalog: Catalog) -> Iterator[Problem]:
    known = {name.casefold() for name in (*catalog.endpoints, *(kind.name for kind in KINDS), AZURE)}
    for path, section in _with_titles(file):
        name = getattr(section, "title_endpoint", None)
        if name is not None and name.casefold() not in known:
            yield Problem((*path, "titleEndpoint"), UnknownName("endpoint", name, catalog.endpoints).message)


def _with_titles(file: File) -> Iterator[tuple[KeyPath, Section]]:
    for field, info in type(file.endpoints).model_fields.items():
        name, value = info.alias or field, getattr(file.endpoints, field)
        if name == "custom":
            yield from ((("endpoints", name, index), each) for index, each in enumerate(value))
        elif value is not None:
            yield ("endpoints", name), value
    yield from ((("agents", index), each) for index, each in enumerate(file.agents))


def _agent_problems(path: KeyPath, agent: AgentSection, catalog: Catalog) -> Iterator[Problem]:
    for place, tool in enumerate(agent.tools):
        if (text := mcp_problem(tool, catalog.mcp_servers)) is not None:
            yield Problem((*path, "tools", place), text)
    try:
        endpoint = catalog.endpoint(agent.endpoint) if agent.endpoint else catalog.default_endpoint
    except UnknownName as error:
        if agent.endpoint:  # otherwise the first agent's wrong endpoint is reported already
            yield Problem((*path, "endpoint"), how_to_offer(agent.endpoint) or error.message)
        return
    listed = endpoint.models if not endpoint.fetch_models else ()
    if agent.model and listed and agent.model not in listed:
        yield Problem((*path, "model"), UnknownName("model", agent.model, listed).message)
