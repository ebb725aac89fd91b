"""A workbench's cassette: models, tools and MCP servers, recorded and replayed on what may be another machine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.upstream import upstream

from agentbench import Workbench
from agentbench.errors import AgentbenchError, CassetteMiss, InvalidRequest
from agentbench.providers import weights

if TYPE_CHECKING:
    from pathlib import Path

KEY, GATE = "k3y-of-this-machine-01", "gate-secret-0123456789"
MCP_SERVER = """
from mcp.server.mcpserver import MCPServer

server = MCPServer("sums")

@server.tool()
def double(x: int) -> str:
    "Double a number."
    return f"twice {x} is {2 * x}"

server.run()
"""


def config(url: str, key: str = KEY, **more: Any) -> dict[str, Any]:
    """Return a config with one endpoint, at that address."""
    endpoint = {
        "name": "there",
        "baseURL": url,
        "apiKey": key,
        "headers": {"X-Gate": GATE, "X-Plain": "plain"},
        "models": {"default": ["m"]},
        "titleConvo": True,
    }
    agents = [{"id": "guide", "endpoint": "there", "model": "m", **more}]
    return {"endpoints": {"custom": [endpoint]}, "agents": agents}


def talk(bench: Workbench) -> list[Any]:
    """Hold a conversation of two turns; return its events without ids and times, its title, and its rows."""
    conversation = bench.start_conversation().id
    events = [each for question in ("Why?", "And then?") for each in bench.stream(question, conversation=conversation)]
    told = [type(each).__name__ for each in events], "".join(getattr(each, "delta", "") for each in events)
    rows = bench.usage()[["endpoint", "model", "context", "input_tokens", "output_tokens", "cost", "status", "step"]]
    return [told, rows.to_dict("list")]


def test_a_conversation(tmp_path: Path) -> None:
    """A conversation with its title is the same in another home, at another port and with another key."""
    file = tmp_path / "demo.jsonl"
    with upstream() as server, Workbench(config(server.url), home=tmp_path / "a") as bench:
        with bench.cassette(file, "record") as cassette:
            first = talk(bench)
        title = bench.conversations()[0].title
        assert cassette.recorded == 3
    with Workbench(config("http://127.0.0.1:9/v1", "an-0ther-key-99"), home=tmp_path / "b") as bench:
        with bench.cassette(file, "replay") as cassette:
            second = talk(bench)
        assert (cassette.played, cassette.missed) == (3, 0)
        assert bench.conversations()[0].title == title.replace(f"Bearer {KEY}", "****").replace(GATE, "****")
    assert second[1] == first[1]
    assert second[0][0] == first[0][0]
    assert second[0][1] == first[0][1].replace(f"Bearer {KEY}", "****").replace(GATE, "****")


def test_no_secret(tmp_path: Path) -> None:
    """The file has neither the key nor a header, though the upstream repeats both."""
    file = tmp_path / "demo.jsonl"
    with upstream() as server, Workbench(config(server.url), home=tmp_path) as bench, bench.cassette(file, "record"):
        assert KEY in bench.ask("Why?").output_text
    text = file.read_text(encoding="utf-8")
    assert [secret for secret in (KEY, KEY[-8:], GATE, GATE[-8:]) if secret in text] == []


def square(x: int) -> int:
    """Square a number."""
    CALLED.append(x)
    return x * x


CALLED: list[int] = []


@pytest.mark.parametrize(("tools", "runs"), [(None, [4]), ("run", [4]), ("replay", [])])
def test_python_functions(tmp_path: Path, tools: Any, runs: list[int]) -> None:
    """A function of the notebook runs again in a replay, unless its result is to be replayed too."""
    file = tmp_path / "demo.jsonl"
    with (
        upstream() as server,
        Workbench(config(server.url), home=tmp_path / "a") as bench,
        bench.cassette(file, "record"),
    ):
        first = bench.ask("Square four.", functions=[square])
    CALLED.clear()
    gone = config("http://127.0.0.1:9/v1")
    with Workbench(gone, home=tmp_path / "b") as bench, bench.cassette(file, "replay", tools=tools):
        second = bench.ask("Square four.", functions=[square])
    assert runs == CALLED
    assert [item.__class__ for item in second.output] == [item.__class__ for item in first.output]
    assert "16" in second.output_text


def test_an_mcp_server(tmp_path: Path) -> None:
    """Tools of an MCP server are replayed with no server there."""
    file, program = tmp_path / "demo.jsonl", tmp_path / "server.py"
    program.write_text(MCP_SERVER)
    servers = {"sums": {"command": sys.executable, "args": [str(program)]}}
    with upstream() as server:
        made = config(server.url, tools=["mcp:sums"]) | {"mcpServers": servers}
        with Workbench(made, home=tmp_path / "a") as bench, bench.cassette(file, "record"):
            first = bench.ask("Double four.").output_text
    gone = config("http://127.0.0.1:9/v1", tools=["mcp:sums"]) | {
        "mcpServers": {"sums": {"command": "no-such-program"}}
    }
    with Workbench(gone, home=tmp_path / "b") as bench, bench.cassette(file, "replay"):
        second = bench.ask("Double four.").output_text
    assert "twice 4 is 8" in first
    assert second == first.replace(f"Bearer {KEY}", "****").replace(GATE, "****")


@pytest.mark.local_model
def test_the_local_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model in this process is recorded, and replayed where it has no weights."""
    file = tmp_path / "demo.jsonl"
    with Workbench(home=tmp_path / "a") as bench, bench.cassette(file, "record"):
        first = bench.ask("Say hello.", max_output_tokens=8)
    monkeypatch.setattr(weights, "find", lambda _: pytest.fail("the weights were looked for"))
    with Workbench(home=tmp_path / "b") as bench, bench.cassette(file, "replay"):
        second = bench.ask("Say hello.", max_output_tokens=8)
    assert second.output_text == first.output_text != ""
    assert second.usage == first.usage


def test_a_miss(tmp_path: Path) -> None:
    """What wasn't recorded is refused with its name; without the cassette it would be asked."""
    file = tmp_path / "demo.jsonl"
    with upstream() as server, Workbench(config(server.url), home=tmp_path) as bench:
        with bench.cassette(file, "record"):
            bench.ask("Why?")
        with bench.cassette(file, "replay"), pytest.raises(CassetteMiss, match="Never asked"):
            bench.ask("Never asked")
        assert "Never asked" in bench.ask("Never asked").output_text


def test_one_at_a_time(tmp_path: Path) -> None:
    """A second cassette is refused while one is in; closing the workbench takes it out."""
    with Workbench(config("http://127.0.0.1:9/v1"), home=tmp_path) as bench:
        inserted = bench.cassette(tmp_path / "demo.jsonl", "auto")
        with pytest.raises(InvalidRequest, match=r"is in\. Take it out first"):
            bench.cassette(tmp_path / "other.jsonl", "auto")
        assert bench.inserted is inserted
    assert bench.inserted is None


def test_an_upstream_that_is_gone(tmp_path: Path) -> None:
    """No connection is replayed as no connection."""
    file, errors = tmp_path / "demo.jsonl", []
    for mode in ("record", "replay"):
        with Workbench(config("http://127.0.0.1:9/v1"), home=tmp_path / mode) as bench, bench.cassette(file, mode):
            with pytest.raises(AgentbenchError) as caught:
                bench.ask("Why?")
            errors.append((type(caught.value), caught.value.message))
    assert errors[0] == errors[1]
