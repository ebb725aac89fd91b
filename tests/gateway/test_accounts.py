"""Signing in, and one's own keys, over HTTP and in the kernel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from msgspec.structs import replace
from tests.auth.issuer import AUDIENCE, issuer_on_loopback, rsa_key, signed
from tests.gateway.outside import OPEN, outsider, token_of
from tests.runner.fakes import FakeProvider, runner_of

from agentbench.auth.principal import KERNEL
from agentbench.config import Oidc, RemoteAccess
from agentbench.gateway.app import create_app
from agentbench.gateway.transports import AsyncInProcessTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from agentbench.auth.accounts import Accounts
    from agentbench.gateway.crossing import LoopThread
    from agentbench.storage.database import Database

    Client = Callable[..., httpx2.AsyncClient]

pytestmark = pytest.mark.anyio
PASSWORD = "long enough"


@pytest.fixture
def client(database: Database) -> Client:
    """Give a function that returns a client from outside, for these rights and with this credential."""
    return partial(outsider, database)


async def test_signing_in(accounts: Accounts, client: Client) -> None:
    """Email and password give a token, which is kept by no cache and opens the API."""
    ann = await accounts.add_user("ann@example.org", password=PASSWORD)
    async with client() as http:
        answer = await http.post("/api/auth/login", json={"email": "ann@example.org", "password": PASSWORD})
        told = answer.json()
        opened = await http.get("/api/agents/v1/models", headers={"authorization": f"Bearer {told['token']}"})
    assert answer.headers["cache-control"] == "no-store"
    assert told["user"] == {"id": ann.id, "email": "ann@example.org", "role": "USER"}
    assert datetime.fromisoformat(told["expires_at"]) > datetime.now(UTC) + timedelta(hours=11)
    assert opened.status_code == 200


async def test_wrong_in_any_way(accounts: Accounts, client: Client) -> None:
    """A wrong email and a wrong password get the very same answer."""
    await accounts.add_user("ann@example.org", password=PASSWORD)
    answers = []
    async with client() as http:
        for email in ("ann@example.org", "eve@example.org"):
            answer = await http.post("/api/auth/login", json={"email": email, "password": "wrong one"})
            answers.append((answer.status_code, answer.text, answer.headers["www-authenticate"]))
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_too_many_attempts(client: Client) -> None:
    """The eleventh in a minute is 429, with the seconds to wait."""
    async with client() as http:
        body = {"email": "eve@example.org", "password": "wrong one"}
        answers = [await http.post("/api/auth/login", json=body) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 50 < int(answers[-1].headers["retry-after"]) <= 60


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"email": "a@b.c"}',
        b'{"email": 5, "password": "x"}',
        b'{"email": "a@b.c", "password": null}',
        b'{"email": "a@b.c", "password": "\\ud800"}',
        b'{"email": "a@b.c", "password": "x", "admin": true}',
        b'{"email": "' + b"a" * 300 + b'", "password": "x"}',
        b'{"email": "a@b.c", "password": "' + b"x" * 2000 + b'"}',
        b" " * 70_000,
    ],
    ids=lambda body: body[:40].decode(),
)
async def test_malformed(client: Client, body: bytes) -> None:
    """What isn't an email and a password is 400 in shape, and isn't repeated."""
    async with client() as http:
        answer = await http.post("/api/auth/login", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert "xxxx" not in answer.text


async def test_a_key_of_ones_own(accounts: Accounts, client: Client) -> None:
    """It is made, shown once, listed without what is secret, and revoked."""
    async with client(credential=await token_of(accounts)) as http:
        wish = {"name": "laptop", "agents": ["bot"], "expires_at": "2099-01-01T00:00:00Z", "requests_per_minute": 9}
        made = await http.post("/api/keys", json=wish)
        secret = made.json()["key"]
        listed = await http.get("/api/keys")
        assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
        assert listed.json()["keys"] == [{name: value for name, value in made.json().items() if name != "key"}]
        assert {name: made.json()[name] for name in wish} == wish
        used = await http.get("/api/agents/v1/models", headers={"authorization": f"Bearer {secret}"})
        gone = await http.delete(f"/api/keys/{made.json()['id']}")
        after = await http.get("/api/agents/v1/models", headers={"authorization": f"Bearer {secret}"})
    assert (used.status_code, gone.status_code, gone.content, after.status_code) == (200, 204, b"", 401)
    assert secret not in listed.text


@pytest.mark.parametrize(
    ("wish", "status", "param"),
    [
        ({}, 400, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, 400, "expires_at"),
        ({"name": "x", "expires_at": "2099-01-01T00:00:00"}, 400, "expires_at"),
        ({"name": "x", "expires_at": "soon"}, 400, "expires_at"),
        ({"name": "x", "agents": []}, 400, "agents"),
        ({"name": "x", "agents": ["nobody"]}, 404, "agents"),
        ({"name": "x", "agents": "bot"}, 400, "agents"),
        ({"name": "x", "requests_per_minute": 0}, 400, "requests_per_minute"),
        ({"name": "x", "requests_per_minute": 1.5}, 400, "requests_per_minute"),
        ({"name": "x", "user": "kernel"}, 400, None),
    ],
    ids=str,
)
async def test_wrong_wishes(
    accounts: Accounts, client: Client, wish: dict[str, Any], status: int, param: str | None
) -> None:
    """What a key can't have is refused by name."""
    async with client(credential=await token_of(accounts)) as http:
        answer = await http.post("/api/keys", json=wish)
    assert answer.status_code == status
    assert answer.json()["error"]["param"] == param or (wish == {} and "name" in answer.text)
    assert await accounts.keys() == []


