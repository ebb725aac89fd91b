"""Tokens of an outside issuer: which are right, and which are not, whoever made them."""

from __future__ import annotations

import base64
import hmac
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from joserfc import jws
from msgspec.structs import replace
from tests.auth.issuer import ec_key, issuer_on_loopback, rsa_key, signed

from agentbench.auth.oidc import OidcTokens
from agentbench.errors import InsufficientScope, NotAuthenticated, TokenExpired

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey
    from tests.auth.issuer import Issuer

    from agentbench.config.remote import Oidc

pytestmark = pytest.mark.anyio
NOW = int(time.time())
LATER = 4_000_000_000


async def refused(oidc: Oidc, token: str) -> None:
    """Check that the token is refused, in the one message that there is, and with nothing to trace it by."""
    with pytest.raises(NotAuthenticated) as caught:
        await OidcTokens(oidc).bearer(token)
    assert type(caught.value) is NotAuthenticated
    assert caught.value.message == "The token isn't valid here: check its issuer, audience and signature."
    assert caught.value.__cause__ is None


def raw(header: object, claims: object, signature: str = "") -> str:
    """Put a token together with no regard to what makes sense."""
    parts = [part if isinstance(part, bytes) else msgspec.json.encode(part) for part in (header, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), signature])


async def test_a_right_token(issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """It says whose it is, by subject and by email; the token itself is kept, and not shown."""
    token = signed(issuer, key)
    bearer = await OidcTokens(oidc).bearer(token)
    assert (bearer.issuer, bearer.subject, bearer.name) == (issuer.url, "ann-1", "ann@example.org")
    assert bearer.token.reveal() == token
    assert token not in repr(bearer)


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_rsa(issuer: Issuer, key: RSAKey, oidc: Oidc, algorithm: str) -> None:
    """Each RSA signature is accepted."""
    assert (await OidcTokens(oidc).bearer(signed(issuer, key, algorithm))).subject == "ann-1"


@pytest.mark.parametrize(("algorithm", "curve"), [("ES256", "P-256"), ("ES384", "P-384"), ("ES512", "P-521")])
async def test_curves(issuer: Issuer, oidc: Oidc, algorithm: str, curve: str) -> None:
    """Each signature on a curve is accepted."""
    key = ec_key(curve)
    issuer.publish(key)
    assert (await OidcTokens(oidc).bearer(signed(issuer, key, algorithm))).subject == "ann-1"


async def test_alg_none(issuer: Issuer, oidc: Oidc) -> None:
    """A token that nobody signed is refused, however it writes `none`."""
    claims = {"iss": issuer.url, "aud": "agents", "sub": "ann-1", "exp": int(time.time()) + 60}
    for name in ("none", "None", "NONE", "", None):
        await refused(oidc, raw({"alg": name, "kid": "one"}, claims))
    assert issuer.asked == []


@pytest.mark.parametrize("size", [256, 384, 512])
async def test_signed_with_the_public_key(issuer: Issuer, key: RSAKey, oidc: Oidc, size: int) -> None:
    """An HMAC with the public key's text as the secret is refused."""
    claims = {"iss": issuer.url, "aud": "agents", "sub": "ann-1", "exp": int(time.time()) + 60}
    for public in (key.as_pem(private=False), msgspec.json.encode(key.as_dict(private=False))):
        unsigned = raw({"alg": f"HS{size}", "kid": "one"}, claims)[:-1]
        digest = hmac.digest(public, unsigned.encode(), f"sha{size}")  # joserfc refuses to do that
        await refused(oidc, f"{unsigned}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}")


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256K", "RSA1_5", "dir", ["RS256"], {"a": 1}, 256])
async def test_other_algorithms(issuer: Issuer, oidc: Oidc, algorithm: object) -> None:
    """What isn't on the list is refused before a key is looked for."""
    await refused(oidc, raw({"alg": algorithm, "kid": "one"}, {}, "c2ln"))
    assert issuer.asked == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": ["another", "one more"]},
        {"aud": None},
        {"aud": 5},
        {"iss": "https://another.example"},
        {"iss": None},
        {"iss": ["http://127.0.0.1"]},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": LATER},
        {"nbf": "now"},
        {"iat": LATER},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": {"a": 1}},
    ],
    ids=str,
)
async def test_wrong_claims(issuer: Issuer, key: RSAKey, oidc: Oidc, claims: dict[str, Any]) -> None:
    """A rightly signed token of another audience or issuer, from the future, or with no subject, is refused."""
    await refused(oidc, signed(issuer, key, **claims))


