"""Who gets in at the addresses of assistants: whoever may use agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from tests.gateway.outside import OPEN, outsider, token_of

from agentbench.config import RemoteAccess

if TYPE_CHECKING:
    from agentbench.auth.accounts import Accounts
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio
BASES = ("/api/assistants/v2", "/api/agents/v1")


@pytest.mark.parametrize("base", BASES)
async def test_without_a_credential(database: Database, base: str) -> None:
    """Nobody gets in, and reads so in OpenAI's shape."""
    async with outsider(database) as http:
        for method, path in (("GET", "assistants"), ("POST", "threads/runs"), ("GET", "nope")):
            answer = await http.request(method, f"{base}/{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "missing_api_key")


@pytest.mark.parametrize("base", BASES)
async def test_without_the_right(database: Database, accounts: Accounts, base: str) -> None:
    """A user needs the right to use agents."""
    token = await token_of(accounts)
    for access, status in ((RemoteAccess(use=False), 403), (OPEN, 200)):
        async with outsider(database, access, token) as http:
            for path in ("assistants", "models"):
                assert (await http.get(f"{base}/{path}")).status_code == status


async def test_where_keys_count(database: Database, accounts: Accounts) -> None:
    """Either address is allowed to keys by its own name."""
    user = await accounts.add_user("ann@example.org")
    key = (await accounts.create_key(user.id, name="k")).secret.reveal()
    for allowed in BASES:
        async with outsider(database, replace(OPEN, allowed_endpoints=(allowed,)), key) as http:
            statuses = {base: (await http.get(f"{base}/assistants")).status_code for base in BASES}
        assert statuses == {base: 200 if base == allowed else 403 for base in BASES}
