"""A checked config and the environment become one catalog; what needs more than one value is checked here."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec
from pydantic import ValidationError

from agentbench.config.discover import ASSISTANT, discover, how_to_offer
from agentbench.config.endpoint import Agent, Catalog, Endpoint, ModelParameters, Secret
from agentbench.config.mcp_schema import mcp_problem, mcp_servers
from agentbench.config.placeholders import fill
from agentbench.config.problem import Problem, spell
from agentbench.config.remote_schema import remote_access
from agentbench.config.schema import File
from agentbench.config.validate import problems_in
from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentbench.config.document import Document
    from agentbench.config.problem import KeyPath
    from agentbench.config.schema import AgentSection, CustomSection, LocalModelSection
    from agentbench.config.script import Script

__all__ = ["build"]

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


def build(document: Document, environ: Mapping[str, str]) -> Catalog:
    """Return the catalog; raise one `ConfigError` that holds every problem found."""
    file = _validated(document, environ)
    endpoints = _endpoints(file, document, environ)
    agents = [_agent(written, endpoints) for written in file.agents] or [ASSISTANT]
    catalog = Catalog(
        endpoints=endpoints,
        agents={agent.id: agent for agent in agents},
        remote=remote_access(file.interface, file.endpoints.agents),
        mcp_servers=mcp_servers(file.mcp_servers),
        recursion_limit=file.endpoints.agents.recursion_limit,
    )
    problems = [*_name_problems(file), *_reference_problems(file, catalog)]
    if problems:
        raise document.error(problems)
    return catalog


def _validated(document: Document, environ: Mapping[str, str]) -> File:
    data, problems = fill(document.data, environ)
    try:
        file = File.model_validate(data)
    except ValidationError as error:
        problems += problems_in(error, File)
    if problems:
        raise document.error(problems)
    return file


def _endpoints(file: File, document: Document, environ: Mapping[str, str]) -> dict[str, Endpoint]:
    written = file.endpoints
    custom = [
        _custom(each, document.origin(("endpoints", "custom", index))) for index, each in enumerate(written.custom)
    ]
    taken = {each.name.casefold() for each in custom}
    found = {name: each for name, each in discover(environ).items() if name.casefold() not in taken}
    if written.local and written.local.models:
        found["local"] = _local(found["local"], written.local.models, document)
    if written.scripted:
        custom.append(_scripted(written.scripted.models, document.origin(("endpoints", "scripted"))))
    return found | {each.name: each for each in custom}


def _custom(written: CustomSection, origin: str) -> Endpoint:
    return Endpoint(
        name=written.name,
        provider="openai_responses" if written.use_responses_api else "openai_chat",
        base_url=written.base_url,
        api_key=Secret(written.api_key) if written.api_key else None,
        models=tuple(dict.fromkeys(written.models.default)),
        fetch_models=written.models.fetch,
        headers=MappingProxyType(written.headers),
        origin=origin,
    )


def _local(built_in: Endpoint, written: list[LocalModelSection], document: Document) -> Endpoint:
    """Put the operator's models before the built-in one, so that the first of them is the default."""
    files = {each.name: document.folder / Path(each.path).expanduser() for each in written}
    lengths = {each.name: each.context_length for each in written if each.context_length}
    return msgspec.structs.replace(
        built_in,
        models=tuple(dict.fromkeys([*files, *built_in.models])),
        files=MappingProxyType(files),
        context_lengths=MappingProxyType(lengths),
        origin=document.origin(("endpoints", "local")),
    )


def _scripted(scripts: dict[str, Script], origin: str) -> Endpoint:
    return Endpoint(
        name="scripted",
        provider="scripted",
        models=tuple(scripts),
        scripts=MappingProxyType(scripts),
        origin=origin,
    )


def _agent(written: AgentSection, endpoints: Iterable[str]) -> Agent:
    spelling = {name.casefold(): name for name in endpoints}
    return Agent(
        id=written.id,
        name=written.name or written.id,
        description=written.description,
        instructions=written.instructions,
        endpoint=written.endpoint and spelling.get(written.endpoint.casefold(), written.endpoint),
        model=written.model,
        parameters=ModelParameters(**written.model_parameters.model_dump()),
        tools=tuple(dict.fromkeys(written.tools)),
    )


def _name_problems(file: File) -> Iterator[Problem]:
    custom, local = file.endpoints.custom, file.endpoints.local
    reserved = {name.casefold() for name in _RESERVED}
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


def _reference_problems(file: File, catalog: Catalog) -> Iterator[Problem]:
    for index, agent in enumerate(file.agents):
        for place, tool in enumerate(agent.tools):
            if (text := mcp_problem(tool, catalog.mcp_servers)) is not None:
                yield Problem(("agents", index, "tools", place), text)
        try:
            endpoint = catalog.endpoint(agent.endpoint) if agent.endpoint else catalog.default_endpoint
        except UnknownName as error:
            if agent.endpoint:  # otherwise the first agent's wrong endpoint is reported already
                yield Problem(("agents", index, "endpoint"), how_to_offer(agent.endpoint) or error.message)
            continue
        listed = endpoint.models if not endpoint.fetch_models else ()
        if agent.model and listed and agent.model not in listed:
            yield Problem(("agents", index, "model"), UnknownName("model", agent.model, listed).message)
