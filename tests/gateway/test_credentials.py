"""Keys, sign-ins and tokens over HTTP: the right status, code, shape and headers, whoever asks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from msgspec.structs import replace
from tests.auth.issuer import AUDIENCE, issuer_on_loopback, rsa_key, signed
from tests.runner.fakes import FakeProvider, catalog, runner_of

from agentbench.auth.accounts import Accounts
from agentbench.config import Agent, Endpoint, Oidc, RemoteAccess
from agentbench.gateway.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from joserfc.jwk import RSAKey
    from tests.auth.issuer import Issuer

    from agentbench.storage.database import Database

    Client = Callable[..., httpx2.AsyncClient]

pytestmark = pytest.mark.anyio
API = "/api/agents/v1"
OPEN = RemoteAccess(use=True, create=True)
KNOWN = catalog(
    Endpoint(name="fake", provider="scripted", models=("m",)),
    agents=(Agent(id="guide", name="Guide", endpoint="fake"), Agent(id="cook", name="Cook", endpoint="fake")),
)


@pytest.fixture
def client(database: Database) -> Client:
    """Give a function that returns a client of the gateway with these rights and headers, coming in from outside."""

    def make(access: RemoteAccess = OPEN, **headers: str) -> httpx2.AsyncClient:
        app = create_app(runner_of(FakeProvider(), database, replace(KNOWN, remote=access)))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1", headers=named)

    return make


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


async def key_of(accounts: Accounts, email: str = "ann@example.org", **wish: Any) -> str:
    """Add a user, unless it is there, and make a key."""
    known = {user.email: user for user in await accounts.users()}
    user = known.get(email) or await accounts.add_user(email)
    return (await accounts.create_key(user.id, name="mine", **wish)).secret.reveal()


def shape(response: httpx2.Response) -> tuple[int, str, str]:
    """Return status, type and code of an error in OpenAI's shape."""
    error = response.json()["error"]
    assert list(error) == ["message", "type", "param", "code"]
    return response.status_code, error["type"], error["code"]


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   "])
async def test_a_key(accounts: Accounts, client: Client, scheme: str) -> None:
    """It is a bearer credential, in any case, and lists the agents but no models."""
    async with client(authorization=scheme + await key_of(accounts)) as http:
        listed = await http.get(f"{API}/models")
    assert [model["id"] for model in listed.json()["data"]] == ["guide", "cook"]


async def test_a_key_as_anthropic_clients_send_it(accounts: Accounts, client: Client) -> None:
    """`x-api-key` holds one too; and counts where `authorization` holds no bearer credential."""
    secret = await key_of(accounts)
    for headers in ({"x_api_key": secret}, {"x_api_key": secret, "authorization": "Basic eDp5"}):
        async with client(**headers) as http:
            assert (await http.get(f"{API}/models")).status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic eDp5", "", "sk-1"])
async def test_no_bearer(client: Client, header: str) -> None:
    """A header with no bearer credential is as good as none."""
    async with client(authorization=header) as http:
        assert shape(await http.get(f"{API}/models")) == (401, "authentication_error", "missing_api_key")


@pytest.mark.parametrize("credential", ["sk-" + "0" * 64, "nonsense", "a.b.c", "sk-\u00e9", "sk-1 sk-2"])
async def test_a_wrong_credential(client: Client, credential: str) -> None:
    """It is a 401 with a challenge, and isn't repeated."""
    async with client() as http:
        refused = await http.get(f"{API}/models", headers={"authorization": f"Bearer {credential}".encode()})
    assert shape(refused) == (401, "authentication_error", "invalid_api_key")
    assert refused.headers["www-authenticate"] == 'Bearer realm="agentbench", error="invalid_token"'
    assert credential not in refused.text


async def test_two_credentials(accounts: Accounts, client: Client) -> None:
    """A header that came twice is refused: who knows which of them counts."""
    secret = f"Bearer {await key_of(accounts)}"
    async with client() as http:
        refused = await http.get(f"{API}/models", headers=[("authorization", secret), ("authorization", secret)])
    assert shape(refused)[2] == "invalid_api_key"