async def test_several_audiences(issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """One of several is enough."""
    assert (await OidcTokens(oidc).bearer(signed(issuer, key, aud=["another", "agents"]))).subject == "ann-1"


async def test_a_slash_at_the_issuer(issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """Issuers that write their name with a slash at its end are themselves still."""
    assert (await OidcTokens(oidc).bearer(signed(issuer, key, iss=f"{issuer.url}/"))).issuer == issuer.url


async def test_expired(issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """An expired token has its own error."""
    with pytest.raises(TokenExpired, match="Get a new one"):
        await OidcTokens(oidc).bearer(signed(issuer, key, exp=NOW - 60))


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -5), ("nbf", 15), ("iat", 15)])
async def test_clocks_that_differ_a_little(issuer: Issuer, key: RSAKey, oidc: Oidc, claim: str, seconds: int) -> None:
    """Half a minute is forgiven."""
    token = signed(issuer, key, **{claim: int(time.time()) + seconds})
    assert (await OidcTokens(oidc).bearer(token)).subject == "ann-1"


async def test_another_key_of_the_same_name(issuer: Issuer, oidc: Oidc) -> None:
    """A forger's key may call itself what it likes."""
    await refused(oidc, signed(issuer, rsa_key("one")))


async def test_a_key_that_the_token_brings(issuer: Issuer, oidc: Oidc) -> None:
    """Keys and addresses of keys in the header are not looked at."""
    forged = rsa_key("one")
    with issuer_on_loopback() as forger:
        forger.publish(forged)
        header = {"jwk": forged.as_dict(private=False), "jku": f"{forger.url}/keys"}
        await refused(oidc, signed(issuer, forged, header=header))
        assert forger.asked == []


async def test_another_issuers_token(oidc: Oidc) -> None:
    """A token that is right elsewhere is refused."""
    key = rsa_key("one")
    with issuer_on_loopback() as other:
        other.publish(key)
        await refused(oidc, signed(other, key))
        assert other.asked == []


async def test_unknown_kid(issuer: Issuer, oidc: Oidc) -> None:
    """A key that the issuer doesn't have is refused, after one more look."""
    await refused(oidc, signed(issuer, rsa_key("two")))


async def test_no_kid(issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """A token that names no key is tried with all that fit; signed by none of them it is refused."""
    issuer.publish(rsa_key("other"), ec_key("P-256"), key)
    nameless = {"kid": None}
    assert (await OidcTokens(oidc).bearer(signed(issuer, key, header=nameless))).subject == "ann-1"
    await refused(oidc, signed(issuer, rsa_key(), header=nameless))


@pytest.mark.parametrize(
    "header",
    [b"[" * 9000, b"{", b"[]", b"5", b"\xff", {"alg": "RS256", "kid": 5}, {"alg": "RS256", "crit": ["x"], "x": 1}],
)
async def test_garbled_headers(oidc: Oidc, header: Any) -> None:
    """What isn't a header is refused, not a fault."""
    await refused(oidc, raw(header, {}, "c2ln"))


async def test_garbled_claims(issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """Claims that aren't an object are refused, even rightly signed."""
    for claims in (b"[]", b"{", b"[" * 9000, b"\xff\xfe"):
        token = jws.serialize_compact({"alg": "RS256", "kid": "one"}, claims, key)
        await refused(oidc, token)
    assert issuer.fetches == 4


@pytest.mark.parametrize(
    "granted",
    [
        {"scope": "agents.run agents.read more"},
        {"scp": "agents.read agents.run"},
        {"scp": ["agents.read", "agents.run"]},
        {"scope": ["agents.read agents.run"]},
    ],
    ids=str,
)
async def test_scopes(issuer: Issuer, key: RSAKey, oidc: Oidc, granted: dict[str, Any]) -> None:
    """Scopes are text or a list, under either name."""
    wanting = replace(oidc, scopes=("agents.run", "agents.read"))
    assert (await OidcTokens(wanting).bearer(signed(issuer, key, **granted))).subject == "ann-1"


@pytest.mark.parametrize(
    "granted",
    [
        {},
        {"scope": ""},
        {"scope": "agents.runner"},
        {"scp": [], "scope": "agents.run"},
        {"scope": 5},
        {"scope": {"a": 1}},
    ],
    ids=str,
)
async def test_missing_scopes(issuer: Issuer, key: RSAKey, oidc: Oidc, granted: dict[str, Any]) -> None:
    """Without every required scope it is a 403 that names them."""
    with pytest.raises(InsufficientScope, match=r"agents\.run") as caught:
        await OidcTokens(replace(oidc, scopes=("agents.run",))).bearer(signed(issuer, key, **granted))
    assert caught.value.status == 403


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"preferred_username": "ann"}, "ann@example.org"),
        ({"email": None, "preferred_username": "ann", "upn": "a"}, "ann"),
        ({"email": "", "upn": "ann@upn"}, "ann@upn"),
        ({"email": 5, "upn": "ann@upn"}, "ann@upn"),
        ({"email": None}, None),
        ({"email_verified": True}, "ann@example.org"),
        ({"email_verified": False, "preferred_username": "ann"}, None),
        ({"email_verified": "false"}, None),
    ],
    ids=str,
)
async def test_names(issuer: Issuer, key: RSAKey, oidc: Oidc, claims: dict[str, Any], name: str | None) -> None:
    """The email goes first, then the preferred user name, then the principal name; an unverified email is nobody's."""
    assert (await OidcTokens(oidc).bearer(signed(issuer, key, **claims))).name == name
