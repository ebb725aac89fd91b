"""Users and their keys: made, listed, changed, revoked. Whether a caller may do that is for the caller to know."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from agentbench.auth.emails import email_key, new_email
from agentbench.auth.limits import SharedWindow
from agentbench.auth.passwords import Passwords
from agentbench.auth.principal import KERNEL, KERNEL_EMAIL
from agentbench.auth.sessions import Sessions
from agentbench.config.endpoint import Secret
from agentbench.errors import InvalidRequest, NotAuthenticated, RateLimited, UnknownName
from agentbench.protocol.values import Value, new_id
from agentbench.storage import keys, users
from agentbench.storage.keys import ApiKey
from agentbench.storage.users import User

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from agentbench.config.remote import Role
    from agentbench.storage.database import Database

__all__ = ["Accounts", "NewKey", "SignIn"]

PREFIX_LENGTH = 8
LONGEST_NAME = 100
MOST_PER_MINUTE = 100_000
SIGN_INS_PER_MINUTE = 10


class NewKey(Value, frozen=True, kw_only=True):
    """A key that was just made; `secret` is shown once and stored nowhere."""

    key: ApiKey
    secret: Secret


class SignIn(Value, frozen=True, kw_only=True):
    """What a password gives: a token to send, and until when it holds."""

    user: User
    token: Secret
    expires_at: datetime


class Accounts:
    """The users and keys in one database; it owns neither the database nor anything to close."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sessions = Sessions(database)
        self._passwords = Passwords()
        self._attempts = SharedWindow(database)

    # -- users --------------------------------------------------------------------------------------------------

    async def add_user(self, email: str, *, role: Role = "USER", password: str | None = None) -> User:
        """Add a user, or take back one that was removed; without a password only an outside issuer lets them in."""
        address = new_email(email)
        digest = None if password is None else await self._passwords.hash(password)

        def job(connection: Connection) -> User | None:
            known = users.by_email(connection, address)
            if known is None and address != KERNEL_EMAIL:
                return users.add(connection, email=address, role=role, password=digest)
            if known is None or known.active:
                return None
            users.change(connection, known.id, active=True, role=role, password=digest)
            return users.get(connection, known.id)

        try:
            added = await self.database.write(job)
        except IntegrityError:  # another process added the same one at the same moment
            added = None
        if added is None:
            raise InvalidRequest(f"There is a user {address} already.", param="email")
        return added

    async def users(self) -> list[User]:
        """Return all users, by email."""
        return await self.database.read(users.everyone)

    async def user(self, email: str) -> User:
        """Return the user of that email; raises `UnknownName` if there is none."""
        address = email_key(email)
        found = await self.database.read(lambda connection: users.by_email(connection, address))
        if found is None and address == KERNEL_EMAIL:
            return await self.database.write(_kernel_user)
        if found is None:
            raise UnknownName("user", email, [each.email for each in await self.users()], param="user")
        return found

    async def set_password(self, email: str, password: str) -> None:
        """Give a user a password, and end their sign-ins."""
        digest = await self._passwords.hash(password)
        await self._change(email, sign_out=True, password=digest)

    async def set_role(self, email: str, role: Role) -> None:
        """Give a user a role, from the next request on."""
        await self._change(email, role=role)

    async def deactivate(self, email: str) -> None:
        """End a user's sign-ins, revoke their keys, and let them in no more; what they made stays."""
        user = await self.user(email)

        def job(connection: Connection) -> None:
            keys.revoke_all(connection, user.id)
            users.change(connection, user.id, sign_out=True, active=False, password=None)

        await self.database.write(job)

    async def sign_in(self, email: str, password: str) -> SignIn:
        """Return a token; a wrong email and a wrong password take the same time and raise the same error.

        Raises `NotAuthenticated`, or `RateLimited` after ten attempts in a minute.
        """
        address = email_key(email)
        name = f"sign-in {_digest(address)}"  # what people take for the email field may be a password
        if wait := await self._attempts.take(name, SIGN_INS_PER_MINUTE):
            raise RateLimited("Too many attempts to sign in. Wait a minute.", retry_after=wait)
        found = await self.database.read(lambda connection: users.with_password(connection, address))
        user, digest = found or (None, None)
        if not await self._passwords.check(digest, password) or user is None:
            raise NotAuthenticated("The email or the password is wrong.")
        await self._attempts.forget(name)
        token, expires_at = await self.sessions.issue(user)
        return SignIn(user=user, token=token, expires_at=expires_at)

    # -- keys ---------------------------------------------------------------------------------------------------

    async def create_key(
        self,
        user: str,
        *,
        name: str,
        expires_at: datetime | None = None,
        agents: Sequence[str] | None = None,
        requests_per_minute: int | None = None,
    ) -> NewKey:
        """Make a key for the user of that id; None means no end, every agent, any number of requests.

        Raises `InvalidRequest` for what a key can't have: no name, an end in the past, no agent at all.
        """
        now = datetime.now(UTC)
        _check(name=name.strip(), now=now, expires_at=expires_at, agents=agents, per_minute=requests_per_minute)
        secret = f"sk-{secrets.token_hex(32)}"
        key = ApiKey(
            id=new_id("key"),
            user=user,
            name=name.strip(),
            prefix=secret[:PREFIX_LENGTH],
            agents=None if agents is None else tuple(dict.fromkeys(agents)),
            requests_per_minute=requests_per_minute,
            created_at=now,
            expires_at=expires_at,
        )

        def job(connection: Connection) -> None:
            owner = _kernel_user(connection) if user == KERNEL.user else users.get(connection, user)
            if owner is None or not owner.active:
                raise InvalidRequest("There is no such account any more. Add the user first.", param="user")
            keys.add(connection, key, _digest(secret))

        await self.database.write(job)
        return NewKey(key=key, secret=Secret(secret))

    async def first_key(self) -> NewKey | None:
        """Make a key for the kernel's own account if nobody has an account yet; None otherwise."""
        if await self.users():
            return None
        return await self.create_key(KERNEL.user, name="first key")

    async def keys(self, user: str | None = None) -> list[ApiKey]:
        """Return the keys of the user of that id, or all, newest first."""
        return await self.database.read(lambda connection: keys.recent(connection, user))

    async def revoke_key(self, key_id: str, *, user: str | None = None) -> None:
        """Revoke a key, of the user of that id or of anybody; raises `UnknownName` if there is none."""
        if not await self.database.write(lambda connection: keys.revoke(connection, key_id, user)):
            raise UnknownName("key", key_id, param="id")

    async def find_key(self, secret: str) -> tuple[ApiKey, User] | None:
        """Return a key that is valid now, with its user; None if it is unknown, revoked, expired or its user's gone."""
        digest = _digest(secret)

        def job(connection: Connection) -> tuple[ApiKey, User | None] | None:
            for key, stored in keys.find(connection, secret[:PREFIX_LENGTH]):
                if hmac.compare_digest(stored, digest):
                    return key, users.get(connection, key.user)
            return None

        key, user = await self.database.read(job) or (None, None)
        if key is None or user is None or not user.active:
            return None
        return None if key.expires_at and key.expires_at <= datetime.now(UTC) else (key, user)

    async def _change(self, email: str, *, sign_out: bool = False, **values: Any) -> None:
        user = await self.user(email)
        await self.database.write(lambda connection: users.change(connection, user.id, sign_out=sign_out, **values))


def _digest(secret: str) -> str:
    # A plain hash is enough: nobody can guess 256 random bits.
    return hashlib.sha256(secret.encode()).hexdigest()


def _kernel_user(connection: Connection) -> User:
    known = users.get(connection, KERNEL.user)
    return known or users.add(connection, email=KERNEL_EMAIL, role=KERNEL.role, user_id=KERNEL.user)


def _check(
    *, name: str, now: datetime, expires_at: datetime | None, agents: Sequence[str] | None, per_minute: int | None
) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"A key's name has 1 to {LONGEST_NAME} characters, in one line.", param="name")
    if expires_at is not None and expires_at.tzinfo is None:
        raise InvalidRequest("The key's end needs a time zone.", param="expires_at")
    if expires_at is not None and expires_at <= now:
        raise InvalidRequest("The key's end lies in the past.", param="expires_at")
    if agents is not None and not agents:
        raise InvalidRequest("Name at least one agent, or leave 'agents' out for all.", param="agents")
    if per_minute is not None and not 1 <= per_minute <= MOST_PER_MINUTE:
        raise InvalidRequest(f"A key may make 1 to {MOST_PER_MINUTE} requests per minute.", param="requests_per_minute")
