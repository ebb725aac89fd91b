"""A workbench on scripts, and the clients that reach its gateway in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.surfaces.scripts import config

from agentbench import Workbench
from agentbench.auth.principal import KERNEL
from agentbench.gateway.clients import IN_PROCESS_URL
from agentbench.gateway.transports import InProcessTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import openai
    from tests.runner.fakes import FakeProvider


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, as notebooks do."""
    return "asyncio"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Give a workbench whose models are scripts."""
    with Workbench(config(), home=tmp_path_factory.mktemp("home")) as bench:
        yield bench


@pytest.fixture
def http(bench: Workbench) -> Iterator[httpx2.Client]:
    """Give a bare client of the gateway."""
    transport = InProcessTransport(bench._loop, lambda: bench.app, KERNEL)
    with httpx2.Client(transport=transport, base_url=f"{IN_PROCESS_URL}/") as http:
        yield http


@pytest.fixture
def client(bench: Workbench) -> Iterator[openai.OpenAI]:
    """Give the openai SDK's client, which objects to anything that its types don't know."""
    with bench.openai() as client:
        client._strict_response_validation = True
        yield client


@pytest.fixture
def upstream(bench: Workbench) -> Iterator[Callable[[FakeProvider], FakeProvider]]:
    """Give a function that puts a fake in place of the scripts, for this test."""
    made: Any = bench._providers._made

    def put(provider: FakeProvider) -> FakeProvider:
        made["scripted"] = provider
        return provider

    yield put
    made.clear()
