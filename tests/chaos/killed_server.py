"""A server that is killed while clients stream from it over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx2
import msgspec
from tests.kill_streams import CONFIG

from agentbench import Workbench

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["acknowledged_by"]

STREAMS = 100
API = "/api/agents/v1"
SERVED = {**CONFIG, "agents": [{"id": "bot", "endpoint": "scripted", "model": "sky"}]}


def acknowledged_by(home: Path) -> set[str]:
    """Serve, kill the server at some moment; return the ids of the responses that clients saw complete."""
    with Workbench(CONFIG, home=home) as bench:
        key = bench.create_key("load").secret.reveal()
    config = home / "agentbench.yaml"
    config.write_bytes(msgspec.json.encode(SERVED))  # which is YAML too
    command = [sys.executable, "-m", "agentbench", "serve", "--port", "0", "--config", str(config)]
    environ = os.environ | {"AGENTBENCH_HOME": str(home)}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[3].rstrip(",")
        return asyncio.run(_load(url, key, process))
    finally:
        process.kill()
        process.communicate()


async def _load(url: str, key: str, process: subprocess.Popen[str]) -> set[str]:
    done: set[str] = set()
    limits = httpx2.Limits(max_connections=STREAMS)
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=30) as client:
        tasks = [asyncio.create_task(_ask(client, done)) for _ in range(STREAMS)]
        while not done and not any(task.done() for task in tasks):  # noqa: ASYNC110 - a set tells nobody
            await asyncio.sleep(0.01)
        await asyncio.sleep(random.uniform(0, 1.5))  # noqa: S311 - any moment will do
        process.kill()
        await asyncio.wait_for(asyncio.gather(*tasks), 10)  # raises what was refused
    return done


async def _ask(client: httpx2.AsyncClient, done: set[str]) -> None:
    """Ask again and again, until the server is gone."""
    body = {"model": "bot", "input": "Why is the sky blue?", "stream": True}
    with suppress(httpx2.HTTPError):
        while True:
            async with client.stream("POST", f"{API}/responses", json=body) as answer:
                if answer.status_code != httpx2.codes.OK:
                    raise AssertionError((await answer.aread()).decode())
                async for line in answer.aiter_lines():
                    if line.startswith('data: {"type":"response.completed"'):
                        done.add(json.loads(line[6:])["response"]["id"])
