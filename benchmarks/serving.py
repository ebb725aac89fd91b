"""What an answer over HTTP costs the server: agentbench's, LiteLLM's, and one that hands bytes on unread.

All stand before the same mock upstream, and are asked in turns by a client on raw sockets, so that what is measured is
the server. `python -m benchmarks.servers` installs LiteLLM; without it, it is left out.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks import servers
from benchmarks.figures import Figure, interleaved
from benchmarks.servers import Server, free_port, started
from benchmarks.upstream import upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["measure"]

_CHUNKS = 2000
_AT_ONCE = 32
_MICRO, _MILLI = 1e6, 1e3
_OURS, _LITELLM, _FORWARDER, _DIRECT = "agentbench", "LiteLLM", "uvicorn and httpx2", "direct"
_FORWARDERS_PART = 0.35  # 0.6 of what the cheapest gateway takes that hands bytes on, Portkey, itself 0.58 of this one


def measure(*, short: bool) -> list[Figure]:
    """Return the figures; the short form asks less often, and no peers."""
    with ExitStack() as stack:
        base_url = stack.enter_context(upstream())
        found = {_OURS: stack.enter_context(servers.agentbench(base_url))}
        idle = found[_OURS].memory()
        if not short and (servers.PEERS / "litellm").exists():
            found[_LITELLM] = stack.enter_context(servers.litellm(base_url))
        found[_FORWARDER] = stack.enter_context(_forwarder(base_url))
        direct = Server(found[_OURS].process, base_url, {"Authorization": "Bearer key"}, 0.0)
        figures = [*_streams(found, rounds=2 if short else 6), *_many(found, calls=96 if short else 320)]
        if not short:
            figures += [*_firsts({**found, _DIRECT: direct}), *_footprint(found, idle)]
        return figures


# -- what is measured -----------------------------------------------------------------------------------------------


def _streams(found: dict[str, Server], *, rounds: int) -> list[Figure]:
    """CPU of the server a chunk, one stream at a time."""
    targets = {name: partial(_streamed, server, "chat/completions") for name, server in found.items()}
    targets["responses"] = partial(_streamed, found[_OURS], "responses", prefix="spoken-")
    cost = interleaved(targets, rounds=rounds)
    figure = partial(Figure, unit="µs/chunk", of=_FORWARDER, base=cost[_FORWARDER])
    figures = [
        figure(name="served, chat: CPU", value=cost[_OURS], limit=_FORWARDERS_PART, steady=True),
        figure(name="served, responses: CPU", value=cost["responses"], limit=_FORWARDERS_PART, steady=True),
    ]
    if _LITELLM in found:
        figures.append(figure(name="served, chat: CPU of LiteLLM", value=cost[_LITELLM]))
    return figures


def _many(found: dict[str, Server], *, calls: int) -> list[Figure]:
    """Answers a second and CPU an answer, with 32 callers at once."""
    rates = interleaved({name: partial(_rate, server, calls) for name, server in found.items()}, rounds=3)
    cpu = interleaved({name: partial(_cpu_a_call, server, calls) for name, server in found.items()}, rounds=3)
    peer = _LITELLM if _LITELLM in found else _FORWARDER
    limit = 20 if peer == _LITELLM else None
    return [
        Figure(
            name="served, 32 at once",
            value=rates[_OURS],
            unit="req/s",
            of=peer,
            base=rates[peer],
            limit=limit,
            more_is_better=True,
        ),
        Figure(
            name="served, 32 at once: CPU",
            value=cpu[_OURS],
            unit="µs/call",
            of=_FORWARDER,
            base=cpu[_FORWARDER],
            steady=True,
        ),
    ]


def _firsts(found: dict[str, Server]) -> list[Figure]:
    """How much later the first text comes than straight from the upstream."""
    times = interleaved({name: partial(_first, server) for name, server in found.items()}, rounds=40)
    later = {name: value - times[_DIRECT] for name, value in times.items()}
    ours = Figure(name="served, first text after direct", value=later[_OURS], unit="ms", limit=2)
    return [
        ours,
        *(
            Figure(name=f"served, first text after direct, {name}", value=later[name], unit="ms")
            for name in found
            if name not in (_OURS, _DIRECT)
        ),
    ]


def _footprint(found: dict[str, Server], idle: float) -> list[Figure]:
    ours = found[_OURS]
    figures = [
        Figure(name="served, memory when idle", value=idle, unit="MiB", limit=90),
        Figure(name="served, memory after all this", value=ours.memory(), unit="MiB"),
        Figure(name="served, start", value=ours.seconds, unit="s", limit=1.5),
    ]
    if _LITELLM in found:
        figures += [
            Figure(name="memory of LiteLLM", value=found[_LITELLM].memory(), unit="MiB"),
            Figure(name="start of LiteLLM", value=found[_LITELLM].seconds, unit="s"),
        ]
    return figures


def _streamed(server: Server, path: str, *, prefix: str = "") -> float:
    began = server.cpu()
    for _ in range(3):
        asyncio.run(_ask(server, path, f"chunks-{_CHUNKS}", stream=True, prefix=prefix))
    return (server.cpu() - began) / 3 / _CHUNKS * _MICRO


def _rate(server: Server, calls: int) -> float:
    began = time.perf_counter()
    asyncio.run(_calls(server, calls))
    return calls / (time.perf_counter() - began)


def _cpu_a_call(server: Server, calls: int) -> float:
    began = server.cpu()
    asyncio.run(_calls(server, calls))
    return (server.cpu() - began) / calls * _MICRO


def _first(server: Server) -> float:
    return asyncio.run(_ask(server, "chat/completions", "chunks-20", stream=True)) * _MILLI


# -- the client -----------------------------------------------------------------------------------------------------


async def _calls(server: Server, calls: int) -> None:
    """Ask so often, on 32 connections that are kept."""

    async def worker() -> None:
        reader, writer = await _connected(server)
        for _ in range(calls // _AT_ONCE):
            writer.write(_request(server, "chat/completions", "chunks-1", stream=False))
            await _read_answer(reader)
        writer.close()

    await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))


async def _ask(server: Server, path: str, model: str, *, stream: bool, prefix: str = "") -> float:
    """Ask once; return after how many seconds the answer's first text came."""
    reader, writer = await _connected(server)
    began = time.perf_counter()
    writer.write(_request(server, path, model, stream=stream, prefix=prefix))
    seconds = await _read_answer(reader) - began
    writer.close()
    return seconds


