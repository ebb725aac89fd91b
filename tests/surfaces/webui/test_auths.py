"""Signing in as Open WebUI's clients do, and their one API key."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import jwt
import pytest
from msgspec.structs import replace
from tests.gateway.outside import OPEN, outsider, token_of

from agentbench.auth import accounts as attempts
from agentbench.auth.accounts import Accounts
from agentbench.config import RemoteAccess
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx2

    Client = Callable[..., httpx2.AsyncClient]

pytestmark = pytest.mark.anyio
ANN = {"email": "ann@example.org", "password": "long enough"}
AUTHS = "/api/v1/auths"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Give an empty database."""
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield database
    database.close()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    """Give the accounts."""
    return Accounts(database)


@pytest.fixture
def client(database: Database) -> Client:
    """Give a function that returns a client from outside, for these rights and with this credential."""
    return partial(outsider, database)


async def test_signing_in(accounts: Accounts, client: Client) -> None:
    """Email and password give a token under the names of Open WebUI, and the same as a cookie; both open the API."""
    ann = await accounts.add_user(ANN["email"], password=ANN["password"])
    async with client() as http:
        answer = await http.post(f"{AUTHS}/signin", json=ANN)
        told = answer.json()
        by_cookie = await http.get("/api/models")
        http.cookies.clear()
        by_token = await http.get("/api/models", headers={"authorization": f"bearer {told['token']}"})
        by_nothing = await http.get("/api/models")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert [answer.status_code for answer in (by_cookie, by_token, by_nothing)] == [200, 200, 401]
    assert (told["id"], told["email"], told["role"], told["token_type"]) == (ann.id, ann.email, "user", "Bearer")
    assert {"name", "profile_image_url", "permissions"} <= set(told)
    assert told["expires_at"] > datetime.now(UTC).timestamp() + 3600
    cookie = answer.headers["set-cookie"].lower()
    assert all(each in cookie for each in ("token=", "httponly", "path=/", "samesite=lax", "expires="))
    claims = jwt.decode(told["token"], options={"verify_signature": False})
    assert (claims["id"], jwt.get_unverified_header(told["token"])["alg"]) == (ann.id, "HS256")


async def test_a_wrong_password(accounts: Accounts, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong email and a wrong password get the very same 400; too many attempts 429."""
    monkeypatch.setattr(attempts, "SIGN_INS_PER_MINUTE", 1)
    await accounts.add_user(ANN["email"], password=ANN["password"])
    async with client() as http:
        known = await http.post(f"{AUTHS}/signin", json=ANN | {"password": "wrong one"})
        eve = [await http.post(f"{AUTHS}/signin", json=ANN | {"email": "eve@example.org"}) for _ in range(2)]
    assert (known.status_code, known.json()) == (400, {"detail": "The email or the password is wrong."})
    assert eve[0].json() == known.json()
    assert [answer.status_code for answer in eve] == [400, 429]
    assert int(eve[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize("body", [b"", b"[]", b'{"email": "a@b.c"}', b'{"email": 5, "password": "xxxx"}'])
async def test_no_sign_in(client: Client, body: bytes) -> None:
    """A body that doesn't say who signs in gets one sentence, and nothing of it is repeated."""
    async with client() as http:
        answer = await http.post(f"{AUTHS}/signin", content=body)
    assert (answer.status_code, answer.json()) == (422, {"detail": "Invalid authentication request."})


async def test_who_is_calling(accounts: Accounts, client: Client) -> None:
    """A sign-in and an API key are told whose they are; neither is repeated."""
    token = await token_of(accounts, role="ADMIN")
    ann = await accounts.user("ann@example.org")
    key = (await accounts.create_key(ann.id, name="laptop")).secret.reveal()
    for credential in (token, key):
        async with client(credential=credential) as http:
            answer = await http.get(f"{AUTHS}/")
        assert (answer.json()["id"], answer.json()["role"]) == (ann.id, "admin")
        assert credential not in answer.text


async def test_the_one_key(accounts: Accounts, client: Client) -> None:
    """Making a key revokes the one before and no other; it is shown once; deleting revokes it."""
    token = await token_of(accounts)
    ann = await accounts.user("ann@example.org")
    await accounts.create_key(ann.id, name="laptop")
    async with client(credential=token) as http:
        none = await http.get(f"{AUTHS}/api_key")
        first, second = [(await http.post(f"{AUTHS}/api_key")).json()["api_key"] for _ in range(2)]
        shown = await http.get(f"{AUTHS}/api_key")
        assert [await accounts.find_key(key) is not None for key in (first, second)] == [False, True]
        gone = await http.delete(f"{AUTHS}/api_key")
    assert (none.status_code, shown.status_code) == (404, 404)
    assert "shown once" in shown.json()["detail"]
    assert (gone.status_code, gone.json()) == (200, True)
    assert [key.name for key in await accounts.keys()] == ["laptop"]


async def test_keys_make_no_keys(accounts: Accounts, client: Client) -> None:
    """An API key neither makes nor deletes one, and without the right nobody makes one."""
    token = await token_of(accounts)
    ann = await accounts.user("ann@example.org")
    key = (await accounts.create_key(ann.id, name="api key")).secret.reveal()
    cases = [(OPEN, key), (RemoteAccess(use=True), token), (replace(OPEN, api_keys=False), token)]
    for access, credential in cases:
        async with client(access, credential) as http:
            assert (await http.post(f"{AUTHS}/api_key")).status_code == 403
    async with client(credential=key) as http:
        assert (await http.delete(f"{AUTHS}/api_key")).status_code == 403
    assert len(await accounts.keys()) == 1


async def test_signing_out(client: Client) -> None:
    """The cookie goes."""
    async with client() as http:
        answer = await http.post(f"{AUTHS}/signout")
    assert (answer.status_code, answer.json()) == (200, {"status": True})
    assert 'token=""' in answer.headers["set-cookie"]
