"""The keys of `agentbench.yaml`, their types and limits; a key that librechat.yaml has too keeps its name.

Only what one value can say about itself is checked here; what needs the rest of the file is in `build.py`.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from agentbench.config.http_headers import http_headers
from agentbench.config.mcp_schema import McpServers  # noqa: TC001 - pydantic evaluates the annotation
from agentbench.config.remote_schema import AgentsApiSection, InterfaceSection
from agentbench.config.script import Script  # noqa: TC001 - pydantic evaluates the annotation
from agentbench.config.script_schema import read_script
from agentbench.config.section import Section
from agentbench.config.url import http_url

__all__ = ["AgentSection", "CustomSection", "EndpointsSection", "File", "LocalModelSection", "ParametersSection"]


def _endpoint_name(text: str) -> str:
    if not text.strip() or "/" in text:
        raise ValueError("expected a name with no '/', because models are written endpoint/model")
    return text.strip()


def _agent_id(text: str) -> str:
    if not text or any(map(str.isspace, text)):
        raise ValueError("expected a word without spaces")
    return text


def _api_key(text: str) -> str:
    key = text.strip()
    if not (key.isascii() and key.isprintable() and key):
        raise ValueError("expected one line of ASCII text")
    return key


_Name = Annotated[str, Field(min_length=1)]


class ModelsSection(Section):
    """The models of an endpoint: the listed ones, and with `fetch` those that it lists itself."""

    default: list[_Name] = Field(default_factory=list)
    fetch: bool = False

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.default or self.fetch):
            raise ValueError("name at least one model in 'default', or set 'fetch: true'")
        return self


class CustomSection(Section):
    """An endpoint that speaks the OpenAI protocol: chat completions, or with `useResponsesApi` responses."""

    name: Annotated[str, AfterValidator(_endpoint_name)]
    base_url: Annotated[str, AfterValidator(http_url)] = Field(alias="baseURL")
    api_key: Annotated[str, AfterValidator(_api_key)] | None = Field(default=None, alias="apiKey")
    models: ModelsSection
    headers: Annotated[dict[str, str], AfterValidator(http_headers)] = Field(default_factory=dict)
    use_responses_api: bool = Field(default=False, alias="useResponsesApi")


class LocalModelSection(Section):
    """A GGUF file; a relative path starts at the config file's folder."""

    name: _Name
    path: _Name
    context_length: int | None = Field(default=None, ge=1, alias="contextLength")


class LocalSection(Section):
    """More models for the `local` endpoint."""

    models: list[LocalModelSection] = Field(default_factory=list)


class ScriptedSection(Section):
    """The scripts that the `scripted` endpoint plays, by model name."""

    models: dict[str, Annotated[Script, PlainValidator(read_script)]] = Field(min_length=1)


class EndpointsSection(Section):
    """Every kind of endpoint."""

    agents: AgentsApiSection = Field(default_factory=AgentsApiSection)
    custom: list[CustomSection] = Field(default_factory=list)
    local: LocalSection | None = None
    scripted: ScriptedSection | None = None


class ParametersSection(Section):
    """How an agent samples."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    max_output_tokens: int | None = Field(default=None, ge=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)


class AgentSection(Section):
    """One agent; without `endpoint` or `model` it takes the default ones."""

    id: Annotated[str, AfterValidator(_agent_id)]
    name: str | None = None
    description: str = ""
    instructions: str | None = None
    endpoint: str | None = None
    model: str | None = None
    model_parameters: ParametersSection = Field(default_factory=ParametersSection)
    tools: list[_Name] = Field(default_factory=list)


class File(Section):
    """The whole file."""

    version: str | None = None
    interface: InterfaceSection = Field(default_factory=InterfaceSection)
    endpoints: EndpointsSection = Field(default_factory=EndpointsSection)
    mcp_servers: McpServers = Field(default_factory=dict, alias="mcpServers")
    agents: list[AgentSection] = Field(default_factory=list)
