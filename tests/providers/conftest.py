"""Fixtures for the providers room: endpoints that look for their upstream on this machine only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from agentbench.config import Endpoint, Secret, Timeouts
from agentbench.providers import weights
from agentbench.providers.http import Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.providers.upstream import Upstream

REAL_SERVER = Path(__file__).with_name("real_server.py")


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as the notebook does."""
    return "asyncio"


@pytest.fixture(scope="module")
def llama() -> Iterator[str]:
    """Start llama.cpp's own server with the local model, and return its address."""
    command = [sys.executable, str(REAL_SERVER), str(weights.find())]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        line = next(line for line in server.stdout if "http://" in line)
        yield line[line.index("http://") :].strip()


@pytest.fixture
def endpoint() -> Endpoint:
    """Return an endpoint with a key, which nothing listens for."""
    return Endpoint(
        name="acme",
        provider="openai_chat",
        base_url="http://127.0.0.1:9/v1",
        api_key=Secret("k3y-of-acme-0123456789"),
        models=("small",),
        origin="environment variable ACME_API_KEY",
    )


@pytest.fixture
def hasty(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with a quarter of a second for everything."""
    return msgspec.structs.replace(endpoint, timeouts=Timeouts(connect=0.25, first_byte=0.25, silence=0.25))


@pytest.fixture
def waits() -> list[float]:
    """Return the seconds that `http` was to wait before it sent a request again."""
    return []


@pytest.fixture
async def http(waits: list[float]) -> AsyncIterator[Http]:
    """Return a client that notes its waits instead of waiting."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    client = Http(sleep=sleep)
    yield client
    await client.aclose()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """Return a server that answers as its test says."""
    from tests.providers.upstream import Upstream

    async with Upstream() as server:
        yield server
