"""`GET /api/balance`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx2
import pytest
from msgspec.structs import replace
from tests.runner.fakes import FakeProvider, catalog, runner_of

from agentbench.auth.principal import KERNEL
from agentbench.config.balance import BalanceRules, Refill
from agentbench.gateway.app import create_app
from agentbench.gateway.transports import AsyncInProcessTransport
from agentbench.storage import balances

if TYPE_CHECKING:
    from agentbench.auth.accounts import Accounts
    from agentbench.gateway.crossing import LoopThread
    from agentbench.runner import Runner
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio


@pytest.fixture
def runner(database: Database) -> Runner:
    """Give a runner whose users have two thousand and a half credits."""
    rules = BalanceRules(enabled=True, start=2_000_500_000)
    return runner_of(FakeProvider(), database, replace(catalog(), balance=rules))


async def ask(runner: Runner, credential: str | None = None) -> httpx2.Response:
    """Ask from outside."""
    headers = {"authorization": f"Bearer {credential}"} if credential else {}
    transport = httpx2.ASGITransport(create_app(runner))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=headers) as http:
        return await http.get("/api/balance")


async def credentials(accounts: Accounts, email: str) -> list[str]:
    """Add a user; return the token of a sign-in and a key."""
    user = await accounts.add_user(email)
    token, _ = await accounts.sessions.issue(user)
    key = await accounts.create_key(user.id, name="laptop")
    return [token.reveal(), key.secret.reveal()]


async def test_ones_own(runner: Runner, accounts: Accounts) -> None:
    """Whoever shows a sign-in or a key sees the balance of its account, and nobody else's."""
    for credential in await credentials(accounts, "ann@example.org"):
        answer = await ask(runner, credential)
        assert (answer.status_code, answer.json()) == (200, {"tokenCredits": 2000.5, "autoRefillEnabled": False})
    ann = await accounts.user("ann@example.org")
    await runner.purse.reserve(ann.id, 500_000)
    [token, _] = await credentials(accounts, "bob@example.org")
    assert (await ask(runner, token)).json()["tokenCredits"] == 2000.5
    token, _ = await accounts.sessions.issue(ann)
    assert (await ask(runner, token.reveal())).json()["tokenCredits"] == 2000


async def test_refills(runner: Runner, accounts: Accounts) -> None:
    """With refills it says how often, how much, and when the last was."""
    rules = replace(runner.catalog.balance, refill=Refill(every=2, unit="weeks"))
    runner.use(replace(runner.catalog, balance=rules))
    token, _ = await credentials(accounts, "ann@example.org")
    told = {
        "tokenCredits": 2000.5,
        "autoRefillEnabled": True,
        "refillIntervalValue": 2,
        "refillIntervalUnit": "weeks",
        "refillAmount": 10_000,
    }
    assert (await ask(runner, token)).json() == told | {"lastRefill": None}
    ann = await accounts.user("ann@example.org")
    held = await runner.purse.reserve(ann.id, 1)
    await runner.database.write(partial(balances.settle, user=ann.id, reservation=held, charge=0))
    last = datetime.fromisoformat((await ask(runner, token)).json()["lastRefill"])
    assert timedelta(0) <= datetime.now(UTC) - last < timedelta(minutes=1)


async def test_off(runner: Runner, accounts: Accounts) -> None:
    """Where no call is paid from a balance, there is none to show."""
    runner.use(replace(runner.catalog, balance=BalanceRules()))
    token, _ = await credentials(accounts, "ann@example.org")
    answer = await ask(runner, token)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "balances_off")


async def test_nobody(runner: Runner) -> None:
    """Without a credential it is 401."""
    assert (await ask(runner)).status_code == 401


async def test_at_the_kernel(runner: Runner, loop: LoopThread) -> None:
    """There no credential is needed."""
    transport = AsyncInProcessTransport(loop, lambda: create_app(runner), KERNEL)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway.invalid") as http:
        assert (await http.get("/api/balance")).json()["tokenCredits"] == 2000.5
