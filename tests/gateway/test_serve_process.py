"""`agentbench serve` as a process of its own, over a socket."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2
import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API = "/api/agents/v1"
CONFIG = """\
endpoints:
  scripted:
    models:
      m: [{text: one two}]
      slow: [{text: "one "}, {wait: 60}, {text: two}]
agents:
  - {id: bot, endpoint: scripted}
  - {id: slow, endpoint: scripted, model: slow}
"""


class Server:
    """A process that serves, what it printed, and a client with its first key."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        assert process.stdout is not None
        self.process, self.home = process, home
        self.printed = process.stdout.readline()
        self.key = process.stdout.readline().split()[-1]
        found = re.match(r"agentbench listens on (\S+),", self.printed)
        assert found is not None
        self.url = found[1]
        headers = {"authorization": f"Bearer {self.key}"}
        self.http = httpx2.Client(base_url=self.url, headers=headers, timeout=30)

    def stop(self, number: signal.Signals) -> float:
        """Send a signal and wait for the end; return the seconds that it took."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(15)
        return time.monotonic() - begun

    def rows(self) -> list[tuple[str, str]]:
        """Return model and status of each row of the ledger."""
        connection = sqlite3.connect(self.home / "agentbench.db")
        rows = connection.execute("select model, status from usage order by time").fetchall()
        connection.close()
        return rows


@contextmanager
def serving(folder: Path, *arguments: str, config: str = CONFIG) -> Iterator[Server]:
    """Give a server whose files lie in a folder; kill it if it still runs."""
    (folder / "agentbench.yaml").write_text(config)
    command = [sys.executable, "-m", "agentbench", "serve", "--port", "0", "--config", "agentbench.yaml", *arguments]
    environ = os.environ | {"AGENTBENCH_HOME": str(folder / "home")}
    with subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            server = Server(process, folder / "home")
            with server.http:
                yield server
        finally:
            process.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that several tests ask."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


def test_the_sdk(server: Server) -> None:
    """The openai client works with the key that the first start showed."""
    with openai.OpenAI(base_url=server.url + API, api_key=server.key) as client:
        assert [model.id for model in client.models.list()] == ["bot", "slow"]
        assert client.responses.create(model="bot", input="Hi").output_text == "one two"


def test_without_a_key(server: Server) -> None:
    """Over a socket nobody is the kernel; without a key only what watches over the server gets an answer."""
    forged = {"agentbench.principal": "kernel", "agentbench-principal": "kernel", "authorization": "Bearer in-process"}
    with httpx2.Client(base_url=server.url) as http:
        assert http.get(f"{API}/models").status_code == 401
        assert http.get(f"{API}/models", headers=forged).status_code == 401
        assert [http.get(path).status_code for path in ("/health", "/ready")] == [200, 200]


def test_no_server_header(server: Server) -> None:
    """Nothing tells which server it is."""
    assert "server" not in server.http.get(f"{API}/models").headers


@pytest.mark.parametrize(
    ("workers", "number", "status"),
    [("1", signal.SIGTERM, -signal.SIGTERM), ("1", signal.SIGINT, 130), ("2", signal.SIGTERM, 0)],
)
def test_stopping(tmp_path: Path, workers: str, number: signal.Signals, status: int) -> None:
    """A stream that runs ends as incomplete, the ledger is whole, and all is over within ten seconds."""
    with serving(tmp_path, "--workers", workers) as server:
        assert server.http.post(f"{API}/responses", json={"model": "bot", "input": "Hi"}).status_code == 200
        body = {"model": "slow", "input": "Hi", "stream": True}
        with server.http.stream("POST", f"{API}/responses", json=body) as response:
            lines = response.iter_lines()
            next(lines)
            took = server.stop(number)
            rest = [line for line in lines if line]
        assert rest[-3] == "event: response.incomplete"
        assert '"incomplete_details":{"reason":"interrupted"}' in rest[-2]
        assert rest[-1] == "data: [DONE]"
        assert took < 10
        assert server.process.returncode == status
        assert server.rows() == [("m", "completed"), ("slow", "incomplete")]
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
