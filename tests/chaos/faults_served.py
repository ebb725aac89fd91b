"""The same faults behind `agentbench serve`, through each of its surfaces, as a stream and whole."""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import msgspec
import psutil
from tests.chaos.driving import CANARY, Case, audited, configured

from agentbench.protocol.grammar import check, check_chat

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SURFACES", "Server", "drive_served", "leaks", "served"]

_ASKED = [{"role": "user", "content": "Hi"}]
SURFACES: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/api/agents/v1/chat/completions", {"messages": _ASKED}),
    "responses": ("/api/agents/v1/responses", {"input": "Hi"}),
    "anthropic": ("/api/agents/v1/messages", {"messages": _ASKED, "max_tokens": 1000}),
    "webui": ("/api/chat/completions", {"messages": _ASKED}),
}
"""Where each is, and what asks it."""


class Server(NamedTuple):
    """A server process, its address, a key for it, and where its data lies."""

    process: psutil.Process
    url: str
    key: str
    home: Path


@contextmanager
def served(upstream: str) -> Iterator[Server]:
    """Give a server whose endpoints are the chaos upstream."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = configured(upstream, seconds=60) | {"interface": {"remoteAgents": {"models": True}}}
        (folder / "agentbench.yaml").write_bytes(msgspec.json.encode(config))
        command = [sys.executable, "-m", "agentbench", "serve", "--port", "0", "--config", "agentbench.yaml"]
        environ = os.environ | {"AGENTBENCH_HOME": str(folder / "home")}
        with (
            (folder / "log").open("w") as log,
            subprocess.Popen(
                command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=log, text=True
            ) as process,
        ):
            try:
                assert process.stdout is not None
                url = process.stdout.readline().removeprefix("agentbench listens on ").partition(",")[0]
                key = process.stdout.readline().split()[-1]
                yield Server(psutil.Process(process.pid), url, key, folder / "home")
            finally:
                process.terminate()


async def drive_served(server: Server, cases: list[Case], *, width: int = 32) -> list[str]:
    """Ask for all cases, each on the next surface, so many at once; return what went wrong."""
    lost: list[str] = []
    ways = itertools.cycle(itertools.product(SURFACES, (True, False)))
    waiting = iter(cases)
    headers = {"authorization": f"Bearer {server.key}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=90) as client:

        async def work() -> None:
            for case in waiting:
                surface, streams = next(ways)
                try:
                    wrong = await _ask(client, case, surface, streams=streams)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is a loss
                    wrong = f"{type(error).__name__}: {error}"
                if wrong:
                    lost.append(f"{case}, {surface}{' streamed' * streams}: {wrong}"[:400])

        async with asyncio.TaskGroup() as group:
            for _ in range(width):
                group.create_task(work())
    return lost + audited(server.home, cases)


async def _ask(client: httpx2.AsyncClient, case: Case, surface: str, *, streams: bool) -> str:
    path, body = SURFACES[surface]
    answer = await client.post(path, json={"model": case.model, "stream": streams, **body})
    if CANARY in answer.text:
        return "the key is in the answer"
    if answer.status_code != httpx2.codes.OK:
        return _refused(case, answer)
    if not streams:
        return "" if isinstance(answer.json(), dict) else "not an object"
    return _ENDS[surface](answer.text)


def _refused(case: Case, answer: httpx2.Response) -> str:
    told = answer.text
    answer.json()
    if answer.status_code < httpx2.codes.BAD_REQUEST or answer.status_code == httpx2.codes.INTERNAL_SERVER_ERROR:
        return f"{answer.status_code}: {told}"
    if case.ending == "whole":
        return f"should be whole: {answer.status_code}: {told}"
    return "" if "error" in told or "detail" in told else f"no error: {told}"


# -- how each stream must end ------------------------------------------------------------------------------------------


def _data(text: str) -> list[Any]:
    found = [line.removeprefix("data:").strip() for line in text.split("\n") if line.startswith("data:")]
    return [each if each == "[DONE]" else msgspec.json.decode(each) for each in found]


def _chat_ends(text: str) -> str:
    return "; ".join(each.message for each in check_chat(_data(text)))


def _responses_ends(text: str) -> str:
    return "; ".join(each.message for each in check([each for each in _data(text) if each != "[DONE]"]))


def _anthropic_ends(text: str) -> str:
    kinds = [each["type"] for each in _data(text)]
    ends = [kind for kind in kinds if kind in ("message_stop", "error")]
    return "" if len(ends) == 1 and kinds[-1] == ends[0] else f"ends in {kinds[-3:]}"


_ENDS = {"chat": _chat_ends, "responses": _responses_ends, "anthropic": _anthropic_ends, "webui": _chat_ends}


# -- what the process holds --------------------------------------------------------------------------------------------


def leaks(server: Server, before: tuple[int, int], *, spare: int = 8, seconds: float = 10) -> list[str]:
    """Return what the server holds more than before, files and threads, which have so many seconds to go."""
    until = time.monotonic() + seconds
    while True:
        files, threads = server.process.num_fds(), server.process.num_threads()
        lost = [f"{files} files, were {before[0]}"] * (files > before[0] + spare)
        lost += [f"{threads} threads, were {before[1]}"] * (threads > before[1])
        if not lost or time.monotonic() > until:
            return lost
        time.sleep(0.2)