async def test_a_line_break_in_a_header(accounts: Accounts, client: Client) -> None:
    """A credential with CR and LF in it is refused, and nothing of it comes back in a header."""
    secret = await key_of(accounts)
    async with client() as http:
        for text in (f"Bearer {secret}\r\nset-cookie: a=b", f"Bearer \r\n{secret[:-1]}"):
            refused = await http.get(f"{API}/models", headers={"authorization": text.encode()})
            assert refused.status_code == 401
            assert "set-cookie" not in refused.headers


async def test_expired_and_revoked(accounts: Accounts, client: Client) -> None:
    """Neither says more than that it isn't valid."""
    revoked = await key_of(accounts)
    expired = await key_of(accounts, expires_at=datetime.now(UTC) + timedelta(milliseconds=200))
    await asyncio.sleep(0.2)
    for each in await accounts.keys():
        if each.prefix == revoked[:8]:
            await accounts.revoke_key(each.id)
    texts = set()
    for secret in (expired, revoked, "sk-" + "0" * 64):
        async with client(authorization=f"Bearer {secret}") as http:
            refused = await http.get(f"{API}/models")
        assert shape(refused)[2] == "invalid_api_key"
        texts.add(refused.text)
    assert len(texts) == 1


async def test_a_limit(accounts: Accounts, client: Client) -> None:
    """Beyond it is 429 with the seconds to wait."""
    async with client(authorization=f"Bearer {await key_of(accounts, requests_per_minute=1)}") as http:
        await http.get(f"{API}/models")
        refused = await http.get(f"{API}/models")
    assert shape(refused) == (429, "rate_limit_error", "rate_limit_exceeded")
    assert refused.headers["retry-after"] in {"59", "60"}


async def test_no_right_to_use(accounts: Accounts, client: Client) -> None:
    """Users may not use the agents unless the operator says so; administrators may, unless he says no."""
    user = f"Bearer {await key_of(accounts)}"
    admin_user = await accounts.add_user("boss@example.org", role="ADMIN")
    admin = f"Bearer {(await accounts.create_key(admin_user.id, name='mine')).secret.reveal()}"
    found = []
    for access in (RemoteAccess(), RemoteAccess(use=True), RemoteAccess(use=False)):
        for credential in (user, admin):
            async with client(access, authorization=credential) as http:
                found.append((await http.get(f"{API}/models")).status_code)
    assert found == [403, 200, 200, 200, 403, 403]
    async with client(RemoteAccess(), authorization=user) as http:
        refused = await http.post(f"{API}/chat/completions", json={})
        assert shape(refused) == (403, "permission_error", "permission_denied")
        assert "Bearer" not in str(refused.headers)


@pytest.mark.parametrize("path", ["responses", "chat/completions", "messages"])
async def test_agents_of_a_key(accounts: Accounts, client: Client, path: str) -> None:
    """A key uses its own agents; another one and one that isn't there look the same."""
    secret = await key_of(accounts, agents=["guide"])
    question: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}], "input": "Hi", "max_tokens": 9}
    texts = []
    async with client(replace(OPEN, models=True), authorization=f"Bearer {secret}") as http:
        assert (await http.post(f"{API}/{path}", json=question | {"model": "guide"})).status_code == 200
        for model in ("cook", "nobody", "fake/m"):
            refused = await http.post(f"{API}/{path}", json=question | {"model": model})
            assert refused.status_code == 404
            texts.append(refused.json()["error"]["message"].replace(model, "NAME"))
        listed = await http.get(f"{API}/models")
    assert texts == ["There is no model 'NAME'. Known: guide."] * 3
    assert [model["id"] for model in listed.json()["data"]] == ["guide"]


