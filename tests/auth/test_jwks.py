"""An issuer's keys: how often it is asked, and what happens when it doesn't answer as it should."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey
from msgspec.structs import replace
from tests.auth.issuer import ec_key, rsa_key, signed

from agentbench.auth.jwks import LARGEST, IssuerKeys
from agentbench.auth.oidc import OidcTokens
from agentbench.errors import IssuerUnavailable, NotAuthenticated

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey
    from tests.auth.issuer import Issuer

    from agentbench.config.remote import Oidc

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


@pytest.fixture
def keys(oidc: Oidc, clock: Clock) -> IssuerKeys:
    """Give the issuer's keys, on that clock."""
    return IssuerKeys(oidc, clock=clock)


async def count(keys: IssuerKeys, kid: str | None = "one", algorithm: str = "RS256") -> int:
    """Return how many keys fit."""
    return len(await keys.find(kid, algorithm))


async def test_fetched_once(issuer: Issuer, keys: IssuerKeys) -> None:
    """Many requests at once ask the issuer once, through its discovery document."""
    assert await asyncio.gather(*(count(keys) for _ in range(20))) == [1] * 20
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_an_address_of_keys(issuer: Issuer, oidc: Oidc) -> None:
    """With `jwksUri` nothing is discovered."""
    assert await count(IssuerKeys(replace(oidc, jwks_uri=f"{issuer.url}/keys"))) == 1
    assert issuer.asked == ["/keys"]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("max-age=5", 60), ("max-age=120, public", 120), ("max-age=999999", 600), ("no-store", 600), ("", 600)],
)
async def test_how_long_they_are_kept(issuer: Issuer, keys: IssuerKeys, clock: Clock, said: str, seconds: int) -> None:
    """As long as the issuer says, but at least a minute and at most ten."""
    issuer.headers = {"cache-control": said}
    await keys.find("one", "RS256")
    clock.now += seconds - 0.5
    await keys.find("one", "RS256")
    assert issuer.fetches == 1
    clock.now += 1
    await keys.find("one", "RS256")
    assert issuer.fetches == 2


