"""Serving from this process: who is let in and until when, and how a server on the workbench's loop ends."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.runner.fakes import FakeProvider, runner_of

from agentbench import Workbench
from agentbench.__main__ import main
from agentbench.auth.accounts import Accounts
from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest
from agentbench.gateway import serve
from agentbench.gateway.serve import Door
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

CONFIG: dict[str, Any] = {
    "endpoints": {"scripted": {"models": {"m": [{"text": "one two"}], "slow": [{"text": "one "}, {"wait": 60}]}}},
    "agents": [{"id": "bot", "endpoint": "scripted"}, {"id": "slow", "endpoint": "scripted", "model": "slow"}],
}
API = "/api/agents/v1"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench."""
    with Workbench(CONFIG) as bench:
        yield bench


@pytest.fixture
def http(bench: Workbench) -> Iterator[httpx2.Client]:
    """Give a client with a key of the served workbench."""
    server = bench.serve(port=0)
    key = bench._loop.portal.call(Accounts(bench._database).first_key)
    assert key is not None
    headers = {"authorization": f"Bearer {key.secret.reveal()}"}
    with httpx2.Client(base_url=server.url, headers=headers) as http:
        yield http


def events_of(lines: Iterator[str]) -> list[str]:
    """Return the names of the events of a stream."""
    return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]


# -- the door -------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent() -> list[Any]:
    """Give what is answered."""
    return []


@pytest.mark.anyio
async def test_the_door(tmp_path: Path, sent: list[Any]) -> None:
    """Shut, it turns new requests away, lets `/health` in, and waits until those inside are done."""
    inside, go = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        sent.append(scope["path"])
        if scope["path"] == "/slow":
            inside.set()
            await go.wait()

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    door = Door(app, runner_of(FakeProvider(), database))
    first = asyncio.create_task(door({"type": "http", "path": "/slow"}, receive, send))
    await inside.wait()
    shutting = asyncio.create_task(door.shut())
    await asyncio.sleep(0)
    await door({"type": "http", "path": "/health"}, receive, send)
    await door({"type": "http", "path": "/slow"}, receive, send)
    await door({"type": "websocket", "path": "/slow"}, receive, send)
    assert not shutting.done()
    go.set()
    await shutting
    assert first.done()
    seen, health, start, body, closed = sent
    assert (seen, health, start["status"]) == ("/slow", "/health", 503)
    assert dict(start["headers"])[b"retry-after"] == b"5"
    assert b"This server is stopping. Try again in a moment." in body["body"]
    assert closed == {"type": "websocket.close", "code": 1013}


@pytest.mark.anyio
async def test_a_request_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door waits for so long and no longer."""
    monkeypatch.setattr(serve, "_DRAIN", 0.1)

    async def app(*_: object) -> None:
        await asyncio.sleep(60)

    async def unused(*_: object) -> Any:
        raise AssertionError

    door = Door(app, runner_of(FakeProvider(), Database(f"sqlite:///{tmp_path / 'gateway.db'}")))
    request = asyncio.create_task(door({"type": "http", "path": "/"}, unused, unused))
    await asyncio.sleep(0)
    await asyncio.wait_for(door.shut(), 5)
    request.cancel()


# -- addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - what the warning is about
        ("::", False),
        ("10.0.0.1", False),
        ("gateway.example", False),
    ],
)
def test_is_loopback(host: str, expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Only addresses that other machines can't reach count."""
    assert serve.is_loopback(host) is expected


def test_an_address_of_another_machine() -> None:
    """It can't be had, which is told in one sentence."""
    with pytest.raises(InvalidRequest, match=r"^Can't listen on 192\.0\.2\.1, port 0: .*\. Choose another one: --port"):
        serve.bind("192.0.2.1", 0)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_that_is_none(port: int) -> None:
    """There are ports from 0 to 65535."""
    with pytest.raises(InvalidRequest, match=f"There is no port {port}\\."):
        serve.bind("127.0.0.1", port)