async def test_models(accounts: Accounts, client: Client) -> None:
    """`endpoint/model` may be named only where the operator allows it."""
    credential = f"Bearer {await key_of(accounts)}"
    question = {"model": "fake/m", "input": "Hi"}
    statuses, listed = [], []
    for access in (OPEN, replace(OPEN, models=True)):
        async with client(access, authorization=credential) as http:
            statuses.append((await http.post(f"{API}/responses", json=question)).status_code)
            listed.append([model["id"] for model in (await http.get(f"{API}/models")).json()["data"]])
    assert statuses == [404, 200]
    assert listed == [["guide", "cook"], ["guide", "cook", "fake/m"]]


async def test_anthropic_shape(accounts: Accounts, client: Client) -> None:
    """Anthropic's clients get errors of this kind in their own shape too."""
    async with client() as http:
        missing = await http.post(f"{API}/messages", json={})
        wrong = await http.get(f"{API}/models", headers={"anthropic-version": "2023-06-01", "x-api-key": "nonsense"})
    async with client(RemoteAccess(), x_api_key=await key_of(accounts)) as http:
        forbidden = await http.post(f"{API}/messages", json={})
    found = [
        (each.status_code, each.json()["type"], each.json()["error"]["type"]) for each in (missing, wrong, forbidden)
    ]
    assert found == [
        (401, "error", "authentication_error"),
        (401, "error", "authentication_error"),
        (403, "error", "permission_error"),
    ]


async def test_tokens(accounts: Accounts, client: Client, issuer: Issuer, key: RSAKey) -> None:
    """A right token gets in; each wrong one has its status, code and challenge."""
    await accounts.add_user("ann@example.org")
    oidc = Oidc(issuer=issuer.url, audience=AUDIENCE, scopes=("agents.run",))
    cases = {
        signed(issuer, key, scope="agents.run"): (200, None),
        signed(issuer, key, aud="another"): (401, "invalid_api_key"),
        signed(issuer, key, exp=1): (401, "token_expired"),
        signed(issuer, key): (403, "insufficient_scope"),
        signed(issuer, key, scope="agents.run", sub="eve", email="eve@example.org"): (401, "invalid_api_key"),
    }
    found = {}
    async with client(replace(OPEN, oidc=oidc)) as http:
        for token in cases:
            answer = await http.get(f"{API}/models", headers={"authorization": f"Bearer {token}"})
            found[token] = (answer.status_code, answer.json().get("error", {}).get("code"))
            assert ("www-authenticate" in answer.headers) == (answer.status_code != 200)
            assert token not in answer.text
    assert found == cases


async def test_an_issuer_that_is_down(client: Client, issuer: Issuer, key: RSAKey) -> None:
    """It is 503, not 500."""
    issuer.status = 500
    async with client(replace(OPEN, oidc=Oidc(issuer=issuer.url, audience=AUDIENCE))) as http:
        refused = await http.get(f"{API}/models", headers={"authorization": f"Bearer {signed(issuer, key)}"})
    assert shape(refused) == (503, "service_unavailable", "jwks_unavailable")


async def test_what_nobody_foresaw(client: Client, monkeypatch: Any, caplog: Any) -> None:
    """A fault of ours while checking is a 500 in shape, with nothing of the credential; the log has the rest."""
    secret = "sk-" + "1" * 64

    async def broken(*_: object) -> None:
        raise LookupError

    monkeypatch.setattr(Accounts, "find_key", broken)
    async with client(authorization=f"Bearer {secret}") as http:
        refused = await http.get(f"{API}/models")
    assert shape(refused) == (500, "server_error", "server_error")
    assert secret not in refused.text + caplog.text
    assert "LookupError" in caplog.text


async def test_another_users_response(accounts: Accounts, client: Client) -> None:
    """Someone else's response and one that isn't there look the same, to read and to continue."""
    async with client(authorization=f"Bearer {await key_of(accounts)}") as http:
        made = (await http.post(f"{API}/responses", json={"model": "guide", "input": "Hi"})).json()["id"]
        assert (await http.get(f"{API}/responses/{made}")).status_code == 200
    found = []
    async with client(authorization=f"Bearer {await key_of(accounts, 'eve@example.org')}") as http:
        for response_id in (made, "resp_" + "0" * 32):
            read = await http.get(f"{API}/responses/{response_id}")
            body = {"model": "guide", "input": "Hi", "previous_response_id": response_id}
            follow = await http.post(f"{API}/responses", json=body)
            found.append([(each.status_code, each.text.replace(response_id, "ID")) for each in (read, follow)])
    assert found[0] == found[1]
    assert found[0][0][0] == 404


