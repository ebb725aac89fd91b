"""The key `mcpServers`, named as in librechat.yaml, and what agents say about it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from agentbench.config.http_headers import http_headers
from agentbench.config.mcp import McpServer, is_mcp_reference, split_mcp_reference
from agentbench.config.section import Section
from agentbench.config.url import http_url
from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["McpServerSection", "McpServers", "mcp_problem", "mcp_servers"]


def _url(text: str) -> str:
    address, _, query = text.strip().partition("?")
    http_url(address)
    if not query.isprintable() or " " in query or "#" in query:
        raise ValueError("expected a URL such as https://host/mcp")
    return text.strip()


class McpServerSection(Section):
    """A program that is started and spoken to on its standard streams, or a server at an address."""

    ignored: ClassVar = {
        "chatMenu": "browser UI only",
        "customUserVars": "servers are the operator's, with one set of values",
        "description": "browser UI only",
        "iconPath": "browser UI only",
        "initTimeout": "a server has 'timeout' for this too",
        "oauth*": "OAuth is not spoken to servers; give a token in 'headers'",
        "requiresOAuth": "OAuth is not spoken to servers; give a token in 'headers'",
        "serverInstructions": "an agent has its own instructions",
        "startup": "servers start with the first turn that wants them",
        "stderr": "it goes to the log",
        "title": "browser UI only",
    }

    type: Literal["stdio", "streamable-http"] | None = Field(
        default=None,
        examples=["stdio"],
        description="how to speak with it; none: `stdio` with a `command`, `streamable-http` with a `url`",
    )
    command: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, examples=["npx"], description="a program to start, which is spoken to on its standard streams"
    )
    args: list[str] = Field(default_factory=list, examples=["[-y, a-server]"], description="its arguments")
    env: dict[str, str] = Field(
        default_factory=dict,
        examples=["{TOKEN: '${A_TOKEN}'}"],
        description="its environment variables, besides a few harmless ones such as `PATH`",
    )
    url: Annotated[str, AfterValidator(_url)] | None = Field(
        default=None,
        examples=["https://tickets.example/mcp"],
        description="the address of a server that runs already; one of `command` and `url` is needed",
    )
    headers: Annotated[dict[str, str], AfterValidator(http_headers)] = Field(
        default_factory=dict, examples=["{X-Team: sky}"], description="headers for every request to it"
    )
    timeout: int = Field(
        default=30_000, ge=1, examples=[10000], description="how long a tool may take, in milliseconds"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("name either a 'command' to start or a 'url' to talk to")
        needed = {"stdio": self.command, "streamable-http": self.url}
        if self.type is not None and needed[self.type] is None:
            raise ValueError(f"'type: {self.type}' needs a '{'command' if self.type == 'stdio' else 'url'}'")
        return self


def _server_names(servers: dict[str, McpServerSection]) -> dict[str, McpServerSection]:
    if not all(name.strip() and "/" not in name for name in servers):
        raise ValueError("expected names with no '/', because tools are written mcp:SERVER/TOOL")
    return servers


McpServers = Annotated[dict[str, McpServerSection], AfterValidator(_server_names)]


def mcp_servers(written: Mapping[str, McpServerSection]) -> dict[str, McpServer]:
    """Return what was written as values, by name."""
    return {
        name: McpServer(
            name=name,
            command=each.command,
            args=tuple(each.args),
            env=MappingProxyType(each.env),
            url=each.url,
            headers=MappingProxyType(each.headers),
            timeout=each.timeout / 1000,
        )
        for name, each in written.items()
    }


def mcp_problem(tool: str, servers: Iterable[str]) -> str | None:
    """Return what is wrong with an agent's tool if it names an MCP server that isn't there."""
    server, _ = split_mcp_reference(tool)
    if not is_mcp_reference(tool) or server in servers:
        return None
    return UnknownName("MCP server", server, servers).message
