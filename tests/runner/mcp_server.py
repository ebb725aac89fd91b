"""An MCP server: on its standard streams, or with a port as argument on 127.0.0.1."""

from __future__ import annotations

import os
import sys
import time

from mcp.server.mcpserver import Image, MCPServer

server = MCPServer("tests")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool(name="draw: a dot.", structured_output=False)
def draw() -> list[object]:
    """Draw."""
    return ["A dot:", Image(data=b"\x89PNG", format="png")]


@server.tool()
def pid() -> str:
    """Say which process this is."""
    return f"{os.getpid()} {os.environ.get('COLOUR', '')}".strip()


@server.tool()
def wait() -> str:
    """Take too long."""
    time.sleep(60)
    return "late"


@server.tool()
def die() -> str:
    """End the process."""
    os._exit(1)


if sys.argv[1:]:
    server.run("streamable-http", port=int(sys.argv[1]))
else:
    server.run()
