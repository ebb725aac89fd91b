"""Tools of MCP servers: connected on first use, kept open on the event loop, connected again once they went away.

Owns the connections. Which servers there are the config says; how to speak with them the `mcp` package knows.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import re
import threading
from collections import deque
from contextlib import AsyncExitStack
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import msgspec

from agentbench.config.mcp import split_mcp_reference
from agentbench.errors import AgentbenchError, MissingExtra, UnknownName, UpstreamTimeout, UpstreamUnavailable
from agentbench.protocol.request import FunctionTool
from agentbench.protocol.values import Value
from agentbench.providers.cassettes.deck import Asked, Deck
from agentbench.runner.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import mcp
    from mcp import types

    from agentbench.config.mcp import McpServer

__all__ = ["McpConnections"]

_log = logging.getLogger(__name__)

# Seconds.
_CONNECT = 20.0
_CLOSE = 6.0
_GOODBYE = 0.5
_LAST_LINES = 20
_NAME_LENGTH = 64
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")
_CONNECTION_CLOSED = -32000  # the code by which the mcp package says so


class McpConnections:
    """The servers of a config. All calls belong on one event loop; `aclose` ends every connection.

    Other `servers` may be put in at any time; one that has changed is connected anew when it is next asked for tools.
    A cassette in the `deck` may know a server's tools, which then isn't asked.
    """

    def __init__(self, servers: Mapping[str, McpServer], deck: Deck | None = None) -> None:
        self.servers = servers
        self._deck = deck or Deck()
        self._open: dict[str, _Connection] = {}

    async def tools(self, references: Sequence[str], taken: Collection[str] = ()) -> dict[str, Tool]:
        """Return the tools that `mcp:SERVER` (all of them) and `mcp:SERVER/TOOL` name, under names that are free.

        Raises `UnknownName`, `UpstreamUnavailable` or `UpstreamTimeout` with the server's name, or `MissingExtra`.
        """
        names = dict.fromkeys(split_mcp_reference(each)[0] for each in references)
        listed = dict(zip(names, await asyncio.gather(*map(self._listed, names)), strict=True))
        found: dict[str, Tool] = {}
        for server, tool in _wanted(references, listed):
            name = _free_name(server, tool.name, {*taken, *found})
            found[name] = self._tool(name, server, tool)
        return found

    async def aclose(self) -> None:
        """Disconnect, and end the programs that were started."""
        connections, self._open = list(self._open.values()), {}
        await asyncio.gather(*(each.aclose() for each in connections))

    async def _listed(self, name: str) -> list[_Offered]:
        """Return a server's tools, from it or from a cassette."""
        tape, ask = self._deck.tape, partial(self._list, name)
        asked = Asked(kind="tools", name=f"mcp:{self._server(name).name}", body=None)
        return msgspec.convert(await (ask() if tape is None else tape.value(asked, ask)), list[_Offered])

    async def _list(self, name: str) -> list[dict[str, Any]]:
        """Ask a server for its tools; one that went away since it was last asked is connected again, once."""
        tools = await self._ask(name)
        if tools is None:
            tools = await self._ask(name)
        if tools is None:
            raise UpstreamUnavailable(f"The MCP server {name!r} can't list its tools.", endpoint=name)
        return [
            {"name": each.name, "description": each.description or each.title, "parameters": each.input_schema}
            for each in tools
        ]

    async def _ask(self, name: str) -> list[types.Tool] | None:
        if (old := self._open.get(name)) is not None and old.server != self.servers.get(name):
            await self._drop(name, old)
        connection = self._connection(name)
        client = await connection.client()
        try:
            return await _all_tools(client)
        except Exception as error:  # noqa: BLE001 - what a lost connection raises depends on how it was lost
            _log.info("the MCP server %r did not list its tools: %s", name, _cause(error))
            await self._drop(name, connection)
            return None

    def _tool(self, name: str, server: str, tool: _Offered) -> Tool:
        spec = FunctionTool(name=name, description=tool.description, parameters=tool.parameters)
        run = partial(self._call, server, tool.name)
        return Tool(spec, run, timeout=self.servers[server].timeout, origin=f"mcp:{server}/{tool.name}")

    async def _call(self, name: str, tool: str, arguments: str) -> str:
        """Call a tool. A call is never made twice: what it does may have been done before the connection broke."""
        given = msgspec.json.decode(arguments or "{}", type=dict[str, Any])
        connection = self._connection(name)
        client = await connection.client()
        try:
            result = await client.call_tool(tool, given)
        except Exception as error:  # noqa: BLE001 - the model should learn of it, whatever it is
            if getattr(error, "code", None) == _CONNECTION_CLOSED or connection.is_over:
                await self._drop(name, connection)
                return f"Error: the MCP server {name} went away during the call. It is started anew for the next one."
            return f"Error: {error}"
        return f"Error: {_text(result)}" if result.is_error else _text(result)

    def _server(self, name: str) -> McpServer:
        if name not in self.servers:
            raise UnknownName("MCP server", name, self.servers)
        return self.servers[name]

    def _connection(self, name: str) -> _Connection:
        server = self._server(name)
        if name not in self._open or self._open[name].is_over:
            self._open[name] = _Connection(server)
        return self._open[name]

    async def _drop(self, name: str, connection: _Connection) -> None:
        if self._open.get(name) is connection:
            del self._open[name]
        await connection.aclose()