async def test_rotation(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    """A token that names a new key makes it look again, and find it."""
    await keys.find("one", "RS256")
    issuer.publish(rsa_key("two"))
    clock.now += 11
    assert await count(keys, "two") == 1
    assert await count(keys, "one") == 0


async def test_made_up_kids(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    """However many names forgers make up, the issuer is asked once in ten seconds."""
    for number in range(50):
        assert await count(keys, f"made-up-{number}") == 0
    assert issuer.fetches == 1
    clock.now += 10
    for number in range(50):
        assert await count(keys, f"made-up-{number}") == 0
    assert issuer.fetches == 2


async def test_down(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    """An issuer that is down makes it 503, and is left alone for ten seconds."""
    issuer.status = 500
    for _ in range(3):
        with pytest.raises(IssuerUnavailable, match="Try again") as caught:
            await count(keys)
    assert (caught.value.status, caught.value.code) == (503, "jwks_unavailable")
    assert len(issuer.asked) == 1
    issuer.status = 200
    clock.now += 10
    assert await count(keys) == 1


async def test_not_there_at_all(oidc: Oidc, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody listening is 503 too; the log says why, the answer doesn't."""
    with pytest.raises(IssuerUnavailable) as caught:
        await count(IssuerKeys(replace(oidc, issuer="http://127.0.0.1:9")))
    assert "127.0.0.1" not in caught.value.message
    assert "http://127.0.0.1:9" in caplog.text


async def test_down_for_a_while(issuer: Issuer, keys: IssuerKeys, clock: Clock) -> None:
    """Keys that are old but not ten minutes old hold on while the issuer is down; older ones don't."""
    issuer.headers = {"cache-control": "max-age=60"}
    await keys.find("one", "RS256")
    issuer.status = 503
    clock.now += 300
    assert await count(keys) == 1
    clock.now += 301
    with pytest.raises(IssuerUnavailable):
        await count(keys)


HUGE = b'{"keys": [' + b" " * LARGEST + b"]}"


@pytest.mark.parametrize(
    "document",
    [HUGE, b"", b"<html>", b"[]", b"[" * 100_000, {}, {"keys": {}}, {"keys": [5]}, {"keys": None}, b"\xff"],
    ids=["huge", "empty", "html", "list", "deep", "no keys", "object", "numbers", "null", "bytes"],
)
async def test_what_is_no_set_of_keys(issuer: Issuer, keys: IssuerKeys, document: Any) -> None:
    """Half a megabyte is the most that is read, and whatever isn't a set of keys is 503."""
    issuer.documents["/keys"] = document
    with pytest.raises(IssuerUnavailable):
        await count(keys)


async def test_a_compressed_set(issuer: Issuer, keys: IssuerKeys) -> None:
    """A compressed body, which could hide a huge one, isn't unpacked."""
    issuer.documents["/keys"] = gzip.compress(msgspec.json.encode(issuer.documents["/keys"]))
    issuer.headers = {"content-encoding": "gzip"}
    with pytest.raises(IssuerUnavailable):
        await count(keys)


async def test_slow(issuer: Issuer, keys: IssuerKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that doesn't come is given up on."""
    monkeypatch.setattr("agentbench.auth.jwks.PATIENCE_S", 0.2)
    issuer.headers = {"content-length": "5000"}
    began = time.monotonic()
    with pytest.raises(IssuerUnavailable):
        await count(keys)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://another.example"},
        {"jwks_uri": "http://keys.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"jwks_uri": ["https://keys.example"]},
    ],
    ids=str,
)
async def test_wrong_discovery(issuer: Issuer, keys: IssuerKeys, said: dict[str, Any]) -> None:
    """A document of another issuer, or one that leads anywhere but https, is not followed."""
    issuer.documents["/.well-known/openid-configuration"].update(said)
    with pytest.raises(IssuerUnavailable):
        await count(keys)
    assert issuer.fetches == 0


async def test_redirects(issuer: Issuer, keys: IssuerKeys) -> None:
    """An issuer that sends one elsewhere isn't followed."""
    issuer.status, issuer.headers = 302, {"location": f"{issuer.url}/keys"}
    with pytest.raises(IssuerUnavailable):
        await count(keys)


@pytest.mark.parametrize("part", [{"use": "enc"}, {"alg": "RS512"}, {"alg": "HS256"}, {"kid": "other"}], ids=str)
async def test_keys_for_something_else(issuer: Issuer, key: RSAKey, keys: IssuerKeys, part: dict[str, str]) -> None:
    """A key for encryption, another algorithm or another name doesn't fit."""
    issuer.publish(key, **part)
    assert await count(keys) == 0


async def test_keys_of_another_kind(issuer: Issuer, key: RSAKey, keys: IssuerKeys) -> None:
    """A signature fits only its own kind of key, and its own curve."""
    issuer.publish(key, ec_key("P-256"), OctKey.generate_key(256, {"kid": "one"}))
    fitting = {algorithm: await count(keys, None, algorithm) for algorithm in ("RS256", "ES256", "ES384")}
    assert fitting == {"RS256": 1, "ES256": 1, "ES384": 0}


async def test_broken_keys(issuer: Issuer, key: RSAKey, keys: IssuerKeys, caplog: pytest.LogCaptureFixture) -> None:
    """One that can't be read is passed over."""
    right = key.as_dict(private=False)
    issuer.documents["/keys"] = {"keys": [right | {"n": 5}, right | {"n": "AA", "e": "AA"}, {"kty": "RSA"}, right]}
    with caplog.at_level(logging.WARNING):
        assert await count(keys, None) == 1
    assert "can't be read" in caplog.text


async def test_weak_keys(issuer: Issuer, oidc: Oidc) -> None:
    """A signature by an RSA key of 1024 bits is refused."""
    with pytest.warns(SecurityWarning):
        weak = rsa_key("weak", size=1024)
    issuer.publish(weak)
    with pytest.raises(NotAuthenticated):
        await OidcTokens(oidc).bearer(signed(issuer, weak))