async def test_the_right_to_create(accounts: Accounts, client: Client) -> None:
    """It takes both rights to make a key, and neither to look at or revoke one's own."""
    user = await token_of(accounts)
    admin = await token_of(accounts, "boss@example.org", role="ADMIN")
    cases = [
        (RemoteAccess(), user, 403),
        (RemoteAccess(use=True), user, 403),
        (RemoteAccess(create=True), user, 403),
        (OPEN, user, 201),
        (RemoteAccess(), admin, 201),
        (RemoteAccess(create=False), admin, 403),
    ]
    found = []
    for access, credential, _ in cases:
        async with client(access, credential) as http:
            found.append((await http.post("/api/keys", json={"name": "x"})).status_code)
            assert (await http.get("/api/keys")).status_code == 200
    assert found == [status for *_, status in cases]


async def test_keys_make_no_keys(accounts: Accounts, client: Client) -> None:
    """Neither does an issuer's token: what they made would outlive them. Nor do they list or revoke."""
    ann = await accounts.add_user("ann@example.org", role="ADMIN")
    made = await accounts.create_key(ann.id, name="mine")
    key = rsa_key()
    with issuer_on_loopback() as issuer:
        issuer.publish(key)
        access = replace(OPEN, oidc=Oidc(issuer=issuer.url, audience=AUDIENCE))
        for credential in (made.secret.reveal(), signed(issuer, key)):
            async with client(access, credential) as http:
                answers = [
                    await http.post("/api/keys", json={"name": "x"}),
                    await http.get("/api/keys"),
                    await http.delete(f"/api/keys/{made.key.id}"),
                ]
            assert [answer.status_code for answer in answers] == [403] * 3
    assert len(await accounts.keys()) == 1


async def test_another_users_key(accounts: Accounts, client: Client) -> None:
    """It isn't listed, and to revoke it is as if it weren't there."""
    ann = await accounts.add_user("ann@example.org")
    made = await accounts.create_key(ann.id, name="mine")
    async with client(credential=await token_of(accounts, "eve@example.org", role="ADMIN")) as http:
        answers = {each: await http.delete(f"/api/keys/{each}") for each in (made.key.id, "key_" + "0" * 32)}
        assert (await http.get("/api/keys")).json() == {"keys": []}
    assert {(answer.status_code, answer.text.replace(each, "ID")) for each, answer in answers.items()} == {
        (404, answers[made.key.id].text.replace(made.key.id, "ID"))
    }
    assert len(await accounts.keys()) == 1


async def test_the_kernels_own(accounts: Accounts, database: Database, loop: LoopThread) -> None:
    """In this process one makes keys without signing in; they see what the kernel made."""
    app = create_app(runner_of(FakeProvider(), database))
    transport = AsyncInProcessTransport(loop, lambda: app, KERNEL)
    async with httpx2.AsyncClient(transport=transport, base_url="http://agentbench.invalid") as http:
        made = await http.post("/api/keys", json={"name": "mine"})
    found = await accounts.find_key(made.json()["key"])
    assert found is not None
    assert (found[1].id, found[1].role) == (KERNEL.user, "ADMIN")
