"""Passwords to argon2 hashes and back to yes or no, on worker threads."""

from __future__ import annotations

import secrets
from functools import cached_property

import anyio
from anyio.to_thread import run_sync
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agentbench.errors import InvalidRequest

__all__ = ["Passwords"]

SHORTEST = 8
LONGEST = 1024
AT_ONCE = 2
"""Each takes 64 MiB and a core for a twentieth of a second, and nobody needs a credential to ask for it."""


class Passwords:
    """Hashes and checks; a check takes as long where there is no password to compare with."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turns = anyio.CapacityLimiter(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return what may be stored; raises `InvalidRequest` for a password that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise InvalidRequest(f"A password has {SHORTEST} to {LONGEST} characters.", param="password")
        return await run_sync(self._hasher.hash, password, limiter=self._turns)

    async def check(self, stored: str | None, password: str) -> bool:
        """Return whether the password is right; with nothing stored it is not."""
        return await run_sync(self._check, stored, password, limiter=self._turns)

    def _check(self, stored: str | None, password: str) -> bool:
        nobody = self._nobody  # made first in any case, so that the first check tells nothing either
        try:
            self._hasher.verify(stored or nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    @cached_property
    def _nobody(self) -> str:
        """The hash of a password that nobody has."""
        return self._hasher.hash(secrets.token_hex())
