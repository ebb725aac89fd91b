"""Clients of the API in this process, and a gateway on a port in front of a scripted Ollama."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import ollama
import pytest
from anyio.from_thread import start_blocking_portal
from tests.providers.upstream import Upstream

from agentbench import Workbench
from agentbench.auth.accounts import Accounts
from agentbench.storage import usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.storage.usage import UsageRow

IN_PROCESS = "http://in-process/ollama"


@pytest.fixture
def own(bench: Workbench) -> Iterator[ollama.Client]:
    """Give Ollama's client, talking to the gateway in this process, behind which there is no Ollama."""
    with ollama.Client(host=IN_PROCESS, transport=bench.transport()) as client:
        yield client


@pytest.fixture
def raw(bench: Workbench) -> Iterator[httpx2.Client]:
    """Give a bare client of the same."""
    with httpx2.Client(base_url=IN_PROCESS, transport=bench.transport()) as client:
        yield client


@pytest.fixture(scope="module")
def scripted() -> Iterator[Upstream]:
    """Give the scripted Ollama, on a loop of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Upstream()) as upstream:
        yield upstream


class Served(NamedTuple):
    """A workbench, the gateway's address, keys of an administrator and a user, and the first's client."""

    bench: Workbench
    url: str
    key: str
    user_key: str
    client: ollama.Client

    def http(self, key: str | None = None) -> httpx2.Client:
        """Return a bare client."""
        return httpx2.Client(base_url=self.url, headers={"authorization": f"Bearer {key or self.key}"})

    def rows(self) -> list[UsageRow]:
        """Return the ledger."""
        return self.bench._database.read_now(usage.rows)


@pytest.fixture(scope="module")
def served(scripted: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a gateway in front of the scripted Ollama, whose models everybody may name."""
    settings: dict[str, Any] = {
        "interface": {"remoteAgents": {"use": True, "models": True}},
        "endpoints": {
            "ollama": {"baseURL": scripted.url, "apiKey": "the-operators-own-key", "headers": {"x-team": "blue"}},
        },
    }
    with Workbench(settings, home=tmp_path_factory.mktemp("home")) as bench:
        server, accounts = bench.serve(port=0), Accounts(bench._database)
        call = bench._open_loop().portal.call
        user = call(accounts.add_user, "user@example.com")

        async def user_key() -> str:
            return (await accounts.create_key(user.id, name="user")).secret.reveal()

        url, key = f"{server.url}/ollama", bench.create_key("admin").secret.reveal()
        with ollama.Client(host=url, headers={"Authorization": f"Bearer {key}"}) as client:
            yield Served(bench, url, key, call(user_key), client)


@pytest.fixture
def far(scripted: Upstream) -> Upstream:
    """Give the scripted Ollama without a past."""
    scripted.requests.clear()
    scripted.answers.clear()
    scripted.client_left.clear()
    return scripted
