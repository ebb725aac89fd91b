"""Who comes to the gateway from outside, with or without a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
from msgspec.structs import replace
from tests.runner.fakes import FakeProvider, catalog, runner_of

from agentbench.config import RemoteAccess
from agentbench.gateway.app import create_app

if TYPE_CHECKING:
    from agentbench.auth.accounts import Accounts
    from agentbench.storage.database import Database

__all__ = ["OPEN", "outsider", "token_of"]

OPEN = RemoteAccess(use=True, create=True)


def outsider(database: Database, access: RemoteAccess = OPEN, credential: str | None = None) -> httpx2.AsyncClient:
    """Return a client from outside, for these rights and with this credential."""
    app = create_app(runner_of(FakeProvider(), database, replace(catalog(), remote=access)))
    headers = {"authorization": f"Bearer {credential}"} if credential else {}
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1", headers=headers)


async def token_of(accounts: Accounts, email: str = "ann@example.org", **fields: Any) -> str:
    """Add a user and sign them in, without the wait for a password's hash."""
    token, _ = await accounts.sessions.issue(await accounts.add_user(email, **fields))
    return token.reveal()
