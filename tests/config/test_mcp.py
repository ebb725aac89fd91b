"""MCP servers in a config."""

from __future__ import annotations

from typing import Any

import pytest

from agentbench.config import McpServer, load
from agentbench.errors import ConfigError

PROGRAM = {"command": "npx", "args": ["-y", "server"], "env": {"KEY": "${FILES_KEY}"}}
ADDRESS = {
    "url": "https://host.example/mcp?key=s3cret",
    "headers": {"Authorization": " Bearer s3cret "},
    "timeout": 500,
}


def test_servers() -> None:
    """Both kinds are read, placeholders filled, and milliseconds become seconds."""
    servers = load({"mcpServers": {"files": PROGRAM, "tickets": ADDRESS}}, {"FILES_KEY": "k"}).mcp_servers
    files = McpServer(name="files", command="npx", args=("-y", "server"), env={"KEY": "k"}, timeout=30)
    assert servers["files"] == files
    assert servers["tickets"].url == "https://host.example/mcp?key=s3cret"
    assert (dict(servers["tickets"].headers), servers["tickets"].timeout) == ({"Authorization": "Bearer s3cret"}, 0.5)


@pytest.mark.parametrize("kind", ["stdio", "streamable-http"])
def test_type(kind: str) -> None:
    """A type that fits changes nothing."""
    server = PROGRAM if kind == "stdio" else ADDRESS
    with_type, without = (
        load({"mcpServers": {"x": each}}, {"FILES_KEY": "k"}) for each in (server | {"type": kind}, server)
    )
    assert with_type.mcp_servers == without.mcp_servers


def test_repr_holds_no_secret() -> None:
    """A server shows the names of its variables and headers, and its address without the query."""
    servers = load({"mcpServers": {"files": PROGRAM, "tickets": ADDRESS}}, {"FILES_KEY": "s3cret"}).mcp_servers
    shown = repr(servers)
    assert "s3cret" not in shown
    assert "https://host.example/mcp" in shown
    assert "KEY" in shown


@pytest.mark.parametrize(
    ("servers", "message"),
    [
        ({"x": {}}, "mcpServers.x: name either a 'command' to start or a 'url' to talk to"),
        ({"x": {"command": "a", "url": "http://h/"}}, "mcpServers.x: name either a 'command' to start or a 'url'"),
        ({"x": {"type": "stdio", "url": "http://h/"}}, "mcpServers.x: 'type: stdio' needs a 'command'"),
        ({"x": {"type": "streamable-http", "command": "a"}}, "'type: streamable-http' needs a 'url'"),
        ({"x": {"type": "sse", "url": "http://h/"}}, "mcpServers.x.type: expected 'stdio' or 'streamable-http'"),
        ({"x": {"comand": "a"}}, "mcpServers.x.comand: unknown key. Did you mean 'command'?"),
        ({"x": {"command": "a", "timeout": 0}}, "mcpServers.x.timeout: expected a number of at least 1"),
        ({"x": {"url": "host/mcp"}}, "mcpServers.x.url: expected a URL"),
        ({"x": {"url": "http://h/?a b"}}, "mcpServers.x.url: expected a URL such as https://host/mcp"),
        ({"x": {"url": "http://h/", "headers": {"A": "b\nc"}}}, "mcpServers.x.headers.A: expected one line of text"),
        ({"a/b": {"command": "a"}}, "mcpServers: expected names with no '/'"),
    ],
)
def test_wrong_servers(servers: dict[str, Any], message: str) -> None:
    """What is wrong is told with its key."""
    with pytest.raises(ConfigError) as caught:
        load({"mcpServers": servers}, {})
    assert message in caught.value.message


def test_a_server_that_is_not_there() -> None:
    """An agent's tool that names no server is told with the nearest one; other tools are for later."""
    config = {
        "mcpServers": {"files": {"command": "a"}},
        "agents": [{"id": "bot", "tools": ["mcp:files", "search", "mcp:file/read"]}],
    }
    with pytest.raises(ConfigError) as caught:
        load(config, {})
    assert caught.value.message == "agents[0].tools[2]: There is no MCP server 'file'. Did you mean 'files'?"
