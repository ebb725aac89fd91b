"""The frozen values that come out of a config: endpoints, agents, and the catalog that finds them by name.

How they were written, checked and merged lies in the other files of this room.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import msgspec

from agentbench.config.assistants import AssistantSettings
from agentbench.config.balance import BalanceRules
from agentbench.config.header_templates import Template
from agentbench.config.layers import Layer
from agentbench.config.mcp import McpServer
from agentbench.config.rates import Rates
from agentbench.config.remote import RemoteAccess
from agentbench.config.retrieval import RetrievalSettings
from agentbench.config.script import Script
from agentbench.config.secret import MASK, Secret
from agentbench.config.settings import Timeouts, Titles
from agentbench.errors import UnknownName

__all__ = [
    "USER_PROVIDED",
    "Agent",
    "AwsKeys",
    "Catalog",
    "Deployment",
    "Endpoint",
    "ModelParameters",
    "Provider",
    "Secret",
]

Provider: TypeAlias = Literal[
    "openai_chat",
    "openai_responses",
    "llama_cpp",
    "scripted",
    "anthropic",
    "google",
    "ollama",
    "azure_openai",
    "bedrock",
    "assistants",
]

USER_PROVIDED = "user_provided"
"""As a key or base URL in the config: each person gives their own."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """Where Azure runs one model; what is None or empty is as the endpoint says."""

    name: str
    """The deployment's name, which the request's `model` or address holds."""
    base_url: str
    """The address before `/chat/completions` or `/responses`."""
    api_version: str | None = None
    api_key: Secret | None = None
    headers: Mapping[str, str] = _NOTHING
    header_templates: Mapping[str, Template] = _NOTHING
    """As an endpoint's."""
    add_params: Mapping[str, Any] = _NOTHING
    drop_params: tuple[str, ...] = ()
    use_responses_api: bool = False

    def __repr__(self) -> str:
        return f"Deployment({self.name!r}, {self.base_url!r})"


class AwsKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What signs a request to AWS; the session token comes with temporary keys."""

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A place that answers with models; its repr shows the headers' names, never their values."""

    name: str
    provider: Provider
    base_url: str | None = None
    api_key: Secret | None = None
    models: tuple[str, ...] = ()
    fetch_models: bool = False
    """True if the endpoint itself may know more models than `models`."""
    headers: Mapping[str, str] = _NOTHING
    """Besides what the provider itself must send; its own win."""
    header_templates: Mapping[str, Template] = _NOTHING
    """Headers that are still to be filled, before a provider sees the endpoint."""
    personal: bool = False
    """True if the key or the address is each person's own, so that nobody else may come by it."""
    stream_rate: float = 1
    """Milliseconds between the pieces that people see; 0 and 1 mean as fast as they come."""
    titles: Titles = Titles()
    max_tool_result_chars: int | None = None
    add_params: Mapping[str, Any] = _NOTHING
    """Goes into the body of every request, in place of what is there."""
    drop_params: tuple[str, ...] = ()
    """Keys that are taken out of the body of every request."""
    timeouts: Timeouts = Timeouts()
    rates: Mapping[str, Rates] = _NOTHING
    """What the config says that models cost, by name; `"*"` stands for those that no list knows."""
    deployments: Mapping[str, Deployment] = _NOTHING
    """Azure's, by model."""
    region: str | None = None
    """AWS's."""
    aws_keys: AwsKeys | None = None
    files: Mapping[str, Path] = _NOTHING
    """The GGUF file of each local model that the operator named; it may not exist."""
    context_lengths: Mapping[str, int] = _NOTHING
    """In tokens, by local model."""
    scripts: Mapping[str, Script] = _NOTHING
    assistants: AssistantSettings | None = None
    """For an upstream that speaks the Assistants API; its models are assistants."""
    unsupported: str | None = None
    """A sentence that says why this endpoint can't be used yet; None if it can."""
    origin: str = "built in"
    """Who put it there: "built in", "environment variable NAME", "FILE:LINE" or "Python"."""

    @property
    def default_model(self) -> str | None:
        """The model to use when nobody names one; None if the endpoint lists none."""
        return self.models[0] if self.models else None

    def __repr__(self) -> str:
        shown = {field: getattr(self, field) for field in self.__struct_fields__}
        shown["headers"] = dict.fromkeys(self.headers, MASK)
        return f"Endpoint({', '.join(f'{key}={value!r}' for key, value in shown.items())})"


class ModelParameters(msgspec.Struct, frozen=True, kw_only=True):
    """How to sample; None leaves a choice to the endpoint."""

    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    """Instructions, a model and tools under one id; None for `endpoint` or `model` means the default one."""

    id: str
    name: str
    description: str = ""
    instructions: str | None = None
    endpoint: str | None = None
    model: str | None = None
    parameters: ModelParameters = ModelParameters()
    tools: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    """What its answers rest on, by name or id."""
    layer: Layer | None = None
    """Its own shared settings, if it has any."""


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """Every endpoint and agent there is, by name, in the order in which to show them."""

    endpoints: Mapping[str, Endpoint]
    agents: Mapping[str, Agent]
    remote: RemoteAccess = RemoteAccess()
    recursion_limit: int = 25
    """Upstream calls in one turn at most."""
    mcp_servers: Mapping[str, McpServer] = _NOTHING
    balance: BalanceRules = BalanceRules()
    retrieval: RetrievalSettings = RetrievalSettings()
    assistants: AssistantSettings = AssistantSettings()
    """For the assistants that are made and run here."""
    transactions: bool = True
    """Whether the operator wants a ledger; `keeps_ledger` tells whether there is one."""
    layers: Mapping[str, tuple[Layer, ...]] = _NOTHING
    """What each endpoint was merged from."""
    agents_layers: tuple[Layer, ...] = ()
    """The shared settings that hold where an agent answers."""

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint of that name, in any case; raise `UnknownName` if there is none."""
        by_fold = {each.casefold(): each for each in self.endpoints}
        found = by_fold.get(name.casefold())
        if found is None:
            raise UnknownName("endpoint", name, self.endpoints)
        return self.endpoints[found]

    def agent(self, agent_id: str) -> Agent:
        """Return the agent of that id; raise `UnknownName` if there is none."""
        if agent_id not in self.agents:
            raise UnknownName("agent", agent_id, self.agents)
        return self.agents[agent_id]

    @property
    def keeps_ledger(self) -> bool:
        """Whether calls get their rows: balances can't be without."""
        return self.transactions or self.balance.enabled

    @property
    def default_agent(self) -> Agent:
        """The first agent: the operator's first, or the built-in assistant."""
        return next(iter(self.agents.values()))

    @property
    def default_endpoint(self) -> Endpoint:
        """The default agent's endpoint, or `local`."""
        return self.endpoint(self.default_agent.endpoint or "local")
