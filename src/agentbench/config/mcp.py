"""An MCP server that agents may use, and how an agent names it; the keys are in `mcp_schema.py`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

__all__ = ["McpServer", "is_mcp_reference", "split_mcp_reference"]

_PREFIX = "mcp:"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class McpServer(msgspec.Struct, frozen=True, kw_only=True):
    """A program to start (`command`), or an address to talk to (`url`); `timeout` is in seconds.

    Its repr shows the names of variables and headers, never their values, and no query of the address.
    """

    name: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = _NOTHING
    url: str | None = None
    headers: Mapping[str, str] = _NOTHING
    timeout: float = 30.0

    def __repr__(self) -> str:
        where = self.url.partition("?")[0] if self.url else self.command
        return f"McpServer({self.name!r}, {where!r}, env={list(self.env)}, headers={list(self.headers)})"


def is_mcp_reference(name: str) -> bool:
    """Tell whether an agent's tool is one of an MCP server."""
    return name.startswith(_PREFIX)


def split_mcp_reference(name: str) -> tuple[str, str | None]:
    """Return server and tool of `mcp:SERVER/TOOL`; the tool is None for `mcp:SERVER`, which means all of them."""
    server, _, tool = name.removeprefix(_PREFIX).partition("/")
    return server, tool or None
