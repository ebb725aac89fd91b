"""What the command line does with users, keys and balances. Reading arguments and printing is `__main__`'s."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from agentbench.auth.accounts import Accounts, NewKey
from agentbench.config.balance import LARGEST_CREDITS, in_credits, in_dollars, microcredits_of
from agentbench.config.load import load
from agentbench.errors import InvalidRequest
from agentbench.storage import balances
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from agentbench.config.endpoint import Catalog
    from agentbench.config.remote import Role

__all__ = [
    "add_to_balance",
    "add_user",
    "create_key",
    "list_keys",
    "list_users",
    "moment",
    "remove_user",
    "revoke_key",
    "set_balance",
    "set_password",
    "show_balance",
]

T = TypeVar("T")

_SPAN = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def create_key(
    config: str | None, *, user: str, name: str, expires: str | None, agents: Sequence[str] | None, rpm: int | None
) -> NewKey:
    """Make a key for the user of that email; agents must be in the config."""

    async def job(accounts: Accounts, catalog: Catalog) -> NewKey:
        for agent in agents or ():
            catalog.agent(agent)
        owner = await accounts.user(user)
        expires_at = None if expires is None else moment(expires, datetime.now(UTC))
        return await accounts.create_key(
            owner.id, name=name, expires_at=expires_at, agents=agents, requests_per_minute=rpm
        )

    return _run(config, job)


def list_keys(config: str | None) -> list[tuple[str, ...]]:
    """Return a row for each key, newest first, below a heading."""

    async def job(accounts: Accounts, _: Catalog) -> list[tuple[str, ...]]:
        emails = {user.id: user.email for user in await accounts.users()}
        return [
            (
                key.id,
                f"{key.prefix}…",
                emails[key.user],
                key.name,
                "all" if key.agents is None else ",".join(key.agents),
                "any" if key.requests_per_minute is None else str(key.requests_per_minute),
                _minute(key.expires_at),
                _minute(key.last_used_at),
            )
            for key in await accounts.keys()
        ]

    heading = ("ID", "BEGINS", "USER", "NAME", "AGENTS", "PER MINUTE", "EXPIRES", "LAST USED")
    return [heading, *_run(config, job)]


def revoke_key(config: str | None, key_id: str) -> None:
    """Revoke a key of anybody's."""
    _run(config, lambda accounts, _: accounts.revoke_key(key_id))


def add_user(config: str | None, email: str, *, role: Role, password: str | None) -> None:
    """Add a user."""
    _run(config, lambda accounts, _: accounts.add_user(email, role=role, password=password))


def list_users(config: str | None) -> list[tuple[str, ...]]:
    """Return a row for each user, by email, below a heading."""
    found = _run(config, lambda accounts, _: accounts.users())
    rows = [
        (user.email, user.role, "active" if user.active else "removed", user.issuer or "", _minute(user.created_at))
        for user in found
    ]
    return [("EMAIL", "ROLE", "STATE", "ISSUER", "ADDED"), *rows]


def set_password(config: str | None, email: str, password: str) -> None:
    """Give a user a password, which ends their sign-ins."""
    _run(config, lambda accounts, _: accounts.set_password(email, password))


def remove_user(config: str | None, email: str) -> None:
    """Let a user in no more, and revoke their keys."""
    _run(config, lambda accounts, _: accounts.deactivate(email))


def show_balance(config: str | None, email: str) -> list[tuple[str, ...]]:
    """Return a user's balance as a row below a heading."""
    return _balance(config, email)


def add_to_balance(config: str | None, email: str, credits: str) -> list[tuple[str, ...]]:  # noqa: A002 - the field's word
    """Add credits to a user's balance, or take some off down to zero; return what is there then, as a row."""
    return _balance(config, email, partial(balances.add, amount=_microcredits(credits)))


def set_balance(config: str | None, email: str, credits: str) -> list[tuple[str, ...]]:  # noqa: A002 - the field's word
    """Set a user's balance; return it, as a row."""
    amount = _microcredits(credits)
    if amount < 0:
        raise InvalidRequest("A balance can't be below zero.", param="credits")
    return _balance(config, email, partial(balances.set_to, amount=amount))


def _balance(config: str | None, email: str, change: Callable[..., object] | None = None) -> list[tuple[str, ...]]:
    async def job(accounts: Accounts, catalog: Catalog) -> tuple[str, ...]:
        user = await accounts.user(email)
        rules, now = catalog.balance, datetime.now(UTC)
        if change is not None:
            await accounts.database.write(partial(change, user=user.id, rules=rules, now=now))
        found = await accounts.database.read(partial(balances.show, user=user.id, rules=rules, now=now))
        return (
            user.email,
            in_credits(found.balance),
            in_dollars(found.balance),
            in_credits(found.reserved),
            _minute(found.next_refill),
            "on" if rules.enabled else "off",
        )

    return [("USER", "CREDITS", "USD", "RESERVED", "NEXT REFILL", "BALANCES"), _run(config, job)]


def _microcredits(text: str) -> int:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > LARGEST_CREDITS:
        raise InvalidRequest(f"{text!r} is no amount of credits. Write a number such as 20000.", param="credits")
    return microcredits_of(amount)


def moment(text: str, now: datetime) -> datetime:
    """Return the moment that `30d`, `12h`, `2w`, a date or a time mean; without a zone they are in UTC."""
    if span := _SPAN.fullmatch(text):
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{text!r} is no time. Write 30d, 12h, 2w or 2027-01-31.", param="expires") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _minute(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def _run(config: str | None, job: Callable[[Accounts, Catalog], Awaitable[T]]) -> T:
    catalog = load(config, os.environ)

    async def work(database: Database) -> T:
        return await job(Accounts(database), catalog)

    with closing(Database()) as database:
        return asyncio.run(work(database))
