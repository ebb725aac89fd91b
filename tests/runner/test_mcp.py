"""Tools of real MCP servers: found, called, and what happens when a server goes away."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agentbench import Workbench
from agentbench.config import McpServer
from agentbench.errors import MissingExtra, UnknownName, UpstreamTimeout, UpstreamUnavailable
from agentbench.gateway.crossing import LoopThread
from agentbench.protocol.items import FunctionCallOutput
from agentbench.runner import mcp
from agentbench.runner.mcp import McpConnections

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.runner.tools import Tool

SERVER = str(Path(__file__).with_name("mcp_server.py"))
NAMES = ["add", "draw__a_dot_", "pid", "wait", "die"]


def program(*arguments: str, name: str = "tests", **fields: Any) -> McpServer:
    """Return a server that Python runs."""
    return McpServer(name=name, command=sys.executable, args=arguments, **fields)


class Servers:
    """Connections on a loop of their own, used from the test's thread."""

    def __init__(self, *servers: McpServer) -> None:
        self.connections = McpConnections({each.name: each for each in servers})
        self.loop = LoopThread(at_end=self.connections.aclose)

    def tools(self, *references: str, taken: tuple[str, ...] = ()) -> dict[str, Tool]:
        """Return the tools that are named."""
        return self.loop.portal.call(self.connections.tools, references, taken)

    def call(self, name: str, arguments: str = "{}") -> str:
        """Call a tool of the server `tests`, as a turn does."""
        return self.loop.portal.call(self.tools(f"mcp:tests/{name}").popitem()[1].call, arguments)


@contextmanager
def connected(*servers: McpServer) -> Iterator[Servers]:
    """Give connections, and end them."""
    made = Servers(*servers)
    try:
        yield made
    finally:
        made.loop.stop()


@pytest.fixture(scope="module")
def tests() -> Iterator[Servers]:
    """Give a server on its standard streams that many tests share, and another of the same tools."""
    environment = {"COLOUR": "blue"}
    with connected(program(SERVER, env=environment, timeout=3), program(SERVER, name="more", timeout=3)) as servers:
        yield servers


def free_port() -> int:
    """Return a port that nothing listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as sock:
        port: int = sock.getsockname()[1]
    return port


@contextmanager
def over_http(port: int) -> Iterator[McpServer]:
    """Give a server that listens."""
    with subprocess.Popen([sys.executable, SERVER, str(port)], stderr=subprocess.DEVNULL) as process:
        give_up = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                assert time.monotonic() < give_up
                time.sleep(0.1)
        yield McpServer(name="tests", url=f"http://127.0.0.1:{port}/mcp", timeout=3)
        process.kill()


# -- tools ----------------------------------------------------------------------------------------------------------


def test_all_tools(tests: Servers) -> None:
    """`mcp:SERVER` is every tool, by names that models accept, with what the server says about it."""
    tools = tests.tools("mcp:tests")
    assert list(tools) == NAMES
    spec = tools["add"].spec
    assert (spec.name, spec.description) == ("add", "Add two numbers.")
    assert spec.parameters is not None
    assert spec.parameters["required"] == ["a", "b"]


def test_one_tool(tests: Servers) -> None:
    """`mcp:SERVER/TOOL` is that one; naming it again changes nothing."""
    assert list(tests.tools("mcp:tests/pid", "mcp:tests/draw: a dot.", "mcp:tests/pid")) == ["pid", "draw__a_dot_"]


def test_names_that_are_taken(tests: Servers) -> None:
    """A tool whose name is taken gets its server's in front, and then a number."""
    references = ("mcp:tests/add", "mcp:more/add")
    assert list(tests.tools(*references)) == ["add", "more_add"]
    assert list(tests.tools(*references, taken=("add", "more_add"))) == ["tests_add", "more_add_2"]


def test_a_long_name() -> None:
    """No name has more than 64 characters, also with a number."""
    name = mcp._free_name("s" * 40, "t" * 80, set())
    again = mcp._free_name("s" * 40, "t" * 80, {name, "s" * 40 + "_" + "t" * 23})
    assert (name, again) == ("t" * 64, "s" * 40 + "_" + "t" * 19 + "_2")


@pytest.mark.parametrize(("reference", "hint"), [("mcp:tests/ad", "mcp:tests/add"), ("mcp:test", "tests")])
def test_an_unknown_name(tests: Servers, reference: str, hint: str) -> None:
    """A server or tool that isn't there is told with the nearest name."""
    with pytest.raises(UnknownName, match=f"Did you mean '{hint}'"):
        tests.tools(reference)


# -- calls ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("add", '{"a": 1, "b": 2}', "3"),
        ("draw: a dot.", "", "A dot:\n[image: image/png, not shown]"),
        ("wait", "{}", "Error: wait took longer than 3 s."),
    ],
)
def test_results(tests: Servers, name: str, arguments: str, expected: str) -> None:
    """A result becomes text, a picture a note, and one that takes too long an error."""
    assert tests.call(name, arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"), [('{"a": 1}', "Error: Error executing tool add"), ("[1]", "Error: ValidationError")]
)
def test_wrong_arguments(tests: Servers, arguments: str, expected: str) -> None:
    """What the server finds wrong, the model reads."""
    assert tests.call("add", arguments).startswith(expected)


