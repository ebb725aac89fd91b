"""The keys of `agentbench.yaml`, their types and limits; a key that librechat.yaml has too keeps its name.

Only what one value can say about itself is checked here; what needs the rest of the file is in `references.py`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from agentbench.config.assistants_schema import AzureAssistantsSection, ServedAssistantsSection
from agentbench.config.azure_schema import AzureSection
from agentbench.config.balance_schema import BalanceSection, TransactionsSection
from agentbench.config.endpoint_schema import (
    AllSection,
    AnthropicSection,
    BedrockSection,
    CustomSection,
    GoogleSection,
    LocalSection,
    OllamaSection,
    OpenAISection,
    ScriptedSection,
)
from agentbench.config.mcp_schema import McpServers
from agentbench.config.remote_schema import AgentsApiSection, InterfaceSection
from agentbench.config.retrieval_schema import RetrievalSection
from agentbench.config.section import Section
from agentbench.config.shared_schema import SharedSection

__all__ = ["AgentSection", "EndpointsSection", "File", "ParametersSection"]

_UI = "browser UI only"
_SIGN_UP = "accounts are made with 'agentbench users add'"


def _agent_id(text: str) -> str:
    if not text or any(map(str.isspace, text)):
        raise ValueError("expected a word without spaces")
    return text


_Name = Annotated[str, Field(min_length=1)]


class EndpointsSection(Section):
    """Every kind of endpoint."""

    ignored: ClassVar = {"allowedAddresses": "only addresses that this file names are called"}

    all: AllSection | None = None
    open_ai: OpenAISection | None = Field(default=None, alias="openAI")
    azure_open_ai: AzureSection | None = Field(default=None, alias="azureOpenAI")
    anthropic: AnthropicSection | None = None
    google: GoogleSection | None = None
    bedrock: BedrockSection | None = None
    ollama: OllamaSection | None = None
    custom: list[CustomSection] = Field(default_factory=list)
    local: LocalSection | None = None
    scripted: ScriptedSection | None = None
    agents: AgentsApiSection = Field(default_factory=AgentsApiSection)
    assistants: ServedAssistantsSection | None = None
    azure_assistants: AzureAssistantsSection | None = Field(default=None, alias="azureAssistants")


class ParametersSection(Section):
    """How an agent samples."""

    temperature: float | None = Field(default=None, ge=0, le=2, examples=[0.2], description="0 to 2")
    top_p: float | None = Field(default=None, ge=0, le=1, examples=[0.9], description="0 to 1")
    max_output_tokens: int | None = Field(
        default=None, ge=1, examples=[500], description="the longest answer, at least 1"
    )
    presence_penalty: float | None = Field(default=None, ge=-2, le=2, examples=[0.5], description="-2 to 2")
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2, examples=[0.5], description="-2 to 2")


class AgentSection(SharedSection):
    """One agent; without `endpoint` or `model` it takes the default ones."""

    id: Annotated[str, AfterValidator(_agent_id)] = Field(
        examples=["guide"], description="one word; `%agent use ID`, and `model` in the API"
    )
    name: str | None = Field(default=None, examples=["Guide"], description="what people see; none: the id")
    description: str = Field(default="", examples=["Shows people around."], description="what it is for")
    instructions: str | None = Field(
        default=None,
        examples=["Answer in one sentence."],
        description="how it should answer; comes before the instructions of a call",
    )
    endpoint: str | None = Field(default=None, examples=["router"], description="where its model is, in any case")
    model: str | None = Field(default=None, examples=["large"], description="its model there")
    model_parameters: ParametersSection = Field(default_factory=ParametersSection)
    tools: list[_Name] = Field(
        default_factory=list,
        examples=["[add, 'mcp:files']"],
        description="names of Python functions that `bench.add_tool` took in, and `mcp:SERVER` or `mcp:SERVER/TOOL`;"
        " see [MCP servers](#mcp-servers)",
    )
    collections: list[_Name] = Field(
        default_factory=list,
        examples=["[handbook]"],
        description="names or ids of collections that each of its answers is looked up in; whoever asks must be allowed"
        " to read them",
    )


class File(Section):
    """The whole file."""

    ignored: ClassVar = {
        "actions": "agents get tools from Python and from MCP servers",
        "allowedAddresses": "only addresses that this file names are called",
        "cache": _UI,
        "cloudfront": "files are kept on this machine",
        "fileConfig": _UI,
        "fileStrateg*": "files are kept on this machine",
        "filteredTools": "an agent has just the tools that it names",
        "imageOutputType": _UI,
        "includedTools": "an agent has just the tools that it names",
        "mcpSettings": "only servers that this file names are spoken to",
        "memory": "there is no memory beside the conversations",
        "messageFilter": "messages are not filtered",
        "modelSpecs": _UI,
        "ocr": "there is no OCR",
        "rateLimits": "requests are limited per API key: 'agentbench keys create --rpm'",
        "registration": _SIGN_UP,
        "secureImageLinks": _UI,
        "skill*": "there are no skills",
        "speech": _UI,
        "summarization": "a conversation is shortened where a request allows it: 'truncation: auto'",
        "turnstile": _SIGN_UP,
        "webSearch": "agents get tools from Python and from MCP servers",
    }

    version: str | None = Field(
        default=None, examples=["1.2.8"], description="free for your own use; agentbench doesn't read it"
    )
    interface: InterfaceSection = Field(default_factory=InterfaceSection)
    endpoints: EndpointsSection = Field(default_factory=EndpointsSection)
    mcp_servers: McpServers = Field(default_factory=dict, alias="mcpServers")
    agents: list[AgentSection] = Field(default_factory=list)
    retrieval: RetrievalSection = Field(default_factory=RetrievalSection)
    balance: BalanceSection = Field(default_factory=BalanceSection)
    transactions: TransactionsSection = Field(default_factory=TransactionsSection)