class _Offered(Value, frozen=True, kw_only=True):
    """What a server says of one of its tools."""

    name: str
    description: str | None
    parameters: dict[str, Any]


class _Connection:
    """One server, held by a task of its own: a client must end in the task that it began in."""

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self._client: mcp.Client | None = None
        self._error: AgentbenchError | None = None
        self._settled = asyncio.Event()
        self._closing = asyncio.Event()
        self._scope = anyio.CancelScope(deadline=anyio.current_time() + _CONNECT)
        self._task = asyncio.create_task(self._hold())

    @property
    def is_over(self) -> bool:
        """Whether it never came about, broke, or was closed."""
        return self._task.done()

    async def client(self) -> mcp.Client:
        """Wait until it is connected; raises why it can't be."""
        await self._settled.wait()
        if self._client is None:
            raise self._error or UpstreamUnavailable(self._sentence("has gone away"), endpoint=self.server.name)
        return self._client

    async def aclose(self) -> None:
        """Disconnect; a program gets the time to end by itself."""
        self._closing.set()
        if not self._settled.is_set():
            self._scope.cancel()
        await asyncio.wait([self._task], timeout=_CLOSE)
        self._scope.cancel()

    async def _hold(self) -> None:
        try:
            with self._scope:
                async with AsyncExitStack() as stack:
                    self._client = await _connect(self.server, stack)
                    self._scope.deadline = math.inf
                    self._settled.set()
                    await self._closing.wait()
            if not self._settled.is_set():
                self._error = UpstreamTimeout(
                    self._sentence(f"did not answer within {_CONNECT:g} s"), endpoint=self.server.name
                )
        except AgentbenchError as error:
            self._error = error
        except Exception as error:  # noqa: BLE001 - it is raised to whoever waits for the client
            self._error = UpstreamUnavailable(self._sentence(_failure(error)), endpoint=self.server.name)
        finally:
            self._client = None
            self._settled.set()

    def _sentence(self, what: str) -> str:
        return f"The MCP server {self.server.name!r} {what}."


