"""Who may reach the agents over HTTP, and how they show who they are; the keys are in `remote_schema.py`."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Oidc", "RemoteAccess", "RemoteRight", "Role"]

Role = Literal["ADMIN", "USER"]
RemoteRight = Literal["use", "create", "share", "public"]


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
    `endpoint/model` in place of an agent, whatever their role.
    """

    use: bool | None = None
    create: bool | None = None
    share: bool | None = None
    public: bool | None = None
    models: bool = False
    api_keys: bool = True
    oidc: Oidc | None = None
    auto_provision: bool = False

    def allows(self, right: RemoteRight, role: Role) -> bool:
        """Return whether a role has a right; one that was written down holds for every role."""
        written: bool | None = getattr(self, right)
        return role == "ADMIN" if written is None else written
