"""Which user an outside identity is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agentbench.auth.outside import user_of
from agentbench.auth.principal import KERNEL_EMAIL, Bearer
from agentbench.config import Secret
from agentbench.errors import NotAuthenticated

if TYPE_CHECKING:
    from agentbench.auth.accounts import Accounts
    from agentbench.storage.users import User

pytestmark = pytest.mark.anyio


def bearer(subject: str = "ann-1", name: str | None = "ann@example.org", issuer: str = "https://one.example") -> Bearer:
    """Return an identity."""
    return Bearer(issuer=issuer, subject=subject, name=name, token=Secret("t"), expires_at=datetime.now(UTC))


async def find(accounts: Accounts, who: Bearer, *, provision: bool = False) -> User:
    """Return whose identity it is."""
    return await user_of(accounts.database, who, provision=provision)


async def nobody(accounts: Accounts, who: Bearer, *, provision: bool = False) -> None:
    """Check that it is nobody's, and that the message is the one that there is."""
    with pytest.raises(NotAuthenticated, match=r"^The token is valid, but no account here goes with it\."):
        await find(accounts, who, provision=provision)


async def test_by_email_at_first(accounts: Accounts) -> None:
    """The first time the email tells, in any case, and the subject is bound; then the email may change."""
    ann = await accounts.add_user("Ann@Example.org", password="long enough")
    assert (await find(accounts, bearer(name="ANN@example.ORG"))).id == ann.id
    found = await find(accounts, bearer(name="someone@else.example"))
    assert (found.id, found.issuer, found.subject) == (ann.id, "https://one.example", "ann-1")


async def test_an_email_that_is_bound(accounts: Accounts) -> None:
    """Another subject or another issuer with the same email gets nothing."""
    await accounts.add_user("ann@example.org")
    await find(accounts, bearer())
    await nobody(accounts, bearer("ann-2"))
    await nobody(accounts, bearer(issuer="https://two.example"))
    await nobody(accounts, bearer("ann-2"), provision=True)


async def test_a_subject_of_another_issuer(accounts: Accounts) -> None:
    """The same subject elsewhere is another person."""
    await accounts.add_user("ann@example.org")
    await accounts.add_user("bob@example.org")
    ann = await find(accounts, bearer("1"))
    bob = await find(accounts, bearer("1", "bob@example.org", "https://two.example"))
    assert (ann.email, bob.email) == ("ann@example.org", "bob@example.org")


async def test_letters_that_look_alike(accounts: Accounts) -> None:
    """Only ASCII letters count in either case: the Kelvin sign is no k."""
    await accounts.add_user("kim@example.org")
    await nobody(accounts, bearer(name="\u212aim@example.org"))


@pytest.mark.parametrize("name", [None, "bob@example.org", KERNEL_EMAIL])
async def test_unknown(accounts: Accounts, name: str | None) -> None:
    """Nobody is made on the fly, and nobody becomes the kernel."""
    await accounts.add_user("ann@example.org")
    await accounts.user(KERNEL_EMAIL)
    await nobody(accounts, bearer("x", name))
    assert [user.email for user in await accounts.users()] == ["ann@example.org", KERNEL_EMAIL]


async def test_provisioned(accounts: Accounts) -> None:
    """Where the operator wants it, an unknown email becomes a user, with the least rights, once."""
    many = await asyncio.gather(*(find(accounts, bearer(), provision=True) for _ in range(5)))
    assert len({user.id for user in many}) == 1
    assert [(user.email, user.role) for user in await accounts.users()] == [("ann@example.org", "USER")]


@pytest.mark.parametrize("name", [None, "ann", "a b@example.org", "@", KERNEL_EMAIL])
async def test_not_provisioned(accounts: Accounts, name: str | None) -> None:
    """What isn't an email, and the kernel's, make no user."""
    await nobody(accounts, bearer(name=name), provision=True)
    assert await accounts.users() == []


async def test_removed(accounts: Accounts) -> None:
    """A user that was removed stays out, by subject and by email, and isn't made anew."""
    await accounts.add_user("ann@example.org")
    await accounts.add_user("bob@example.org")
    await find(accounts, bearer())
    for email in ("ann@example.org", "bob@example.org"):
        await accounts.deactivate(email)
    for who in (bearer(), bearer("bob-1", "bob@example.org")):
        await nobody(accounts, who)
        await nobody(accounts, who, provision=True)