async def _connect(server: McpServer, stack: AsyncExitStack) -> mcp.Client:
    try:
        # A second of importing, which must not hold up whatever else runs here.
        sdk: Any = await anyio.to_thread.run_sync(import_module, "mcp")
    except ImportError:
        raise MissingExtra("mcp", f"The MCP server {server.name!r}") from None
    if server.url is not None:
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        timeout = httpx2.Timeout(_CONNECT, read=max(server.timeout, _CONNECT))
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=dict(server.headers), timeout=timeout))
        transport: Any = streamable_http_client(server.url, http_client=http)
    else:
        program = sdk.StdioServerParameters(command=server.command, args=list(server.args), env=dict(server.env))
        stderr = _Stderr(server.name)
        stack.push(lambda _, error, __: stderr.close(error))
        transport = sdk.stdio_client(program, errlog=stderr.file)
    client: mcp.Client = await stack.enter_async_context(sdk.Client(transport))
    return client


class _Stderr:
    """Takes what a program writes to its standard error: into our log, and the last lines aside for when it fails."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        read, write = os.pipe()
        self.file = os.fdopen(write, "w")
        self._reader = threading.Thread(target=self._read, args=(read,), name=f"agentbench-mcp-{name}", daemon=True)
        self._reader.start()

    def close(self, failed: BaseException | None) -> None:
        """Let go of the file; of a program that failed, show what it wrote last."""
        self.file.close()
        if failed is not None:
            self._reader.join(_GOODBYE)
            _log.warning("the MCP server %r failed. It wrote last:\n%s", self._name, "\n".join(self._lines))

    def _read(self, read: int) -> None:
        with os.fdopen(read, errors="replace") as lines:
            for line in lines:
                self._lines.append(line.rstrip())
                _log.debug("%s: %s", self._name, line.rstrip())


def _cause(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _failure(error: Exception) -> str:
    cause = _cause(error)
    if isinstance(cause, FileNotFoundError | PermissionError | NotADirectoryError):
        return f"can't be started: {cause.strerror}: {cause.filename}"
    if getattr(cause, "code", None) == _CONNECTION_CLOSED:
        return "ended before it answered. The log holds what it wrote last"
    said = f": {cause}" if hasattr(cause, "code") else ""  # the protocol's own errors; others may show an address
    return f"can't be reached ({type(cause).__name__}{said})"


async def _all_tools(client: mcp.Client) -> list[types.Tool]:
    found: list[types.Tool] = []
    cursor = None
    with anyio.fail_after(_CONNECT):
        while True:
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return found


def _wanted(references: Iterable[str], listed: Mapping[str, list[_Offered]]) -> Iterable[tuple[str, _Offered]]:
    """Return each tool that is named, with its server, once, in the order in which they are named."""
    found: dict[tuple[str, str], _Offered] = {}
    for reference in references:
        server, wanted = split_mcp_reference(reference)
        named = {tool.name: tool for tool in listed[server] if wanted in {None, tool.name}}
        if wanted is not None and not named:
            raise UnknownName("tool", reference, [f"mcp:{server}/{tool.name}" for tool in listed[server]])
        found |= {(server, name): tool for name, tool in named.items()}
    return [(server, tool) for (server, _), tool in found.items()]


def _free_name(server: str, tool: str, taken: Collection[str]) -> str:
    """Return the tool's name as models accept names; where it is taken, with the server's in front, or a number."""
    plain, long = (_NOT_IN_NAMES.sub("_", name)[:_NAME_LENGTH] for name in (tool, f"{server}_{tool}"))
    numbered = (f"{long[: _NAME_LENGTH - 4]}_{number}" for number in range(2, 1000))
    return next(name for name in (plain, long, *numbered) if name and name not in taken)


def _text(result: types.CallToolResult) -> str:
    """Return a result as text: its texts as they are, a note in place of everything else."""
    parts = [_part(each) for each in result.content]
    if not parts and result.structured_content is not None:
        return msgspec.json.encode(result.structured_content).decode()
    return "\n".join(parts)


def _part(part: types.ContentBlock) -> str:
    match part.type:
        case "text":
            return part.text
        case "image" | "audio":
            return f"[{part.type}: {part.mime_type}, not shown]"
        case "resource_link":
            return f"[resource: {part.uri}]"
        case _:
            return getattr(part.resource, "text", None) or f"[resource: {part.resource.uri}]"
