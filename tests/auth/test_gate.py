"""Who gets in, by which credential, and what they may do."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event
from tests.auth.issuer import AUDIENCE, signed

from agentbench.auth.gate import Gate
from agentbench.auth.principal import KERNEL, Principal
from agentbench.config.remote import Oidc, RemoteAccess
from agentbench.errors import (
    IssuerUnavailable,
    MissingCredential,
    NotAuthenticated,
    PermissionDenied,
    RateLimited,
)

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey
    from tests.auth.issuer import Issuer

    from agentbench.auth.accounts import Accounts
    from agentbench.config.remote import RemoteRight
    from agentbench.storage.users import User

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ann(accounts: Accounts) -> User:
    """Give a user."""
    return await accounts.add_user("ann@example.org", password="long enough")


@pytest.fixture
def gate(accounts: Accounts) -> Gate:
    """Give a gate as it is with no config."""
    return Gate(RemoteAccess(), accounts)


async def key_of(accounts: Accounts, user: User, **wish: Any) -> str:
    """Make a key."""
    return (await accounts.create_key(user.id, name="mine", **wish)).secret.reveal()


async def test_a_key(gate: Gate, accounts: Accounts, ann: User) -> None:
    """It is its user, with the key's own limits."""
    made = await accounts.create_key(ann.id, name="mine", agents=["guide"])
    principal = await gate.admit(made.secret.reveal())
    assert principal == Principal(user=ann.id, role="USER", key=made.key.id, agents=("guide",), remote=True)
    assert made.secret.reveal() not in repr(principal)


async def test_a_sign_in(gate: Gate, accounts: Accounts, ann: User) -> None:
    """It is a person."""
    made = await accounts.sign_in("ann@example.org", "long enough")
    assert await gate.admit(made.token.reveal()) == Principal(user=ann.id, remote=True, signed_in=True)


