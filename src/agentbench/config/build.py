"""A checked config and the environment become one catalog: every endpoint is merged here."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
from pydantic import ValidationError

from agentbench.config.assemble import AZURE, azure, body_fields, built_in, model_fields, provider_of, shared_fields
from agentbench.config.assistants import assistant_settings
from agentbench.config.assistants_schema import assistant_warnings
from agentbench.config.azure import azure_from_environ, azure_origin
from agentbench.config.azure_schema import azure_problems, deployments, group_layers
from agentbench.config.balance_schema import balance_rules, balance_warnings
from agentbench.config.blocks import Blocks, overlaid
from agentbench.config.discover import (
    ASSISTANT,
    ASSISTANTS,
    AZURE_ASSISTANTS,
    KINDS,
    environment_layer,
    is_offered,
    local_endpoint,
)
from agentbench.config.endpoint import Agent, Catalog, Endpoint, ModelParameters
from agentbench.config.header_warnings import header_warnings
from agentbench.config.layers import Layer, merged, values_of
from agentbench.config.mcp_schema import mcp_servers
from agentbench.config.placeholders import fill
from agentbench.config.readiness import usable
from agentbench.config.references import problems_between
from agentbench.config.remote_schema import remote_access
from agentbench.config.retrieval_schema import retrieval_settings
from agentbench.config.schema import File
from agentbench.config.section import is_passed_over
from agentbench.config.section_layers import SHARED_KEYS, section_layer
from agentbench.config.validate import problems_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentbench.config.changes import Overrides
    from agentbench.config.discover import Kind
    from agentbench.config.document import Document
    from agentbench.config.endpoint_schema import LocalModelSection
    from agentbench.config.problem import Problem
    from agentbench.config.schema import AgentSection

__all__ = ["attempt", "build"]

_log = logging.getLogger(__name__)


def build(document: Document, environ: Mapping[str, str], overrides: Overrides | None = None) -> Catalog:
    """Return the catalog, with what a session has set since; raise one `ConfigError` that holds every problem."""
    catalog, problems = attempt(document, environ, overrides)
    if catalog is None or problems:
        raise (overlaid(document, overrides) if overrides else document).error(problems)
    for warning in (*header_warnings(catalog), *balance_warnings(catalog), *assistant_warnings(catalog)):
        _log.warning(warning)
    return catalog


def attempt(
    document: Document, environ: Mapping[str, str], overrides: Overrides | None = None
) -> tuple[Catalog | None, list[Problem]]:
    """Return the catalog, unless single values are wrong already, and every problem."""
    file, problems = _read(document, environ)
    changed = file
    if file is not None and overrides:
        changed, problems = _read(overlaid(document, overrides), environ)
    if file is None or changed is None:
        return None, problems
    blocks = Blocks(file.endpoints, changed.endpoints, overrides or {}, document, environ)
    made = _Endpoints(changed, blocks, document, environ)
    endpoints = {each.name: each for each in made}
    agents = [_agent(index, each, endpoints, document, environ) for index, each in enumerate(file.agents)]
    catalog = Catalog(
        endpoints=endpoints,
        agents={agent.id: agent for agent in agents or [ASSISTANT]},
        remote=remote_access(file.interface, changed.endpoints.agents, environ),
        mcp_servers=mcp_servers(file.mcp_servers),
        balance=balance_rules(file.balance),
        retrieval=retrieval_settings(file.retrieval, environ, endpoints),
        assistants=assistant_settings(values_of(merged(made.layers.get(ASSISTANTS, ())))),
        transactions=file.transactions.enabled,
        recursion_limit=changed.endpoints.agents.recursion_limit,
        layers={name: layers for name, layers in made.layers.items() if layers},
        agents_layers=tuple(blocks.shared("agents")),
    )
    return catalog, list(problems_between(changed, catalog))


def _read(document: Document, environ: Mapping[str, str]) -> tuple[File | None, list[Problem]]:
    """Return the file's sections, unless a value is wrong by itself."""
    data, unfilled = fill(document.data, environ)
    problems = [each for each in unfilled if not is_passed_over(File, each.path)]
    try:
        file = File.model_validate(data, context={"environ": environ})
    except ValidationError as error:
        problems += problems_in(error, File)
    return (None if problems else file), problems


