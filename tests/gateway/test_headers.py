"""Who calls the gateway is what its upstream is told."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import pytest
from msgspec.structs import replace
from tests.auth.issuer import AUDIENCE, issuer_on_loopback, rsa_key, signed
from tests.providers.upstream import Upstream, reply, stream

from agentbench.config import Catalog, Oidc, RemoteAccess, load
from agentbench.gateway.app import create_app
from agentbench.providers import Providers
from agentbench.runner import Runner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from joserfc.jwk import RSAKey
    from tests.auth.issuer import Issuer

    from agentbench.auth.accounts import Accounts
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

API = "/api/agents/v1"
HEADERS = {
    "X-Id": "{{LIBRECHAT_USER_ID}}",
    "X-Email": "{{LIBRECHAT_USER_EMAIL}}",
    "X-Name": "{{LIBRECHAT_USER_NAME}}",
    "X-Message": "{{LIBRECHAT_BODY_MESSAGEID}}",
    "X-Parent": "{{LIBRECHAT_BODY_PARENTMESSAGEID}}",
    "X-Token": "Bearer {{LIBRECHAT_OPENID_ACCESS_TOKEN}}",
}
ANSWER = b'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class Scene(NamedTuple):
    """The gateway and what is behind it."""

    http: httpx2.AsyncClient
    upstream: Upstream

    def told(self, place: int = -1) -> dict[str, str]:
        """Return the configured headers of a request that the upstream got."""
        lines = self.upstream.requests[place].decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")[1:]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return {name: headers[name.lower()] for name in HEADERS if name.lower() in headers}

    async def ask(self, credential: str, **more: Any) -> httpx2.Response:
        """Ask the agent."""
        body = {"model": "guide", "input": "Hi", **more}
        headers = {"authorization": f"Bearer {credential}"}
        return await self.http.post(f"{API}/responses", json=body, headers=headers)


@pytest.fixture(scope="module")
def key() -> RSAKey:
    """Give the issuer's key."""
    return rsa_key()


@pytest.fixture
def issuer(key: RSAKey) -> Iterator[Issuer]:
    """Run an issuer."""
    with issuer_on_loopback() as issuer:
        issuer.publish(key)
        yield issuer


def known(url: str, issuer: Issuer) -> Catalog:
    """Return a catalog of one endpoint and one agent, whose callers may come with a key or a token."""
    block = {"name": "up", "baseURL": url, "apiKey": "k", "models": ["m"], "headers": HEADERS}
    mine = {"name": "mine", "baseURL": url, "apiKey": "user_provided", "models": ["m"]}
    agents = [{"id": "guide", "endpoint": "up"}, {"id": "private", "endpoint": "mine"}]
    made = load({"endpoints": {"custom": [block, mine]}, "agents": agents}, {})
    oidc = Oidc(issuer=issuer.url, audience=AUDIENCE)
    return replace(made, remote=RemoteAccess(use=True, create=True, oidc=oidc, auto_provision=True))


@pytest.fixture
async def scene(database: Database, issuer: Issuer) -> AsyncIterator[Scene]:
    """Give the gateway, as callers from outside reach it."""
    providers = Providers()
    async with Upstream() as upstream:
        upstream.answers = [stream(ANSWER)]
        transport = httpx2.ASGITransport(create_app(Runner(known(upstream.url, issuer), providers, database)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            yield Scene(http, upstream)
        await providers.aclose()


@pytest.fixture
async def api_key(accounts: Accounts) -> str:
    """Give a key of a user's."""
    ann = await accounts.add_user("ann@example.org")
    return (await accounts.create_key(ann.id, name="mine")).secret.reveal()


async def test_a_key(scene: Scene, accounts: Accounts, api_key: str) -> None:
    """The upstream is told whose key it is, and which answer it makes; there is no token to send."""
    first = (await scene.ask(api_key)).json()
    ann = await accounts.user("ann@example.org")
    who = {"X-Id": ann.id, "X-Email": "ann@example.org", "X-Name": "ann"}
    assert scene.told() == who | {"X-Message": first["id"]}
    second = (await scene.ask(api_key, previous_response_id=first["id"])).json()
    assert scene.told() == who | {"X-Message": second["id"], "X-Parent": first["id"]}


async def test_a_token(scene: Scene, accounts: Accounts, issuer: Issuer, key: RSAKey) -> None:
    """The upstream is told whose token it is, and gets it."""
    token = signed(issuer, key, name="Ann 별")
    answer = await scene.ask(token)
    assert scene.told() == {
        "X-Id": (await accounts.user("ann@example.org")).id,
        "X-Email": "ann@example.org",
        "X-Name": "b64:QW5uIOuzhA==",
        "X-Message": answer.json()["id"],
        "X-Token": f"Bearer {token}",
    }


async def test_two_at_once(scene: Scene, api_key: str, issuer: Issuer, key: RSAKey) -> None:
    """Nobody's headers are anybody else's."""
    for credential in (api_key, signed(issuer, key, sub="bob-1", email="bob@example.org"), api_key):
        await scene.ask(credential)
    told = [(each["X-Email"], "X-Token" in each) for each in map(scene.told, range(3))]
    assert told == [("ann@example.org", False), ("bob@example.org", True), ("ann@example.org", False)]


async def test_a_token_that_ends(scene: Scene, issuer: Issuer, key: RSAKey) -> None:
    """It is refused before anything is sent."""
    answer = await scene.ask(signed(issuer, key, exp=int(time.time()) + 20))
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "token_expired")
    assert scene.upstream.requests == []


@pytest.mark.parametrize("claims", [{"name": "\r\nX-Token: forged"}, {"name": "{{LIBRECHAT_OPENID_ACCESS_TOKEN}}"}])
async def test_a_name_that_wants_more(scene: Scene, issuer: Issuer, key: RSAKey, claims: dict[str, str]) -> None:
    """A name in a token is just text."""
    await scene.ask(signed(issuer, key, **claims))
    assert scene.told()["X-Name"] == claims["name"].strip()
    assert scene.upstream.requests[0].lower().count(b"\r\nx-token:") == 1


async def test_an_echo(scene: Scene, api_key: str, issuer: Issuer, key: RSAKey) -> None:
    """An upstream that repeats what it was sent doesn't make it seen."""
    token = signed(issuer, key)
    scene.upstream.answers = [reply(400, f'{{"error":{{"message":"bad {token}"}}}}'.encode())]
    answer = await scene.ask(token)
    assert answer.status_code == 400
    assert "bad ****" in answer.text
    assert token not in answer.text


async def test_a_personal_endpoint(scene: Scene, api_key: str) -> None:
    """It isn't listed, and whoever names it is told why there is no answer."""
    listed = await scene.http.get(f"{API}/models", headers={"x-api-key": api_key})
    assert [each["id"] for each in listed.json()["data"]] == ["guide"]
    answer = await scene.ask(api_key, model="private")
    message = "mine answers only at the kernel, with the key of whoever sits there."
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)
    assert scene.upstream.requests == []
