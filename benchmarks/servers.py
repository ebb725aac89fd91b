"""Servers as processes of their own: agentbench's, and what it is compared with where that is installed.

Peers lie in build/peers, which `python -m benchmarks.servers` fills.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["PEERS", "Server", "agentbench", "litellm"]

PEERS = Path(__file__).parent.parent / "build" / "peers"
_LITELLM = PEERS / "litellm"
_START_SECONDS = 120
MODELS = ("chunks-1", "chunks-20", "chunks-2000")


@dataclass(slots=True)
class Server:
    """A process that serves `base_url`; what a request to it carries; and how long it took to start."""

    process: psutil.Process
    base_url: str
    headers: dict[str, str]
    seconds: float
    prefix: str = ""  # of models' names

    def cpu(self) -> float:
        """Return the seconds of CPU time so far, of its children too."""
        return sum(sum(each.cpu_times()[:2]) for each in self._family())

    def memory(self) -> float:
        """Return the MiB that it has now."""
        return float(sum(each.memory_info().rss for each in self._family())) / 2**20

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def started(
    command: Sequence[str | Path], url: str, *, cwd: Path, environ: Mapping[str, str] | None = None
) -> Iterator[tuple[psutil.Process, float]]:
    """Start a process, wait until `url` answers 200, and kill it at the end."""
    began = time.perf_counter()
    with (cwd / "log").open("ab") as log:
        process = psutil.Popen(
            [*map(str, command)], cwd=cwd, env=os.environ | dict(environ or {}), stdout=log, stderr=log
        )
    try:
        while not _answers(url):
            if process.poll() is not None or time.perf_counter() - began > _START_SECONDS:
                raise RuntimeError(f"{command} did not start:\n{(cwd / 'log').read_text()[-2000:]}")
            time.sleep(0.01)
        yield psutil.Process(process.pid), time.perf_counter() - began
    finally:
        if process.poll() is None:
            for each in (*process.children(recursive=True), process):
                each.kill()
        process.wait()


def _answers(url: str) -> bool:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
    try:
        connection.request("GET", where.path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


# -- which ----------------------------------------------------------------------------------------------------------


@contextmanager
def agentbench(upstream: str, *, database: str | None = None) -> Iterator[Server]:
    """Serve in a home of its own; agents are called `mock-` and the model, or `spoken-`, which asks for responses."""
    port = free_port()
    endpoint = f"apiKey: key, baseURL: '{upstream}', titleConvo: false, models: {{default: [{', '.join(MODELS)}]}}"
    agents = "".join(
        f"  - {{id: {at}-{model}, endpoint: {at}, model: {model}}}\n" for at in ("mock", "spoken") for model in MODELS
    )
    config = (
        f"endpoints:\n  custom:\n    - {{name: mock, {endpoint}}}\n"
        f"    - {{name: spoken, useResponsesApi: true, {endpoint}}}\nagents:\n{agents}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "agentbench.yaml").write_text(config)
        command = [sys.executable, "-m", "agentbench", "serve", "--port", str(port), "--config", "agentbench.yaml"]
        environ = {
            "AGENTBENCH_HOME": str(folder / "home"),
            **({"AGENTBENCH_DATABASE_URL": database} if database else {}),
        }
        url = f"http://127.0.0.1:{port}"
        with started(command, f"{url}/health", cwd=folder, environ=environ) as (process, seconds):
            key = (folder / "log").read_text().splitlines()[1].split()[-1]
            headers = {"Authorization": f"Bearer {key}"}
            yield Server(process, f"{url}/api/agents/v1", headers, seconds, prefix="mock-")


@contextmanager
def litellm(upstream: str) -> Iterator[Server]:
    """Serve with LiteLLM's proxy, with no database."""
    port = free_port()
    rest = f"api_base: '{upstream}', api_key: key"
    models = "".join(
        f"  - model_name: {model}\n    litellm_params: {{model: openai/{model}, {rest}}}\n" for model in MODELS
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(f"model_list:\n{models}")
        program = str(_LITELLM / "bin" / "litellm")
        command = [program, "--config", "config.yaml", "--port", str(port), "--host", "127.0.0.1"]
        url = f"http://127.0.0.1:{port}"
        environ = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": "sk-measured"}
        with started(command, f"{url}/health/liveliness", cwd=folder, environ=environ) as (process, seconds):
            yield Server(process, f"{url}/v1", {"Authorization": "Bearer sk-measured"}, seconds)


# -- setting peers up -----------------------------------------------------------------------------------------------


def main() -> None:
    """Install the peers, each in a folder of its own."""
    for folder, package in ((_LITELLM, "litellm[proxy]"), (PEERS / "jupyter_ai_magics", "jupyter-ai-magics")):
        if not (folder / "bin").exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            subprocess.run([folder / "bin" / "pip", "install", "--quiet", package], check=True)


if __name__ == "__main__":
    main()
