"""Tools that ran here, in stored and background responses and over a WebSocket: hidden, unless a client asks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.grammar import check_grammar
from tests.surfaces.scripts import call
from tests.surfaces.served import served
from websockets.sync.client import connect

from agentbench import Workbench
from agentbench.protocol import Event
from agentbench.surfaces.receipts import HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

SHOWN = ["function_call", "function_call_output", "message"]
HIDDEN = ["message"]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Give a workbench whose agent looks before it answers."""
    models = {"seer": {"turns": [[call("look", where="here")], [{"text": "Nothing."}]]}}
    agent = {"id": "seer", "endpoint": "scripted", "model": "seer", "tools": ["look"]}
    config: dict[str, Any] = {"endpoints": {"scripted": {"models": models}}, "agents": [agent]}

    def look(where: str) -> str:
        """Look somewhere."""
        return f"Nothing {where}."

    with Workbench(config, home=tmp_path_factory.mktemp("home")) as bench:
        bench.add_tool(look)
        yield bench


def kinds(response: Any) -> list[str]:
    """Return what the output holds."""
    return [item["type"] for item in response["output"]]


@pytest.mark.parametrize("background", [False, True])
def test_a_stored_response(http: httpx2.Client, *, background: bool) -> None:
    """It is stored with them, whatever the client that asked for it saw."""
    body = {"model": "seer", "input": "Hi", "background": background}
    path = f"responses/{http.post('responses', json=body).json()['id']}"
    while (found := http.get(path).json())["status"] != "completed":
        time.sleep(0.01)
    assert kinds(found) == HIDDEN
    assert kinds(http.get(path, headers={HEADER: "include"}).json()) == SHOWN


@pytest.mark.parametrize(("headers", "seen"), [({}, HIDDEN), ({HEADER: "include"}, SHOWN)])
def test_a_background_stream(http: httpx2.Client, headers: dict[str, str], seen: list[str]) -> None:
    """The stream is whole either way."""
    body = {"model": "seer", "input": "Hi", "background": True, "stream": True}
    lines = http.post("responses", json=body, headers=headers).text.split("\n")
    events = [msgspec.json.decode(line[6:], type=Event) for line in lines if line.startswith("data: {")]
    check_grammar(events)
    assert kinds(msgspec.to_builtins(events[-1])["response"]) == seen


@pytest.mark.parametrize(("headers", "seen"), [({}, HIDDEN), ({HEADER: "include"}, SHOWN)])
def test_a_websocket(bench: Workbench, headers: dict[str, str], seen: list[str]) -> None:
    """The header is that of the handshake."""
    events: list[Any] = [{"type": ""}]
    with served(bench.app) as address, connect(f"ws://{address}/responses", additional_headers=headers) as socket:
        socket.send('{"type": "response.create", "model": "seer", "input": "Hi"}')
        while events[-1]["type"] != "response.completed":
            events.append(msgspec.json.decode(socket.recv(timeout=10)))
    check_grammar(msgspec.convert(events[1:], list[Event]))
    assert kinds(events[-1]["response"]) == seen
