"""The library of a runner: it embeds with the runner's embedder, and goes on with files when a server starts."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.retrieval.shelves import ANN, WordEmbedder, opened

from agentbench import Workbench
from agentbench.config.retrieval import NANO_E5
from agentbench.gateway.serve import ServedApp
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench.runner import Runner

pytestmark = pytest.mark.anyio
CONFIG: dict[str, Any] = {"endpoints": {"scripted": {"models": {"m": [{"text": "one"}]}}}}


async def served(runner: Runner, until: asyncio.Event) -> None:
    """Live through a server's start and end."""
    sent: list[Any] = []
    moments = iter((asyncio.sleep(0), until.wait()))

    async def receive() -> dict[str, str]:
        await next(moments)
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def app(*_: object) -> None:
        pytest.fail("nothing was asked")

    await ServedApp(app, runner, runner.aclose)({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_server_goes_on_with_what_is_left(home: Path) -> None:
    """A file that waits is processed once a server starts, by its workbench's embedder, without a request."""
    unable = WordEmbedder()
    unable.gate.clear()
    with closing(Database(home=home)) as database:
        async with opened(database, unable) as library:
            left = await library.add(ANN, "a.txt", b"A volcano.")
        with Workbench(CONFIG) as bench:
            ended = asyncio.Event()
            serving = asyncio.create_task(served(bench._runner, ended))
            async with asyncio.timeout(20):
                while (file := await library.file(ANN, left.id)).status != "completed":
                    assert file.status != "failed", file.error
                    await asyncio.sleep(0.05)
            ended.set()
            await serving
    assert (file.embedder, file.dimensions) == (NANO_E5, 384)


def test_a_workbench_processes_and_searches() -> None:
    """What a workbench's library completes in its loop is found by meaning, and closing the workbench ends it."""
    with Workbench(CONFIG) as bench:
        library = bench._runner.library

        async def first_hit(query: str) -> str:
            names = {"fox.txt": "Foxes live in forests.", "화산.md": "화산은 마그마가 분출하는 곳이다."}
            files = [await library.add(ANN, name, text.encode()) for name, text in names.items()]
            await library.wait(ANN, [each.id for each in files], within=20)
            found = await library.search(ANN, [query], files=[each.id for each in files])
            return found.hits[0].name

        assert bench._open_loop().portal.call(first_hit, "마그마는 어디서 나오나요?") == "화산.md"
