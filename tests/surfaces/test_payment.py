"""A balance that doesn't cover a call: 402 in each API's shape, as its SDK raises it, and nothing is sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import anthropic
import msgspec
import openai
import pytest
from tests.surfaces.served import served
from websockets.sync.client import connect

from agentbench import Workbench
from agentbench.errors import InsufficientBalance

if TYPE_CHECKING:
    from collections.abc import Iterator

HI: Any = [{"role": "user", "content": "Hi"}]
CONFIG: dict[str, Any] = {
    "balance": {"enabled": True, "startBalance": 7},
    "endpoints": {
        "scripted": {"models": {"sky": [{"text": "Blue."}]}, "tokenConfig": {"sky": {"prompt": 1, "completion": 2}}}
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "sky", "model_parameters": {"max_output_tokens": 1000}}],
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Give a workbench on which everybody has seven credits, and an answer may take thousands."""
    with Workbench(CONFIG, home=tmp_path_factory.mktemp("home")) as bench:
        yield bench


@pytest.fixture
def needed(bench: Workbench) -> float:
    """Give what a call may take at most, in credits, as the workbench says."""
    with pytest.raises(InsufficientBalance) as caught:
        bench.ask("Hi")
    assert 2000 < caught.value.needed < 2100
    return caught.value.needed


def openai_body(needed: float) -> dict[str, Any]:
    """Return the error as OpenAI's clients expect it, with both amounts in credits."""
    return {
        "type": "insufficient_quota",
        "code": "insufficient_balance",
        "message": str(InsufficientBalance(7, needed)),
        "param": None,
        "balance": 7.0,
        "needed": needed,
    }


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_openai(bench: Workbench, needed: float, surface: str, *, stream: bool) -> None:
    """The openai SDK raises its `APIStatusError`, at once and also where a stream was wanted."""
    with bench.openai() as client:
        chat, answer = client.chat.completions.create, client.responses.create
        ask: Any = partial(chat, messages=HI) if surface == "chat" else partial(answer, input="Hi")
        with pytest.raises(openai.APIStatusError) as caught:
            ask(model="bot", stream=stream)
    assert (caught.value.status_code, caught.value.code) == (402, "insufficient_balance")
    assert caught.value.response.json() == {"error": openai_body(needed)}


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic(bench: Workbench, needed: float, *, stream: bool) -> None:
    """The anthropic SDK raises its `APIStatusError` with a billing error in it."""
    with bench.anthropic() as client, pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(model="bot", max_tokens=1000, messages=HI, stream=stream)
    assert (caught.value.status_code, caught.value.type) == (402, "billing_error")
    told = {"type": "billing_error", "message": str(InsufficientBalance(7, needed)), "balance": 7.0, "needed": needed}
    assert caught.value.response.json()["error"] == told


def test_a_websocket(bench: Workbench, needed: float) -> None:
    """An error with status 402; the connection goes on."""
    with served(bench.app) as address, connect(f"ws://{address}/responses") as connection:
        for _ in range(2):
            connection.send('{"type": "response.create", "model": "bot", "input": "Hi"}')
            told = msgspec.json.decode(connection.recv(timeout=10))
            del (error := openai_body(needed))["param"]
            assert told == {"type": "error", "status": 402, "error": error}


def test_nothing_was_sent(bench: Workbench, needed: float) -> None:
    """Each has its row, which cost nothing; the balance is as it was."""
    rows = bench.usage()
    assert set(rows["error_type"]) == {"insufficient_balance"}
    assert set(rows["output_tokens"].fillna(0)) == set(rows["cost"].fillna(0)) == {0}
    standing = bench.balance()
    assert standing is not None
    assert (standing.balance, standing.reserved) == (7_000_000, 0)