def test_environment(tests: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program gets the variables of the config; it is started once."""
    process, colour = tests.call("pid").split()
    assert (tests.call("pid"), colour) == (f"{process} blue", "blue")


def test_an_agent() -> None:
    """An agent's tool runs during its answer, beside a Python function of the same name."""
    calls = [{"call": {"name": "tests_add", "arguments": {"a": 1, "b": 2}}}, {"call": {"name": "add", "arguments": {}}}]
    config = {
        "mcpServers": {"tests": {"command": sys.executable, "args": [SERVER]}},
        "endpoints": {"scripted": {"models": {"m": {"turns": [calls, [{"text": "Done."}]]}}}},
        "agents": [{"id": "bot", "endpoint": "scripted", "tools": ["mcp:tests/add", "add"]}],
    }

    def add() -> str:
        return "nothing to add"

    with Workbench(config) as bench:
        bench.add_tool(add)
        response = bench.ask("One and two?")
    results = [item.output for item in response.output if isinstance(item, FunctionCallOutput)]
    assert (results, response.output_text) == (["3", "nothing to add"], "Done.")


# -- servers that go away, and that never come ----------------------------------------------------------------------


def test_a_server_that_dies(tests: Servers) -> None:
    """A call that it dies in is not made again: the model is told, and the next call starts the server anew."""
    before = tests.call("pid")
    gone = "Error: the MCP server tests went away during the call. It is started anew for the next one."
    assert tests.call("die") == gone
    assert tests.call("pid") != before


def test_a_server_that_died(tests: Servers) -> None:
    """One that ended between two turns is started again."""
    before = tests.call("pid").split()[0]
    os.kill(int(before), signal.SIGKILL)
    assert tests.call("pid").split()[0] != before


def test_over_http() -> None:
    """A server at an address is used the same way, and again after it was away."""
    port = free_port()
    with over_http(port) as server, connected(server) as servers:
        assert list(servers.tools("mcp:tests")) == NAMES
        assert servers.call("add", '{"a": 1, "b": 2}') == "3"
        assert servers.call("die").startswith("Error: ")
        with pytest.raises(UpstreamUnavailable, match=r"The MCP server 'tests' can't be reached \(ConnectError\)\."):
            servers.tools("mcp:tests")
        with over_http(port):
            assert servers.call("add", '{"a": 1, "b": 2}') == "3"


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (
            McpServer(name="x", command="no-such-program"),
            "can't be started: No such file or directory: no-such-program",
        ),
        (program("-c", "print('hi')", name="x"), "ended before it answered. The log holds what it wrote last"),
        (McpServer(name="x", url="http://127.0.0.1:9/mcp"), "can't be reached (ConnectError)"),
    ],
)
def test_a_server_that_cannot_start(server: McpServer, message: str) -> None:
    """The error names the server and what went wrong."""
    with connected(server) as servers, pytest.raises(UpstreamUnavailable) as caught:
        servers.tools("mcp:x")
    assert caught.value.message == f"The MCP server 'x' {message}."


def test_what_it_wrote_last(caplog: pytest.LogCaptureFixture) -> None:
    """What a failing program wrote to its standard error is in the log."""
    server = program("-c", "raise SystemExit('no key')", name="x")
    with connected(server) as servers, pytest.raises(UpstreamUnavailable):
        servers.tools("mcp:x")
    assert "the MCP server 'x' failed. It wrote last:\nno key" in caplog.text


def test_a_server_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever, and the program is ended."""
    monkeypatch.setattr(mcp, "_CONNECT", 0.5)
    server = program("-c", "import time; time.sleep(60)", name="x")
    with connected(server) as servers, pytest.raises(UpstreamTimeout, match=r"'x' did not answer within 0\.5 s\."):
        servers.tools("mcp:x")


def test_a_turn_whose_server_cannot_start() -> None:
    """The error comes before the first event, so that it is an HTTP status: 503."""
    config = {
        "mcpServers": {"x": {"command": "no-such-program"}},
        "endpoints": {"scripted": {"models": {"m": [{"text": "Hi"}]}}},
        "agents": [{"id": "bot", "endpoint": "scripted", "tools": ["mcp:x"]}],
    }
    with Workbench(config) as bench, pytest.raises(UpstreamUnavailable, match="The MCP server 'x'") as caught:
        bench.ask("Hi")
    assert caught.value.status == 503


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the mcp package the error says what to install."""
    monkeypatch.setitem(sys.modules, "mcp", None)
    with connected(program(SERVER)) as servers, pytest.raises(MissingExtra, match=r"agentbench\[mcp\]"):
        servers.tools("mcp:tests")


def test_closing() -> None:
    """The programs end with the connections."""
    with connected(program(SERVER)) as servers:
        process = int(servers.call("pid"))
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
