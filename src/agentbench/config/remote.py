"""Who may reach the agents over HTTP, and how they show who they are; the keys are in `remote_schema.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Oidc", "RemoteAccess", "RemoteRight", "Role", "with_environ"]

Role = Literal["ADMIN", "USER"]
RemoteRight = Literal["use", "create", "share", "public"]

_ON, _OFF = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class Oidc(msgspec.Struct, frozen=True, kw_only=True):
    """The issuer whose tokens are accepted, and what they must hold.

    `jwks_uri` None means: as the issuer's discovery document says. Every scope of `scopes` is required.
    """

    issuer: str
    audience: str
    jwks_uri: str | None = None
    scopes: tuple[str, ...] = ()


class RemoteAccess(msgspec.Struct, frozen=True, kw_only=True):
    """What callers over HTTP may do, and which credentials count.

    A right that is None is as the operator left it: administrators have it, users don't. `models` lets callers name an
    `endpoint/model` in place of an agent, whatever their role. An API key counts at the `allowed_endpoints` (addresses,
    each with all below it); None means everywhere.
    """

    use: bool | None = None
    create: bool | None = None
    share: bool | None = None
    public: bool | None = None
    models: bool = False
    api_keys: bool = True
    allowed_endpoints: tuple[str, ...] | None = None
    oidc: Oidc | None = None
    auto_provision: bool = False

    def allows(self, right: RemoteRight, role: Role) -> bool:
        """Return whether a role has a right; one that was written down holds for every role."""
        written: bool | None = getattr(self, right)
        return role == "ADMIN" if written is None else written

    def allows_keys_at(self, path: str) -> bool:
        """Return whether an API key counts at an address."""
        if self.allowed_endpoints is None:
            return True
        allowed = (each.rstrip("/") for each in self.allowed_endpoints)
        return any(path == each or path.startswith(f"{each}/") for each in allowed)


def with_environ(access: RemoteAccess, environ: Mapping[str, str]) -> RemoteAccess:
    """Return what the environment makes of it: it can switch API keys off, and name where they count.

    What was written counts before it. The variables are Open WebUI's.
    """
    api_keys = access.api_keys and _word(environ, "ENABLE_API_KEYS") not in _OFF
    allowed = access.allowed_endpoints
    if allowed is None and _word(environ, "ENABLE_API_KEYS_ENDPOINT_RESTRICTIONS") in _ON:
        named = environ.get("API_KEYS_ALLOWED_ENDPOINTS", "").split(",")
        allowed = tuple(each.strip() for each in named if each.strip())
    return msgspec.structs.replace(access, api_keys=api_keys, allowed_endpoints=allowed)


def _word(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip().casefold()