def test_nothing_waits_for_more() -> None:
    """What is written to a connection goes out at once: else each short answer takes 40 ms."""
    with serve.bind("127.0.0.1", 0) as sock, socket.create_connection(sock.getsockname()), sock.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """`agentbench serve` says so and exits with 1; no key was made meanwhile."""
    with serve.bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 1
    printed = capsys.readouterr()
    expected = (
        f"agentbench: Can't listen on 127.0.0.1, port {port}: Address already in use. Choose another one: --port.\n"
    )
    assert (printed.out, printed.err) == ("", expected)
    assert serve.first_key() is not None


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Serve nothing; give what would have been."""
    calls: list[tuple[str, int]] = []

    def run(application: str, sock: socket.socket, *, workers: int) -> None:
        calls.append((application, workers))
        sock.close()

    monkeypatch.setattr(serve, "run", run)
    return calls


def test_a_public_address(ran: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]) -> None:
    """One that other machines can reach is warned about."""
    assert main(["serve", "--host", "0.0.0.0", "--port", "0", "--workers", "3"]) == 0  # noqa: S104 - see above
    assert ran == [("agentbench.workbench:served_app", 3)]
    assert capsys.readouterr().err.startswith("WARNING: other machines can reach http://0.0.0.0:")


def test_an_address_of_this_machine(ran: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]) -> None:
    """One that only this machine can reach is not; the first key is shown once."""
    for _ in range(2):
        assert main(["serve", "--host", "::1", "--port", "0"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("agentbench listens on http://[::1]:") == 2
    assert printed.out.count("A first API key, shown this once: sk-") == 1


def test_keys_that_are_off(ran: list[tuple[str, int]], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Where the operator turned API keys off, none is made."""
    config = tmp_path / "agentbench.yaml"
    config.write_text("endpoints: {agents: {remoteApi: {auth: {apiKey: {enabled: false}}}}}")
    assert main(["serve", "--port", "0", "--config", str(config)]) == 0
    assert "sk-" not in capsys.readouterr().out
    assert ran


@pytest.mark.parametrize("workers", ["0", "-1", "two"])
def test_a_wrong_number_of_workers(workers: str) -> None:
    """It is a usage error."""
    with pytest.raises(SystemExit, match="2"):
        main(["serve", f"--workers={workers}"])


# -- on the workbench's loop ----------------------------------------------------------------------------------------


def test_served_from_the_kernel(bench: Workbench, http: httpx2.Client) -> None:
    """It answers whoever has a key, through the workbench's own runner."""
    answer = http.post(f"{API}/responses", json={"model": "bot", "input": "Hi"}).json()
    assert answer["status"] == "completed"
    assert list(bench.usage()["user"]) == [KERNEL.user]


def test_nobody_is_the_kernel(http: httpx2.Client) -> None:
    """Without a key there is nothing to have, whatever a request says of itself."""
    for forged in ({}, {"agentbench.principal": "kernel"}, {"authorization": "Bearer in-process"}):
        assert httpx2.get(f"{http.base_url}{API}/models".replace("//api", "/api"), headers=forged).status_code == 401


def test_only_one_server(bench: Workbench) -> None:
    """A second one is refused while the first runs."""
    first = bench.serve(port=0)
    with pytest.raises(InvalidRequest, match=f"served already, at {first.url}"):
        bench.serve(port=0)
    first.stop()
    first.stop()
    assert bench.serve(port=0).is_running


def test_stopping(bench: Workbench, http: httpx2.Client) -> None:
    """Streams of callers end as incomplete, the kernel's own go on, and the port is free."""
    kernels = bench.stream("Hi", agent="slow")
    kernels.read(5)
    with http.stream("POST", f"{API}/responses", json={"model": "slow", "input": "Hi", "stream": True}) as response:
        lines = response.iter_lines()
        next(lines)
        assert bench.server is not None
        bench.server.stop()
        assert events_of(lines)[-1] == "response.incomplete"
    assert kernels.response.status == "in_progress"
    assert not bench.server.is_running
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(bench.server.url)
    assert list(bench.usage()["status"]) == ["incomplete"]
    kernels.close()


def test_closing_the_workbench(bench: Workbench, http: httpx2.Client) -> None:
    """A workbench that closes stops its server, streams and all."""
    with http.stream("POST", f"{API}/responses", json={"model": "slow", "input": "Hi", "stream": True}) as response:
        lines = response.iter_lines()
        next(lines)
        begun = time.monotonic()
        bench.close()
        assert events_of(lines)[-1] == "response.incomplete"
    assert time.monotonic() - begun < 5
    with pytest.raises(httpx2.ConnectError):
        http.get("/health")


def _loops() -> int:
    return [thread.name for thread in threading.enumerate()].count("agentbench")


def test_a_workbench_that_nobody_holds() -> None:
    """Its server ends with it, and gives its port back."""
    bench = Workbench(CONFIG)
    address = ("127.0.0.1", httpx2.URL(bench.serve(port=0).url).port)
    before = _loops()
    socket.create_connection(address).close()
    del bench
    gc.collect()
    assert _loops() < before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_an_upstream_on_the_same_loop(bench: Workbench, http: httpx2.Client) -> None:
    """Callers and the kernel share one loop, and so one pool of connections to an upstream."""
    port = http.base_url.port
    key = http.headers["authorization"].removeprefix("Bearer ")
    custom = {
        "name": "behind",
        "baseURL": f"http://127.0.0.1:{port}{API}",
        "apiKey": key,
        "models": {"default": ["bot"]},
    }
    with Workbench({"endpoints": {"custom": [custom]}, "agents": [{"id": "front", "endpoint": "behind"}]}) as front:
        server = front.serve(port=0)
        body = {"model": "front", "input": "Hi"}
        served = httpx2.post(f"{server.url}{API}/responses", json=body, headers=http.headers, timeout=10).json()
        assert served["output"][0]["content"][0]["text"] == front.ask("Hi").output_text == "one two"
