"""Who gets in: from the credential of a request to a principal."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import jwt

from agentbench.auth.limits import SharedWindow
from agentbench.auth.oidc import OidcTokens
from agentbench.auth.outside import user_of
from agentbench.auth.principal import Principal
from agentbench.auth.sessions import ISSUER
from agentbench.errors import MissingCredential, NotAuthenticated, PermissionDenied, RateLimited
from agentbench.storage import keys

if TYPE_CHECKING:
    from agentbench.auth.accounts import Accounts
    from agentbench.config.remote import RemoteAccess, RemoteRight
    from agentbench.storage.keys import ApiKey
    from agentbench.storage.users import User

__all__ = ["Gate"]

_log = logging.getLogger(__name__)

_KEY = re.compile(r"sk-[0-9a-f]{64}")
_TOKEN = re.compile(r"[\w-]+\.[\w-]*\.[\w-]*", re.ASCII)
LONGEST = 16_384
NOTED_EVERY = timedelta(minutes=1)


class Gate:
    """Lets callers in that show an API key, a sign-in or a token of the configured issuer."""

    def __init__(self, access: RemoteAccess, accounts: Accounts) -> None:
        self.access = access
        self.accounts = accounts
        self._oidc = OidcTokens(access.oidc) if access.oidc else None
        self._requests = SharedWindow(accounts.database)
        self._uses = _LastUses(accounts)

    async def admit(self, credential: str | None) -> Principal:
        """Return who shows this credential.

        Raises `MissingCredential`, `NotAuthenticated`, `RateLimited` and what `OidcTokens.bearer` raises.
        """
        if not credential:
            raise MissingCredential("This needs a credential: send an API key as 'Authorization: Bearer KEY'.")
        if len(credential) <= LONGEST and _TOKEN.fullmatch(credential):
            return await self._by_token(credential)
        return await self._by_key(credential)

    def require(self, right: RemoteRight, principal: Principal) -> None:
        """Raise `PermissionDenied` if the principal lacks the right; the kernel has them all."""
        if principal.remote and not self.access.allows(right, principal.role):
            raise PermissionDenied(f"This account lacks the right 'remoteAgents.{right}'. Ask the operator for it.")

    def require_address(self, path: str, principal: Principal) -> None:
        """Raise `PermissionDenied` if the principal shows an API key at an address where keys don't count."""
        if principal.key is not None and not self.access.allows_keys_at(path):
            raise PermissionDenied(f"API keys may not be used at {path}. Ask the operator, or sign in.")

    async def _by_token(self, token: str) -> Principal:
        if _issuer(token) == ISSUER:
            user = await self.accounts.sessions.user(token)
            return Principal(user=user.id, role=user.role, remote=True, signed_in=True)
        if self._oidc is None:
            raise NotAuthenticated("Tokens of other issuers aren't accepted here. Send an API key.")
        bearer = await self._oidc.bearer(token)
        user = await user_of(self.accounts.database, bearer, provision=self.access.auto_provision)
        return Principal(user=user.id, role=user.role, remote=True, bearer=bearer)

    async def _by_key(self, secret: str) -> Principal:
        if not self.access.api_keys and secret.startswith("sk-"):
            raise PermissionDenied("Use of API key is not enabled in the environment.")
        known = await self.accounts.find_key(secret) if _KEY.fullmatch(secret) else None
        if known is None:
            raise NotAuthenticated("This credential isn't valid: unknown, revoked or expired.")
        key, user = known
        limit = key.requests_per_minute
        if limit is not None and (wait := await self._requests.take(f"key {key.id}", limit)):
            raise RateLimited(f"This key may make {limit} requests per minute. Wait.", retry_after=wait)
        self._uses.note(key)
        return _holder(key, user)


def _holder(key: ApiKey, user: User) -> Principal:
    return Principal(user=user.id, role=user.role, key=key.id, agents=key.agents, remote=True)


def _issuer(token: str) -> object:
    """Return who the token says made it, so as to know who can tell; nothing is checked yet."""
    try:
        return jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return None


class _LastUses:
    """Writes down when keys were last used, once a minute each at most, while the request goes on."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._noted: dict[str, datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, key: ApiKey) -> None:
        now = datetime.now(UTC)
        last = self._noted.get(key.id) or key.last_used_at
        if last is not None and now - last < NOTED_EVERY:
            return
        self._noted[key.id] = now
        task = asyncio.create_task(
            self._accounts.database.write(lambda connection: keys.note_use(connection, key.id, now))
        )
        self._tasks.add(task)  # a task that nobody holds may vanish
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.warning("a key's last use can't be written: %s", error)