async def _connected(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    where = urlsplit(server.base_url)
    return await asyncio.open_connection(where.hostname, where.port, limit=2**22)


def _request(server: Server, path: str, model: str, *, stream: bool, prefix: str = "") -> bytes:
    asked: dict[str, Any] = {"model": (prefix or server.prefix) + model, "stream": stream}
    asked |= {"input": "Hi"} if path == "responses" else {"messages": [{"role": "user", "content": "Hi"}]}
    body, where = json.dumps(asked).encode(), urlsplit(server.base_url)
    lines = [f"POST {where.path}/{path} HTTP/1.1", f"Host: {where.netloc}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in server.headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def _read_answer(reader: asyncio.StreamReader) -> float:
    """Read an answer to its end; return when its first text came."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 200 " not in head.partition(b"\r\n")[0]:
        raise RuntimeError((head + await reader.read(1000)).decode(errors="replace"))
    first = None
    if (at := head.lower().find(b"content-length:")) >= 0:
        await reader.readexactly(int(head[at + 15 :].partition(b"\r\n")[0]))
        return time.perf_counter()
    seen = b""
    while not seen.endswith(b"0\r\n\r\n"):
        piece = await reader.read(2**18)
        if not piece:
            raise RuntimeError("The answer broke off.")
        if first is None and b" the" in piece:
            first = time.perf_counter()
        seen = (seen + piece)[-16:]
    return first or time.perf_counter()


# -- the least that a server can do ---------------------------------------------------------------------------------

_APP = """
import os
import httpx2

client = httpx2.AsyncClient(base_url=os.environ["UPSTREAM"], headers={"authorization": "Bearer key"})

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    body, more = b"", True
    while more and scope["method"] == "POST":
        message = await receive()
        body, more = body + message["body"], message.get("more_body")
    if not body:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        return await send({"type": "http.response.body"})
    json = [(b"content-type", b"application/json")]
    async with client.stream("POST", scope["path"][3:], content=body, headers=dict(json)) as answer:
        kept = [each for each in answer.headers.raw if each[0].lower() in (b"content-type", b"content-length")]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        async for piece in answer.aiter_raw():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})
"""


@contextmanager
def _forwarder(base_url: str) -> Iterator[Server]:
    """Serve with uvicorn and httpx2, which hand bytes on unread, and nothing else."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        Path(name, "forwarder.py").write_text(_APP)
        command = [sys.executable, "-m", "uvicorn", "--port", str(port), "--log-level", "error", "forwarder:app"]
        with started(command, f"http://127.0.0.1:{port}/", cwd=Path(name), environ={"UPSTREAM": base_url}) as (
            process,
            s,
        ):
            yield Server(process, f"http://127.0.0.1:{port}/v1", {}, s)
