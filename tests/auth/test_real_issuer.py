"""A real issuer, nanoidp, on loopback: its discovery, its tokens, its rotation of keys."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx2
import msgspec
import pytest

from agentbench.auth.gate import Gate
from agentbench.auth.jwks import IssuerKeys
from agentbench.auth.oidc import OidcTokens
from agentbench.config.remote import Oidc, RemoteAccess
from agentbench.errors import InsufficientScope, NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.auth.accounts import Accounts

pytestmark = pytest.mark.anyio
STARTS_WITHIN_S = 60


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run nanoidp with one user and one client; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("nanoidp")
    url = f"http://127.0.0.1:{port}"
    client = {"client_id": "notebook", "client_secret": "made-up", "description": "tests"}
    settings = {
        "config_version": 1,
        "server": {"host": "127.0.0.1", "port": port},
        "oauth": {"issuer": url, "audience": "agents", "token_expiry_minutes": 5, "clients": [client]},
    }
    user = {"password": "made-up too", "email": "ann@example.org", "roles": ["USER"], "tenant": "default"}
    users = {"config_version": 1, "users": {"ann": user}}
    (folder / "settings.yaml").write_bytes(msgspec.json.encode(settings))  # JSON is YAML
    (folder / "users.yaml").write_bytes(msgspec.json.encode(users))
    command = [sys.executable, "-m", "nanoidp", "--config", str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=dict(os.environ))
        try:
            wait_for(url)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def wait_for(url: str) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"{url}/.well-known/openid-configuration").raise_for_status()
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("nanoidp doesn't answer")


def token_of(url: str, scope: str = "openid email profile") -> str:
    """Get an access token for the user; nanoidp puts no email into it, but what it is asked to add."""
    form = {"grant_type": "password", "username": "ann", "password": "made-up too", "scope": scope}
    form["extra"] = '{"upn": "ann@example.org"}'
    answer = httpx2.post(f"{url}/token", data=form, auth=("notebook", "made-up"))
    return str(answer.raise_for_status().json()["access_token"])


async def test_its_token(url: str, accounts: Accounts) -> None:
    """Its access token lets its user in, whom the operator has added."""
    ann = await accounts.add_user("ann@example.org")
    gate = Gate(RemoteAccess(oidc=Oidc(issuer=url, audience="agents")), accounts)
    principal = await gate.admit(token_of(url))
    assert (principal.user, principal.remote, principal.signed_in, principal.key) == (ann.id, True, False, None)


async def test_its_rotation(url: str) -> None:
    """After it has changed its key, old and new tokens are good, and the first new one makes us look again."""
    now = [0.0]
    oidc = Oidc(issuer=url, audience="agents")
    tokens = OidcTokens(oidc, IssuerKeys(oidc, clock=lambda: now[0]))
    old = token_of(url)
    await tokens.bearer(old)
    httpx2.post(f"{url}/api/keys/rotate").raise_for_status()
    new = token_of(url)
    with pytest.raises(NotAuthenticated):
        await tokens.bearer(new)  # it was asked a moment ago
    now[0] += 10
    assert (await tokens.bearer(new)).subject == (await tokens.bearer(old)).subject


async def test_its_token_elsewhere(url: str) -> None:
    """It is refused where another audience is wanted, and lacks a scope that it wasn't given."""
    with pytest.raises(NotAuthenticated):
        await OidcTokens(Oidc(issuer=url, audience="another")).bearer(token_of(url))
    with pytest.raises(InsufficientScope):
        await OidcTokens(Oidc(issuer=url, audience="agents", scopes=("agents.run",))).bearer(token_of(url))
