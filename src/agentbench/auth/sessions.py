"""Sign-ins: tokens of our own, signed with a secret that the gateways on one database share."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
from sqlalchemy.exc import IntegrityError

from agentbench.config.endpoint import Secret
from agentbench.errors import NotAuthenticated, TokenExpired
from agentbench.storage import secrets as stored_secrets
from agentbench.storage import users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agentbench.storage.database import Database
    from agentbench.storage.users import User

__all__ = ["ISSUER", "Sessions"]

ISSUER = "agentbench"
LIFETIME = timedelta(hours=12)
_ALGORITHM = "HS256"
_SECRET_NAME = "session_signing"  # noqa: S105 - the name of a row, not what is in it
_REQUIRED = ["iss", "aud", "sub", "iat", "exp", "generation"]


class Sessions:
    """Makes and reads the tokens that a sign-in gives; a user's new `generation` makes the older ones void."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._secret: Secret | None = None

    async def issue(self, user: User) -> tuple[Secret, datetime]:
        """Return a token, and the moment until which it holds."""
        now = datetime.now(UTC).replace(microsecond=0)
        claims = {
            "iss": ISSUER,
            "aud": ISSUER,
            "sub": user.id,
            "id": user.id,  # where Open WebUI's clients look
            "iat": now,
            "exp": now + LIFETIME,
            "generation": user.generation,
        }
        return Secret(jwt.encode(claims, await self._signing_secret(), _ALGORITHM)), now + LIFETIME

    async def user(self, token: str) -> User:
        """Return whose token it is; raises `NotAuthenticated` or `TokenExpired`."""
        claims = _claims(token, await self._signing_secret())
        found = await self._database.read(lambda connection: users.get(connection, claims["sub"]))
        if found is None or not found.active or found.generation != claims["generation"]:
            raise NotAuthenticated("This sign-in has ended. Sign in again.")
        return found

    async def _signing_secret(self) -> str:
        if self._secret is None:
            self._secret = Secret(await self._read_or_make())
        return self._secret.reveal()

    async def _read_or_make(self) -> str:
        try:
            return await self._database.write(_stored_secret)
        except IntegrityError:  # another process made it at the same moment
            return await self._database.write(_stored_secret)


def _claims(token: str, secret: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token, secret, algorithms=[_ALGORITHM], audience=ISSUER, issuer=ISSUER, options={"require": _REQUIRED}
        )
    except jwt.ExpiredSignatureError:
        raise TokenExpired("This sign-in has expired. Sign in again.") from None
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise NotAuthenticated("This sign-in token isn't valid. Sign in again.") from None
    return claims


def _stored_secret(connection: Connection) -> str:
    if (found := stored_secrets.get(connection, _SECRET_NAME)) is not None:
        return found
    made = secrets.token_hex(32)
    stored_secrets.put(connection, _SECRET_NAME, made)
    return made