# -- cookies, and where keys count ------------------------------------------------------------------------------


async def test_which_credential_counts(accounts: Accounts, client: Client) -> None:
    """A bearer credential comes before the cookie `token`, and that before `x-api-key`."""
    right, wrong = await key_of(accounts), "sk-" + "0" * 64
    cases = [
        ({"authorization": f"Bearer {right}", "cookie": f"token={wrong}", "x_api_key": wrong}, 200),
        ({"authorization": "Basic eDp5", "cookie": f"a=b; token={right}", "x_api_key": wrong}, 200),
        ({"cookie": f"token={wrong}", "x_api_key": right}, 401),
        ({"cookie": "a=b", "x_api_key": right}, 200),
    ]
    for headers, status in cases:
        async with client(**headers) as http:
            assert (await http.get("/api/models")).status_code == status


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 401), ("cross-site", 401)]
)
async def test_a_cookie_for_another_page(accounts: Accounts, client: Client, site: str, status: int) -> None:
    """A page of another origin, be it another port of this machine, can't use the cookie."""
    async with client(cookie=f"token={await key_of(accounts)}", sec_fetch_site=site) as http:
        assert (await http.get("/api/models")).status_code == status


@pytest.mark.parametrize(("port", "status"), [("80", 200), ("81", 401)])
async def test_a_cookie_from_a_browser_that_names_the_origin_only(
    accounts: Accounts, client: Client, port: str, status: int
) -> None:
    """To http elsewhere browsers don't say whose page asks, but which origin it has."""
    origin = f"http://gateway.lan:{port}"
    async with client(cookie=f"token={await key_of(accounts)}", origin=origin, host="gateway.lan:80") as http:
        assert (await http.get("/api/models")).status_code == status


@pytest.mark.parametrize(
    "path", ["/api/models", "/api/v1/files", "/ollama/api/version", "/api/v1/auths", f"{API}/models"]
)
async def test_the_right_to_use(accounts: Accounts, client: Client, path: str) -> None:
    """Every API asks for the same right."""
    secret = f"Bearer {await key_of(accounts)}"
    found = []
    for access in (RemoteAccess(), OPEN):
        async with client(access, authorization=secret) as http:
            found.append((await http.get(path)).status_code)
    assert found == [403, 200]


async def test_where_keys_count(accounts: Accounts, client: Client) -> None:
    """An API key counts at the addresses that the operator names and all below them; a sign-in everywhere."""
    access = replace(OPEN, allowed_endpoints=("/api/models", f"{API}/"))
    paths = {
        "/api/models": 200,
        "/api/models/": 200,
        "/api/models/base": 403,
        "/api/modelsx": 403,
        "/api/version": 200,
        "/api/v1/models": 403,
        f"{API}/models": 200,
        "/ollama/api/tags": 403,
    }
    async with client(access, authorization=f"Bearer {await key_of(accounts)}") as http:
        answers = {path: await http.get(path) for path in paths}
    assert {path: answer.status_code for path, answer in answers.items()} == paths
    assert "API keys may not be used" in answers["/api/v1/models"].json()["detail"]
    token, _ = await accounts.sessions.issue(await accounts.user("ann@example.org"))
    async with client(access, authorization=f"Bearer {token.reveal()}") as http:
        assert (await http.get("/api/v1/models")).status_code == 200


async def test_keys_switched_off(accounts: Accounts, client: Client) -> None:
    """They are refused with the sentence that clients know."""
    async with client(replace(OPEN, api_keys=False), authorization=f"Bearer {await key_of(accounts)}") as http:
        answer = await http.get("/api/models")
    assert (answer.status_code, answer.json()) == (403, {"detail": "Use of API key is not enabled in the environment."})