async def test_an_issuers_token(accounts: Accounts, ann: User, issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """It is its user, but not a person who signed in here."""
    gate = Gate(RemoteAccess(oidc=oidc), accounts)
    admitted = await gate.admit(signed(issuer, key))
    assert (admitted.user, admitted.remote, admitted.bearer is not None) == (ann.id, True, True)


@pytest.mark.parametrize("credential", [None, ""])
async def test_nothing(gate: Gate, credential: str | None) -> None:
    """No credential has its own code."""
    with pytest.raises(MissingCredential, match="needs a credential"):
        await gate.admit(credential)


@pytest.mark.parametrize(
    "credential",
    [
        "x",
        "in-process",
        "sk-" + "0" * 64,
        "sk-" + "0" * 63,
        "SK-" + "0" * 64,
        "sk-" + "0" * 64 + "\n",
        "sk-" + "0" * 64 + "\r\nx-user: kernel",
        "sk-" + "\u0660" * 64,
        "a.b.c",
        "..",
        "e30.e30.",
        "a" * 20_000,
        "a." * 10_000,
        "\x00",
    ],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)
async def test_no_credential_of_ours(gate: Gate, credential: str) -> None:
    """Whatever isn't a credential is refused and not repeated."""
    with pytest.raises(NotAuthenticated) as caught:
        await gate.admit(credential)
    assert caught.value.code == "invalid_api_key"
    assert len(credential) < 5 or credential not in caught.value.message


async def test_a_token_is_no_key(accounts: Accounts, issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """What looks like a token is never looked up as a key, even if it is wrong."""
    lookups: list[str] = []

    async def look_up(secret: str) -> None:
        lookups.append(secret)

    accounts.find_key = look_up  # type: ignore[assignment, method-assign] - a spy
    for access in (RemoteAccess(oidc=oidc), RemoteAccess()):
        for token in (signed(issuer, key, aud="another"), signed(issuer, key, exp=1), "a.b.c"):
            with pytest.raises(NotAuthenticated):
                await Gate(access, accounts).admit(token)
    assert lookups == []


async def test_keys_switched_off(accounts: Accounts, ann: User) -> None:
    """With `apiKey.enabled: false` a right key is refused like any other; a sign-in still holds."""
    gate = Gate(RemoteAccess(api_keys=False), accounts)
    said = []
    for key in (await key_of(accounts, ann), "sk-1"):
        with pytest.raises(PermissionDenied) as refused:
            await gate.admit(key)
        said.append(refused.value.message)
    assert said == ["Use of API key is not enabled in the environment."] * 2
    made = await accounts.sign_in("ann@example.org", "long enough")
    assert (await gate.admit(made.token.reveal())).user == ann.id


async def test_both_switched_on(accounts: Accounts, ann: User, issuer: Issuer, key: RSAKey, oidc: Oidc) -> None:
    """Keys and tokens get in side by side; an issuer that is down stops tokens only."""
    gate = Gate(RemoteAccess(oidc=oidc), accounts)
    issuer.status = 500
    with pytest.raises(IssuerUnavailable):
        await gate.admit(signed(issuer, key))
    assert (await gate.admit(await key_of(accounts, ann))).user == ann.id


async def test_an_issuer_called_as_we_are(
    accounts: Accounts, ann: User, issuer: Issuer, key: RSAKey, oidc: Oidc
) -> None:
    """A foreign token that says it is ours is checked as ours, and refused."""
    with pytest.raises(NotAuthenticated, match="sign-in token"):
        await Gate(RemoteAccess(oidc=oidc), accounts).admit(
            signed(issuer, key, iss="agentbench", aud="agentbench", sub=ann.id, generation=0)
        )


async def test_nothing_in_the_log(
    accounts: Accounts, ann: User, issuer: Issuer, key: RSAKey, caplog: pytest.LogCaptureFixture
) -> None:
    """No credential, right or wrong, is in the log at any level, nor the password."""
    gate = Gate(RemoteAccess(oidc=Oidc(issuer=issuer.url, audience=AUDIENCE)), accounts)
    made = await accounts.sign_in("ann@example.org", "long enough")
    right = [await key_of(accounts, ann), made.token.reveal(), signed(issuer, key)]
    wrong = ["sk-" + "0" * 64, signed(issuer, key, kid="made-up"), signed(issuer, key, aud="another")]
    with caplog.at_level(logging.DEBUG):
        for credential in (*right, *wrong):
            with suppress(NotAuthenticated):
                await gate.admit(credential)
        with suppress(NotAuthenticated):
            await accounts.sign_in("ann@example.org", "wrong password")
        await settled(gate)
    assert "/keys" in caplog.text  # the issuer was asked, and that is logged
    assert [text for text in (*right, *wrong, "wrong password", "long enough") if text in caplog.text] == []


async def test_requests_per_minute(gate: Gate, accounts: Accounts, ann: User) -> None:
    """A key with a limit gets 429 beyond it, whichever process it asks; another key doesn't."""
    limited, free = await key_of(accounts, ann, requests_per_minute=2), await key_of(accounts, ann)
    for _ in range(2):
        await gate.admit(limited)
    with pytest.raises(RateLimited, match="2 requests per minute") as caught:
        await Gate(RemoteAccess(), accounts).admit(limited)  # of another process
    assert (caught.value.status, caught.value.code) == (429, "rate_limit_exceeded")
    assert 59 < caught.value.retry_after <= 60
    for _ in range(5):
        await gate.admit(free)


async def settled(gate: Gate) -> None:
    """Wait until what goes on meanwhile is written."""
    await asyncio.gather(*gate._uses._tasks)


async def test_last_use(gate: Gate, accounts: Accounts, ann: User) -> None:
    """It is written down once a minute, however often the key is used, by however many gateways."""
    secret = await key_of(accounts, ann)
    writes: list[str] = []
    accounts.database.read_now(lambda _: None)
    engine = accounts.database._opened().writer
    event.listen(engine, "before_cursor_execute", lambda *args: writes.append(args[2]))
    for each in (gate, gate, Gate(RemoteAccess(), accounts), gate):
        await each.admit(secret)
        await settled(each)
    (key,) = await accounts.keys()
    assert key.last_used_at is not None
    assert datetime.now(UTC) - key.last_used_at < timedelta(seconds=30)
    assert len([each for each in writes if each.startswith("UPDATE api_keys")]) == 1


async def test_last_use_does_not_hold_up(gate: Gate, accounts: Accounts, ann: User, caplog: Any) -> None:
    """A request doesn't wait for it, and doesn't fail with it."""
    secret = await key_of(accounts, ann)
    go_on = asyncio.Event()

    async def slow_write(_: object) -> None:
        await go_on.wait()
        raise OSError("the disk is full")

    accounts.database.write = slow_write  # type: ignore[method-assign] - a fake
    assert (await gate.admit(secret)).user == ann.id
    go_on.set()
    with caplog.at_level(logging.WARNING), pytest.raises(OSError, match="full"):
        await settled(gate)
    await asyncio.sleep(0)
    assert "last use" in caplog.text


@pytest.mark.parametrize("right", ["use", "create", "share", "public"])
@pytest.mark.parametrize(
    ("written", "allowed"),
    [(None, ("ADMIN",)), (True, ("ADMIN", "USER")), (False, ())],
)
async def test_rights(accounts: Accounts, right: RemoteRight, written: bool | None, allowed: tuple[str, ...]) -> None:  # noqa: FBT001 - a parameter of the test
    """Administrators have a right that nobody wrote down; written down it holds for all; the kernel may always."""
    gate = Gate(RemoteAccess(**{right: written}), accounts)
    gate.require(right, KERNEL)
    for role in ("ADMIN", "USER"):
        principal = Principal(user="u", role=role, remote=True)
        with nullcontext() if role in allowed else pytest.raises(PermissionDenied, match=f"remoteAgents.{right}"):
            gate.require(right, principal)