class _Endpoints:
    """Makes each endpoint of one build, `local` first and the operator's own last; `layers` is what each is made of."""

    def __init__(self, file: File, blocks: Blocks, document: Document, environ: Mapping[str, str]) -> None:
        self.layers: dict[str, tuple[Layer, ...]] = {}
        self._written = file.endpoints
        self._blocks = blocks
        self._document = document
        self._environ = environ

    def __iter__(self) -> Iterator[Endpoint]:
        taken = {each.name.casefold() for each in self._written.custom}
        if "local" not in taken:
            yield self._local()
        yield from self._azure()
        for kind in KINDS:
            if kind.name.casefold() not in taken and self._is_there(kind):
                yield self._built_in(kind)
        for each in self._written.custom:
            yield self._custom(each.name)
        if self._written.scripted:
            yield self._scripted()

    def _values(self, name: str) -> dict[str, Any]:
        self.layers[name] = layers = tuple(self._blocks.endpoint(name))
        return values_of(merged(layers))

    def _azure(self) -> Iterator[Endpoint]:
        section, found = self._written.azure_open_ai, azure_from_environ(self._environ)
        if section is not None and section.groups:
            found = deployments(section, self._environ) if not any(azure_problems(section)) else {}
        if section is not None or found:
            self.layers[AZURE] = layers = tuple(self._blocks.endpoint(AZURE))
            yield azure(found, layers, origin=self._blocks.origin(AZURE) or azure_origin(self._environ))

    def _is_there(self, kind: Kind) -> bool:
        azure = self._written.azure_open_ai
        named = kind.name == AZURE_ASSISTANTS and azure is not None and azure.assistants
        return named or kind.name in self._blocks or is_offered(kind, self._environ)

    def _built_in(self, kind: Kind) -> Endpoint:
        layers = self._blocks.endpoint(kind.name)
        beneath = self._azure_group(layers) if kind.name == AZURE_ASSISTANTS else None
        layers.insert(0, beneath or environment_layer(kind, self._environ))
        self.layers[kind.name] = tuple(layers)
        return built_in(kind, layers, block=self._blocks.origin(kind.name))

    def _azure_group(self, layers: Iterable[Layer]) -> Layer | None:
        """Return what the first group for assistants says, unless `azureAssistants` has an address of its own."""
        section = self._written.azure_open_ai
        if section is None or any("baseURL" in each.values for each in layers) or any(azure_problems(section)):
            return None
        return next(group_layers(section, self._environ, self._document.origin), None)

    def _custom(self, name: str) -> Endpoint:
        values = self._values(name)
        return self._made(
            name,
            values,
            origin=self._blocks.origin(name) or "this session",
            provider=provider_of("openai_chat", values),
            base_url=values.get("baseURL"),
            api_key=values.get("apiKey"),
            **model_fields(values.get("models"), fetch=False),
            **body_fields(values),
        )

    def _local(self) -> Endpoint:
        """Put the operator's models before the built-in one, so that the first of them is the default."""
        usual = local_endpoint(self._environ)
        values = self._values("local")
        written: list[LocalModelSection] = values.get("models", [])
        files = {each.name: self._document.folder / Path(each.path).expanduser() for each in written}
        changes: dict[str, Any] = shared_fields(values)
        if written:
            changes |= {
                "models": tuple(dict.fromkeys([*files, *usual.models])),
                "files": MappingProxyType({**usual.files, **files}),
                "context_lengths": MappingProxyType(
                    {each.name: each.context_length for each in written if each.context_length}
                ),
                "origin": self._blocks.origin("local") or usual.origin,
            }
        return msgspec.structs.replace(usual, **changes)

    def _scripted(self) -> Endpoint:
        values = self._values("scripted")
        scripts = values["models"]
        return self._made(
            "scripted",
            values,
            origin=self._blocks.origin("scripted") or "this session",
            provider="scripted",
            models=tuple(scripts),
            scripts=MappingProxyType(scripts),
        )

    def _made(self, name: str, values: Mapping[str, Any], **fields: Any) -> Endpoint:
        made = Endpoint(name=name, **fields, **shared_fields(values))
        return usable(made, self.layers[name], None)


def _agent(
    index: int,
    written: AgentSection,
    endpoints: Iterable[str],
    document: Document,
    environ: Mapping[str, str],
) -> Agent:
    spelling = {name.casefold(): name for name in endpoints}
    layer = partial(section_layer, environ=environ, origin=document.origin, only=set(SHARED_KEYS))
    own = layer("agent", written, ("agents", index))
    return Agent(
        id=written.id,
        name=written.name or written.id,
        description=written.description,
        instructions=written.instructions,
        endpoint=written.endpoint and spelling.get(written.endpoint.casefold(), written.endpoint),
        model=written.model,
        parameters=ModelParameters(**written.model_parameters.model_dump()),
        tools=tuple(dict.fromkeys(written.tools)),
        collections=tuple(dict.fromkeys(written.collections)),
        layer=own if own.values else None,
    )
