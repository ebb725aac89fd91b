"""Bearer tokens of an outside issuer: what is checked of them, and what they say about their bearer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import jwt

from agentbench.auth.jwks import ALGORITHMS, IssuerKeys
from agentbench.auth.principal import Bearer
from agentbench.config.secret import Secret
from agentbench.errors import InsufficientScope, NotAuthenticated, TokenExpired

if TYPE_CHECKING:
    from agentbench.config.remote import Oidc

__all__ = ["OidcTokens"]

LEEWAY_S = 30
_REQUIRED = ["iss", "aud", "sub", "exp"]
_NAMES = ("email", "preferred_username", "upn")


class OidcTokens:
    """Checks the tokens of one issuer. Tokens are JSON Web Tokens, signed with a public key (RFC 9068, 4)."""

    def __init__(self, oidc: Oidc, keys: IssuerKeys | None = None) -> None:
        self._oidc = oidc
        self._keys = keys or IssuerKeys(oidc)

    async def bearer(self, token: str) -> Bearer:
        """Return whose token it is.

        Raises `NotAuthenticated`, `TokenExpired`, `InsufficientScope`, or `IssuerUnavailable` if it can't be checked.
        """
        claims = await self._claims(token)
        granted = _scopes(claims)
        if not granted.issuperset(self._oidc.scopes):
            raise InsufficientScope(f"The token needs the scopes: {' '.join(self._oidc.scopes)}.")
        if not claims["sub"]:
            raise _invalid()
        return Bearer(
            issuer=self._oidc.issuer,
            subject=claims["sub"],
            name=_name(claims),
            full_name=claims["name"] if isinstance(claims.get("name"), str) else None,
            token=Secret(token),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )

    async def _claims(self, token: str) -> dict[str, Any]:
        kid, algorithm = _header(token)
        for key in await self._keys.find(kid, algorithm):
            if (claims := self._checked(token, key, algorithm)) is not None:
                return claims
        raise _invalid()

    def _checked(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any] | None:
        """Return what the token claims; None if another key signed it."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._oidc.audience,
                issuer=[self._oidc.issuer, f"{self._oidc.issuer}/"],
                leeway=LEEWAY_S,
                options={"require": _REQUIRED, "enforce_minimum_key_length": True},
            )
        except jwt.InvalidSignatureError:
            return None
        except jwt.ExpiredSignatureError:
            raise TokenExpired("The token has expired. Get a new one from its issuer.") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _invalid() from None
        return claims


def _header(token: str) -> tuple[str | None, str]:
    """Return the key's id, and the algorithm if it is one that we accept."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise _invalid() from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _invalid()
    return header.get("kid"), algorithm


def _invalid() -> NotAuthenticated:
    """Return one error for all that can be wrong, which tells a forger nothing."""
    return NotAuthenticated("The token isn't valid here: check its issuer, audience and signature.")


def _scopes(claims: dict[str, Any]) -> set[str]:
    given = claims.get("scp", claims.get("scope", ""))
    several = given if isinstance(given, list) else [given]
    return {scope for each in several if isinstance(each, str) for scope in each.split()}


def _name(claims: dict[str, Any]) -> str | None:
    """Return the first name that there is; an email that the issuer says nobody has verified is none."""
    claim = next((each for each in _NAMES if isinstance(claims.get(each), str) and claims[each].strip()), None)
    unverified = str(claims.get("email_verified", True)).casefold() == "false"  # some issuers write it as text
    return None if claim is None or (claim == "email" and unverified) else str(claims[claim])
