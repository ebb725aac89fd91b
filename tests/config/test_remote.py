"""Who may reach the agents over HTTP, as the operator writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.config import Catalog, Oidc, RemoteAccess, load

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = """\
interface:
  remoteAgents: {use: true, create: false, share: true, public: false, models: true}
endpoints:
  agents:
    remoteApi:
      auth:
        apiKey: {enabled: false, allowedEndpoints: [/api/models]}
        autoProvision: true
        oidc:
          enabled: true
          issuer: https://login.example/realm/
          jwksUri: https://login.example/keys?app=1
          audience: agents
          scope: agents.run  agents.read
"""


def test_everything(loaded: Callable[..., Catalog]) -> None:
    """Each key becomes a field; an issuer loses the slash at its end."""
    assert loaded(FULL).remote == RemoteAccess(
        use=True,
        create=False,
        share=True,
        public=False,
        models=True,
        api_keys=False,
        allowed_endpoints=("/api/models",),
        oidc=Oidc(
            issuer="https://login.example/realm",
            audience="agents",
            jwks_uri="https://login.example/keys?app=1",
            scopes=("agents.run", "agents.read"),
        ),
        auto_provision=True,
    )


def test_nothing(loaded: Callable[..., Catalog]) -> None:
    """With no config, an empty one or empty blocks: keys count, tokens don't, and only administrators may."""
    blocks = "interface: {remoteAgents: }\nendpoints: {agents: {remoteApi: {auth: {oidc: {}}}}}"
    assert load(None, {}).remote == loaded("").remote == loaded(blocks).remote == RemoteAccess()


@pytest.mark.parametrize("word", ["false", "False", " 0", "off"])
def test_keys_that_the_environment_switches_off(word: str) -> None:
    """It can, whatever the config says."""
    assert not load(None, {"ENABLE_API_KEYS": word}).remote.api_keys
    assert load(None, {"ENABLE_API_KEYS": "true"}).remote.api_keys


def test_addresses_that_the_environment_names() -> None:
    """They count where it switches the restriction on; those of the config come first."""
    named = {"API_KEYS_ALLOWED_ENDPOINTS": "/api/models, /api/chat/completions,"}
    on = named | {"ENABLE_API_KEYS_ENDPOINT_RESTRICTIONS": "True"}
    written = {"endpoints": {"agents": {"remoteApi": {"auth": {"apiKey": {"allowedEndpoints": ["/x"]}}}}}}
    assert load(None, named).remote.allowed_endpoints is None
    assert load(None, on).remote.allowed_endpoints == ("/api/models", "/api/chat/completions")
    assert load(written, on).remote.allowed_endpoints == ("/x",)


def test_switched_off(loaded: Callable[..., Catalog]) -> None:
    """An issuer that isn't enabled doesn't count, however much is written about it."""
    assert loaded(FULL.replace("enabled: true", "enabled: false")).remote.oidc is None


@pytest.mark.parametrize("url", ["http://localhost:9", "http://127.0.0.1", "http://[::1]:9/x", "http://a.localhost"])
def test_issuers_on_this_machine(loaded: Callable[..., Catalog], url: str) -> None:
    """They may do without https."""
    found = loaded(FULL.replace("https://login.example/realm/", url)).remote.oidc
    assert found is not None
    assert found.issuer == url


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("[/api/models]", "[api]", "allowedEndpoints[0]: expected an address that begins with a slash"),
        ("issuer: https:", "issuer: http:", "oidc.issuer: expected https://; http:// only to this machine"),
        ("issuer: https://login", "issuer: http://localhost.login", "oidc.issuer: expected https://"),
        ("realm/", "realm?a=1", "oidc.issuer: expected an address without '?' and '#'"),
        ("realm/", "realm/x y", "oidc.issuer: expected a URL"),
        ("https://login.example/realm/", "login.example", "oidc.issuer: expected a URL"),
        ("https://login.example/realm/", "https://a:b@login.example", "oidc.issuer: expected a URL with no user name"),
        ("https://login.example/keys", "http://login.example/keys", "oidc.jwksUri: expected https://"),
        ("keys?app=1", "keys#1", "oidc.jwksUri: expected a URL"),
        ("run  agents", "run, agents", "oidc.scope: expected scopes with blanks between them"),
        ("audience: agents", "audience: ''", "oidc.audience: expected text that isn't empty"),
        ("          audience: agents\n", "", "oidc: 'enabled: true' needs both 'issuer' and 'audience'"),
        ("audience: agents", "audiense: agents", "audiense: unknown key. Did you mean 'audience'?"),
        ("use: true", "use: yes please", "remoteAgents.use: expected true or false, found text"),
        ("apiKey:", "apikey:", "apikey: unknown key. Did you mean 'apiKey'?"),
        ("remoteAgents:", "remoteAgent:", "remoteAgent: unknown key. Did you mean 'remoteAgents'?"),
    ],
)
def test_wrong(refused: Callable[..., str], right: str, wrong: str, said: str) -> None:
    """What is wrong is said with file, line and key."""
    assert right in FULL
    assert said in refused(FULL.replace(right, wrong))
