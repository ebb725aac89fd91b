"""An issuer's keys: found, fetched, kept for a while, and found again when a token names one that isn't there."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import TYPE_CHECKING, Any

import anyio
import httpx2
import jwt
import msgspec

from agentbench.config.url import secure_url
from agentbench.errors import IssuerUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench.config.remote import Oidc

__all__ = ["ALGORITHMS", "IssuerKeys"]

_log = logging.getLogger(__name__)

ALGORITHMS = {f"{kind}{size}": "RSA" for kind in ("RS", "PS") for size in (256, 384, 512)} | {
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
}
"""The signatures that are accepted, each with the kind of key that makes it: RSA, or a curve. RFC 7518, 3.1."""

SHORTEST_S, LONGEST_S = 60.0, 600.0
"""How long keys are kept, whatever the issuer says; in between it is asked."""

AT_MOST_EVERY_S = 10.0
LARGEST = 512 * 1024
PATIENCE_S = 10.0
MOST_CANDIDATES = 8
_PUBLIC_PARTS = ("kty", "n", "e", "crv", "x", "y")
_MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b")


class IssuerKeys:
    """The keys of one issuer. It is asked every ten seconds at most, and one request at a time."""

    def __init__(self, oidc: Oidc, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._oidc = oidc
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: list[dict[str, Any]] = []
        self._tried = self._fetched = self._stale = float("-inf")

    async def find(self, kid: str | None, algorithm: str) -> list[jwt.PyJWK]:
        """Return the keys that can have made such a signature; raises `IssuerUnavailable` if none can be had at all.

        An unknown `kid` makes it look at the issuer once more.
        """
        if self._clock() >= self._stale:
            await self._refresh()
        found = self._matching(kid, algorithm)
        if not found and kid is not None:
            await self._refresh()
            found = self._matching(kid, algorithm)
        return found

    async def _refresh(self) -> None:
        # Whoever gives up waiting doesn't stop what others wait for.
        with anyio.CancelScope(shield=True):
            async with self._lock:
                if self._clock() - self._tried >= AT_MOST_EVERY_S:
                    self._tried = self._clock()
                    await self._fetch()
        if self._clock() - self._fetched > LONGEST_S:
            raise IssuerUnavailable("The keys of the token's issuer can't be fetched now. Try again in a moment.")

    async def _fetch(self) -> None:
        """Replace the keys; those that there are stay if it fails, for the log to say why."""
        try:
            with anyio.fail_after(PATIENCE_S):
                async with httpx2.AsyncClient(timeout=PATIENCE_S) as client:
                    url = self._oidc.jwks_uri or await _discover(client, self._oidc.issuer)
                    document, headers = await _get(client, url)
            keys = msgspec.convert(document.get("keys"), list[dict[str, Any]])
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, RecursionError) as error:
            _log.warning("the keys of %s can't be fetched: %s: %s", self._oidc.issuer, type(error).__name__, error)
            return
        self._keys, self._fetched = keys, self._clock()
        self._stale = self._fetched + _age(headers)

    def _matching(self, kid: str | None, algorithm: str) -> list[jwt.PyJWK]:
        fitting = [each for each in self._keys if _fits(each, kid, algorithm)]
        return list(_usable(fitting[:MOST_CANDIDATES], algorithm))


async def _discover(client: httpx2.AsyncClient, issuer: str) -> str:
    """Return where the issuer says its keys are. OpenID Connect Discovery 1.0, 4."""
    document, _ = await _get(client, f"{issuer}/.well-known/openid-configuration")
    if str(document.get("issuer")).rstrip("/") != issuer:
        raise ValueError("its discovery document is another issuer's")
    return secure_url(str(document.get("jwks_uri")))


async def _get(client: httpx2.AsyncClient, url: str) -> tuple[dict[str, Any], httpx2.Headers]:
    # Not compressed: a little body could hide a large one.
    wanted = {"accept": "application/json", "accept-encoding": "identity"}
    async with client.stream("GET", url, headers=wanted) as response:
        if response.status_code != httpx2.codes.OK:
            raise ValueError(f"HTTP {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > LARGEST:
                raise ValueError(f"more than {LARGEST} bytes")
    document = msgspec.json.decode(body, type=dict[str, Any])
    return document, response.headers


def _age(headers: httpx2.Headers) -> float:
    """Return for how many seconds the keys are kept before the issuer is asked again."""
    said = _MAX_AGE.search(headers.get("cache-control", ""))
    return min(max(float(said[1]), SHORTEST_S), LONGEST_S) if said else LONGEST_S


def _fits(key: dict[str, Any], kid: str | None, algorithm: str) -> bool:
    kind = key.get("crv") if key.get("kty") == "EC" else key.get("kty")
    return (
        kind == ALGORITHMS[algorithm]
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and (kid is None or key.get("kid") == kid)
    )


def _usable(keys: list[dict[str, Any]], algorithm: str) -> Iterator[jwt.PyJWK]:
    for key in keys:
        public = {part: key[part] for part in _PUBLIC_PARTS if part in key}
        try:
            yield jwt.PyJWK(public, algorithm)
        except (jwt.PyJWTError, ValueError, TypeError):
            _log.warning("a key of the issuer can't be read")
