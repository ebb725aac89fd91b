"""Tool runs and a cassette: what a replay leaves out, what it misses, and what is never written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import agentbench
from agentbench import Workbench
from agentbench.errors import AnswerFailed
from agentbench.protocol.items import FunctionCall, FunctionCallOutput

if TYPE_CHECKING:
    from agentbench import Tool
    from agentbench.protocol import Response

SERVER = Path(__file__).parent / "runner" / "mcp_server.py"


def calling(name: str, **arguments: Any) -> dict[str, Any]:
    """Return a script that calls a tool and is done."""
    return {"turns": [[{"call": {"name": name, "arguments": arguments}}], [{"text": "Done."}]]}


def config(command: str = sys.executable, **server: Any) -> dict[str, Any]:
    """Return a config with scripted models, and an agent with a tool of an MCP server."""
    models = {
        "four": calling("double", x=4),
        "twelve": calling("double", x=12),
        "tells": calling("echo", text="a-t0ken-of-mine"),
        "adds": calling("add", a=2, b=3),
    }
    return {
        "endpoints": {"scripted": {"models": models}},
        "mcpServers": {"sums": {"command": command, "args": [str(SERVER)], **server}},
        "agents": [{"id": "clerk", "endpoint": "scripted", "model": "adds", "tools": ["mcp:sums/add"]}],
    }


def doubling(runs: list[int]) -> Tool:
    """Return a function that wants a yes and notes its runs."""

    @agentbench.tool(approval="ask")
    def double(x: int) -> int:
        """Double a number."""
        runs.append(x)
        return 2 * x

    return double


def outputs(response: Response) -> list[object]:
    """Return the results of the tools."""
    return [item.output for item in response.output if isinstance(item, FunctionCallOutput)]


@pytest.fixture
def runs() -> list[int]:
    """Return what the function was called with."""
    return []


@pytest.fixture
def doubled(tmp_path: Path, runs: list[int]) -> Path:
    """Return a cassette on which four is doubled, which a person has allowed."""
    file = tmp_path / "demo.jsonl"
    with Workbench(config()) as bench, bench.cassette(file):
        bench.ask("Hi", model="scripted/four", functions=[doubling(runs)], approve=lambda _: True)
    return file


def test_nobody_is_asked_to_approve_a_replay(doubled: Path, runs: list[int]) -> None:
    """A result that is replayed needs no yes, as nothing is done for it; how long it took is told all the same."""
    with Workbench(config()) as bench, bench.cassette(doubled, "replay", tools="replay"):
        stream = bench.stream("Hi", model="scripted/four", functions=[doubling(runs)])
        for _ in stream:
            pass
    call = next(item for item in stream.response.output if isinstance(item, FunctionCall))
    assert (outputs(stream.response), runs) == (["8"], [4])
    assert list(stream.run.tool_seconds) == [call.call_id]


def test_who_declined_has_declined(tmp_path: Path, runs: list[int]) -> None:
    """A call that a person declined while it was recorded is declined in the replay too."""
    file = tmp_path / "demo.jsonl"
    for mode, approve in (("auto", lambda _: False), ("replay", lambda _: True)):
        with Workbench(config()) as bench, bench.cassette(file, mode, tools="replay"):  # type: ignore[arg-type]
            response = bench.ask("Hi", model="scripted/four", functions=[doubling(runs)], approve=approve)
            assert (outputs(response), runs) == (["Error: the person declined this call."], [])


def test_a_call_that_is_missed(doubled: Path, runs: list[int]) -> None:
    """A call that isn't on the cassette ends the answer, and the error names the tool and what differs."""
    missed = pytest.raises(AnswerFailed, match=r"tool double.*x: recorded 4, asked 12")
    with Workbench(config()) as bench, bench.cassette(doubled, "replay", tools="replay"), missed:
        bench.ask("Hi", model="scripted/twelve", functions=[doubling(runs)])
    assert runs == [4]


def test_the_mcp_package_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the program nor the package has to be there for the tools of a server to be replayed."""
    pytest.importorskip("mcp")
    file = tmp_path / "demo.jsonl"
    with Workbench(config()) as bench, bench.cassette(file):
        assert outputs(bench.ask("Hi", agent="clerk")) == ["5"]
    monkeypatch.setitem(sys.modules, "mcp", None)
    with Workbench(config("no-such-program")) as bench, bench.cassette(file, "replay") as cassette:
        assert outputs(bench.ask("Hi", agent="clerk")) == ["5"]
        assert (cassette.played, cassette.missed) == (2, 0)


def test_secrets_of_mcp_servers(tmp_path: Path) -> None:
    """What a server gets as a secret isn't written, whichever tool tells it; nor is what is named to be hidden."""

    def echo(text: str) -> str:
        """Say it again."""
        return f"{text} of patient-12"

    file = tmp_path / "demo.jsonl"
    with Workbench(config(env={"API_TOKEN": "a-t0ken-of-mine"})) as bench, bench.cassette(file, hide=r"patient-\d+"):
        bench.ask("Hi", model="scripted/tells", functions=[agentbench.tool(echo)])
    text = file.read_text(encoding="utf-8")
    assert [each for each in ("a-t0ken-of-mine", "patient-12") if each in text] == []
    assert '"value":"**** of ****"' in text
