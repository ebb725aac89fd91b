"""A workbench whose models are scripts, and the openai SDK's clients of its assistants: in this process and served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from tests.surfaces.scripts import config

from agentbench import Workbench
from agentbench.surfaces import ASSISTANTS_API

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai.types.beta import Assistant, Thread


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    """Give the workbench."""
    settings: dict[str, Any] = config() | {"interface": {"remoteAgents": {"use": True, "models": True}}}
    with Workbench(settings, home=tmp_path_factory.mktemp("home")) as bench:
        yield bench


@pytest.fixture(scope="module", params=["in process", "served"])
def client(request: pytest.FixtureRequest, bench: Workbench) -> Iterator[openai.OpenAI]:
    """Give the SDK's client, which objects to anything that its types don't know."""
    if request.param == "in process":
        client = bench.openai()
    else:
        url = bench.server.url if bench.server else bench.serve(port=0).url
        key = bench.create_key("sdk").secret.reveal()
        client = openai.OpenAI(base_url=url + ASSISTANTS_API, api_key=key, max_retries=0)
    client._strict_response_validation = True
    with client:
        yield client


@pytest.fixture
def http(client: openai.OpenAI) -> httpx2.Client:
    """Give the bare client below the SDK's."""
    headers = {"authorization": f"Bearer {client.api_key}"}
    return httpx2.Client(transport=client._client._transport, base_url=client.base_url, headers=headers)


@pytest.fixture(scope="module")
def bot(client: openai.OpenAI) -> Assistant:
    """Give an assistant that greets."""
    return client.beta.assistants.create(model="scripted/text", name="bot", instructions="Be kind.")


@pytest.fixture
def thread(client: openai.OpenAI) -> Thread:
    """Give a thread in which someone said hello."""
    return client.beta.threads.create(messages=[{"role": "user", "content": "Hi"}])
