"""The keys `interface.remoteAgents` and `endpoints.agents.remoteApi`, named as in librechat.yaml."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from agentbench.config.remote import Oidc, RemoteAccess
from agentbench.config.section import Section
from agentbench.config.url import secure_url

__all__ = ["AgentsApiSection", "InterfaceSection", "remote_access"]

_SCOPE = re.compile(r"[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+")  # RFC 6749, 3.3; but a comma is a slip for a blank


def _issuer(text: str) -> str:
    if "?" in text or "#" in text:
        raise ValueError("expected an address without '?' and '#'")
    return secure_url(text).rstrip("/")


def _scopes(text: str) -> str:
    if not all(map(_SCOPE.fullmatch, text.split())):
        raise ValueError("expected scopes with blanks between them, such as 'agents.read agents.run'")
    return text


class RemoteAgentsSection(Section):
    """What callers over HTTP may do. Left out, administrators may; written down, it holds for everybody."""

    use: bool | None = None
    create: bool | None = None
    share: bool | None = None
    public: bool | None = None
    models: bool = False


class InterfaceSection(Section):
    """What people and programs may do."""

    remote_agents: RemoteAgentsSection = Field(default_factory=RemoteAgentsSection, alias="remoteAgents")


class ApiKeySection(Section):
    """API keys of agentbench's own."""

    enabled: bool = True


class OidcSection(Section):
    """Tokens of an outside issuer."""

    enabled: bool = False
    issuer: Annotated[str, AfterValidator(_issuer)] | None = None
    jwks_uri: Annotated[str, AfterValidator(secure_url)] | None = Field(default=None, alias="jwksUri")
    audience: str | None = Field(default=None, min_length=1)
    scope: Annotated[str, AfterValidator(_scopes)] = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and not (self.issuer and self.audience):
            raise ValueError("'enabled: true' needs both 'issuer' and 'audience'")
        return self


class RemoteAuthSection(Section):
    """Which credentials count."""

    api_key: ApiKeySection = Field(default_factory=ApiKeySection, alias="apiKey")
    oidc: OidcSection = Field(default_factory=OidcSection)
    auto_provision: bool = Field(default=False, alias="autoProvision")


class RemoteApiSection(Section):
    """The Agents API over HTTP."""

    auth: RemoteAuthSection = Field(default_factory=RemoteAuthSection)


class AgentsApiSection(Section):
    """The endpoint that the agents themselves are."""

    remote_api: RemoteApiSection = Field(default_factory=RemoteApiSection, alias="remoteApi")
    recursion_limit: int = Field(default=25, ge=1, alias="recursionLimit")


def remote_access(interface: InterfaceSection, agents: AgentsApiSection) -> RemoteAccess:
    """Return what was written as one value."""
    auth = agents.remote_api.auth
    return RemoteAccess(
        **interface.remote_agents.model_dump(),
        api_keys=auth.api_key.enabled,
        oidc=_oidc(auth.oidc),
        auto_provision=auth.auto_provision,
    )


def _oidc(written: OidcSection) -> Oidc | None:
    if not (written.enabled and written.issuer and written.audience):
        return None
    return Oidc(
        issuer=written.issuer,
        audience=written.audience,
        jwks_uri=written.jwks_uri,
        scopes=tuple(written.scope.split()),
    )
