"""Users and keys: made, found, taken away."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from agentbench.auth.accounts import Accounts
from agentbench.auth.principal import KERNEL, KERNEL_EMAIL
from agentbench.errors import InvalidRequest, NotAuthenticated, RateLimited, TokenExpired, UnknownName
from agentbench.storage import tables

if TYPE_CHECKING:
    from agentbench.storage.database import Database
    from agentbench.storage.users import User

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse"


@pytest.fixture
async def ann(accounts: Accounts) -> User:
    """Give a user."""
    return await accounts.add_user("Ann@Example.org", password=PASSWORD)


def everything_in(accounts: Accounts) -> str:
    """Return all that is stored about users and keys."""
    database = accounts.database
    rows = [
        database.read_now(lambda connection, table=table: connection.execute(select(table)).all())
        for table in (tables.users, tables.api_keys)
    ]
    return repr(rows)


# -- users --------------------------------------------------------------------------------------------------------


async def test_a_user_once(accounts: Accounts, ann: User) -> None:
    """An email belongs to one user, in whatever case it is written."""
    assert (ann.email, ann.role, ann.active) == ("ann@example.org", "USER", True)
    with pytest.raises(InvalidRequest, match=r"is a user ann@example\.org already"):
        await accounts.add_user("ANN@EXAMPLE.ORG", role="ADMIN", password=PASSWORD)
    assert await accounts.users() == [ann]


@pytest.mark.parametrize("email", ["", "ann", "@example.org", "ann@", "a b@example.org", "a\n@b", "a" * 250 + "@b.cd"])
async def test_what_is_no_email(accounts: Accounts, email: str) -> None:
    """It is refused."""
    with pytest.raises(InvalidRequest, match="not an email"):
        await accounts.add_user(email, password=PASSWORD)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
async def test_passwords_of_the_wrong_length(accounts: Accounts, password: str) -> None:
    """They are refused, and not repeated."""
    with pytest.raises(InvalidRequest, match=r"^A password has 8 to 1024 characters\.$"):
        await accounts.add_user("ann@example.org", password=password)


async def test_unknown_user(accounts: Accounts, ann: User) -> None:
    """The nearest email is suggested."""
    with pytest.raises(UnknownName, match=r"Did you mean 'ann@example\.org'"):
        await accounts.set_password("anne@example.org", PASSWORD)


async def test_roles(accounts: Accounts, ann: User) -> None:
    """A role holds from the next look on, and ends no sign-in."""
    token = (await accounts.sign_in("ann@example.org", PASSWORD)).token.reveal()
    await accounts.set_role("ann@example.org", "ADMIN")
    assert (await accounts.sessions.user(token)).role == "ADMIN"


async def test_removed_and_back(accounts: Accounts, ann: User) -> None:
    """A removed user's keys, sign-ins and password are gone for good; the account comes back if added again."""
    made = await accounts.create_key(ann.id, name="mine")
    token = (await accounts.sign_in("ann@example.org", PASSWORD)).token.reveal()
    await accounts.deactivate("ann@example.org")
    for _ in range(2):
        assert await accounts.find_key(made.secret.reveal()) is None
        with pytest.raises(NotAuthenticated):
            await accounts.sessions.user(token)
        with pytest.raises(NotAuthenticated):
            await accounts.sign_in("ann@example.org", PASSWORD)
        if not (await accounts.user("ann@example.org")).active:
            back = await accounts.add_user("ann@example.org", role="ADMIN", password="another one")
    assert (back.id, back.role) == (ann.id, "ADMIN")


# -- signing in ---------------------------------------------------------------------------------------------------


async def test_signing_in(accounts: Accounts, ann: User) -> None:
    """The right password gives a token for half a day, and neither shows itself."""
    made = await accounts.sign_in(" ANN@example.org ", PASSWORD)
    assert await accounts.sessions.user(made.token.reveal()) == ann
    assert timedelta(hours=11, minutes=59) < made.expires_at - datetime.now(UTC) <= timedelta(hours=12)
    assert made.token.reveal() not in repr(made)
    assert PASSWORD not in everything_in(accounts)


async def test_wrong_in_any_way(accounts: Accounts, ann: User) -> None:
    """A wrong password, an unknown email, a user with no password: one message."""
    await accounts.add_user("bob@example.org")
    for email, password in (("ann@example.org", "wrong one"), ("eve@example.org", PASSWORD), ("bob@example.org", "")):
        with pytest.raises(NotAuthenticated, match=r"^The email or the password is wrong\.$"):
            await accounts.sign_in(email, password)


async def test_wrong_takes_as_long(accounts: Accounts, ann: User) -> None:
    """An unknown email takes as long as a wrong password, from the first time on."""

    async def seconds(email: str) -> float:
        began = time.perf_counter()
        with pytest.raises(NotAuthenticated):
            await accounts.sign_in(email, "wrong one")
        return time.perf_counter() - began

    first = await seconds("eve0@example.org")
    unknown = min([await seconds(f"eve{number}@example.org") for number in range(1, 6)])
    wrong = min([await seconds("ann@example.org") for _ in range(5)])
    assert 0.5 < unknown / wrong < 2
    assert first > wrong / 2


async def test_too_many_attempts(accounts: Accounts, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many wrong ones in a minute not even the right password helps, known email or not, here or elsewhere."""
    monkeypatch.setattr("agentbench.auth.accounts.SIGN_INS_PER_MINUTE", 2)
    elsewhere = Accounts(accounts.database)
    for email in ("ann@example.org", "eve@example.org"):
        for each in (accounts, elsewhere):
            with pytest.raises(NotAuthenticated):
                await each.sign_in(email, "wrong one")
        for each in (accounts, elsewhere):
            with pytest.raises(RateLimited, match="Wait a minute") as caught:
                await each.sign_in(email.upper(), PASSWORD)
            assert 0 < caught.value.retry_after <= 60


async def test_attempts_are_forgotten(
    accounts: Accounts, ann: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the password was right they count from nothing; what was taken for an email is not in the database."""
    monkeypatch.setattr("agentbench.auth.accounts.SIGN_INS_PER_MINUTE", 2)
    for password in ("wrong one", PASSWORD, "wrong one", PASSWORD):
        with suppress(NotAuthenticated):
            await accounts.sign_in("ann@example.org", password)
    with pytest.raises(NotAuthenticated):
        await accounts.sign_in("my password", "")
    names = database.read_now(lambda connection: list(connection.scalars(select(tables.rate_limits.c.name))))
    assert len(names) == 1
    assert "my password" not in names[0]


async def test_a_new_password(accounts: Accounts, ann: User) -> None:
    """It ends every sign-in that there is; keys stay."""
    made = await accounts.create_key(ann.id, name="mine")
    old = (await accounts.sign_in("ann@example.org", PASSWORD)).token.reveal()
    await accounts.set_password("ann@example.org", "another one")
    with pytest.raises(NotAuthenticated, match="has ended"):
        await accounts.sessions.user(old)
    new = (await accounts.sign_in("ann@example.org", "another one")).token.reveal()
    assert (await accounts.sessions.user(new)).id == ann.id
    assert await accounts.find_key(made.secret.reveal()) is not None


async def test_an_old_token(accounts: Accounts, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """It expires."""
    monkeypatch.setattr("agentbench.auth.sessions.LIFETIME", timedelta(seconds=-1))
    token, _ = await accounts.sessions.issue(ann)
    with pytest.raises(TokenExpired):
        await accounts.sessions.user(token.reveal())


async def test_two_gateways_share_the_secret(accounts: Accounts, ann: User) -> None:
    """A token of one gateway is good at another one on the same database, even if both begin at once."""
    others = [type(accounts)(accounts.database) for _ in range(5)]
    tokens = await asyncio.gather(*(each.sessions.issue(ann) for each in others))
    assert [(await accounts.sessions.user(token.reveal())).id for token, _ in tokens] == [ann.id] * 5


# -- keys ---------------------------------------------------------------------------------------------------------


async def test_a_key(accounts: Accounts, ann: User) -> None:
    """It is long and random, found again by its hash, and stored and shown nowhere."""
    made = await accounts.create_key(ann.id, name=" laptop ", agents=["guide", "guide"], requests_per_minute=5)
    secret = made.secret.reveal()
    assert re.fullmatch("sk-[0-9a-f]{64}", secret)
    assert (made.key.name, made.key.prefix, made.key.agents) == ("laptop", secret[:8], ("guide",))
    assert await accounts.find_key(secret) == (made.key, ann)
    assert await accounts.keys(ann.id) == [made.key]
    assert hashlib.sha256(secret.encode()).hexdigest() in everything_in(accounts)
    assert secret[8:] not in everything_in(accounts) + repr(made)


async def test_almost_a_key(accounts: Accounts, ann: User) -> None:
    """One that begins the same is another one."""
    secret = (await accounts.create_key(ann.id, name="mine")).secret.reveal()
    assert await accounts.find_key(secret[:-1] + ("0" if secret[-1] != "0" else "1")) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 101},
        {"name": "two\nlines"},
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"expires_at": datetime(2999, 1, 1)},  # noqa: DTZ001 - no zone is what is wrong with it
        {"agents": []},
        {"requests_per_minute": 0},
        {"requests_per_minute": 100_001},
    ],
    ids=str,
)
async def test_wrong_wishes(accounts: Accounts, ann: User, wrong: dict[str, Any]) -> None:
    """A key with no name, an end in the past, no agents or no requests isn't made."""
    with pytest.raises(InvalidRequest) as caught:
        await accounts.create_key(ann.id, **({"name": "mine"} | wrong))
    assert [caught.value.param] == list(wrong)
    assert await accounts.keys() == []


async def test_an_expired_key(accounts: Accounts, ann: User) -> None:
    """It is as good as none."""
    made = await accounts.create_key(ann.id, name="brief", expires_at=datetime.now(UTC) + timedelta(milliseconds=100))
    assert await accounts.find_key(made.secret.reveal()) is not None
    await asyncio.sleep(0.11)
    assert await accounts.find_key(made.secret.reveal()) is None


async def test_revoking(accounts: Accounts, ann: User) -> None:
    """A revoked key is gone at once; another user's key and one that never was look the same."""
    bob = await accounts.add_user("bob@example.org")
    made = await accounts.create_key(ann.id, name="mine")
    messages = []
    for key_id in (made.key.id, "key_0"):
        with pytest.raises(UnknownName) as caught:
            await accounts.revoke_key(key_id, user=bob.id)
        messages.append(caught.value.message.replace(key_id, "ID"))
    assert messages[0] == messages[1]
    await accounts.revoke_key(made.key.id, user=ann.id)
    assert await accounts.find_key(made.secret.reveal()) is None


async def test_nobodys_key(accounts: Accounts) -> None:
    """A key needs an account."""
    with pytest.raises(InvalidRequest, match="no such account"):
        await accounts.create_key("user_0", name="mine")


async def test_the_first_key(accounts: Accounts) -> None:
    """As long as there is no account, a key is made for the kernel's own; then no more."""
    made = await accounts.first_key()
    assert made is not None
    assert made.key.user == KERNEL.user
    assert await accounts.first_key() is None
    assert [(user.id, user.email, user.role) for user in await accounts.users()] == [
        (KERNEL.user, KERNEL_EMAIL, "ADMIN")
    ]


async def test_the_kernels_email_is_taken(accounts: Accounts) -> None:
    """Nobody else can have it, whether or not that account is there yet."""
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="already"):
            await accounts.add_user(KERNEL_EMAIL, password=PASSWORD)
        await accounts.user(KERNEL_EMAIL)
