"""The keys `interface.remoteAgents` and `endpoints.agents.remoteApi`, named as in librechat.yaml."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from agentbench.config.remote import Oidc, RemoteAccess, with_environ
from agentbench.config.section import Section
from agentbench.config.shared_schema import SharedSection
from agentbench.config.url import secure_url

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AgentsApiSection", "InterfaceSection", "remote_access"]

_UI_KEYS = (
    *("agents", "autoSubmitFromUrl", "bookmarks", "contextCost", "customWelcome", "defaultTemporaryChat"),
    *("endpointsMenu", "feedback", "fileCitations", "fileSearch", "marketplace", "mcpServers", "memories"),
    *("modelSelect", "multiConvo", "parameters", "peoplePicker", "presets", "privacyPolicy", "prompts", "runCode"),
    *("retainAgentFiles", "retentionMode", "schedules", "sharedLinks", "sidePanel", "skills", "temporaryChat*"),
    *("termsOfService", "uploads", "webSearch"),
)
_SCOPE = re.compile(r"[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+")  # RFC 6749, 3.3; but a comma is a slip for a blank


def _issuer(text: str) -> str:
    if "?" in text or "#" in text:
        raise ValueError("expected an address without '?' and '#'")
    return secure_url(text).rstrip("/")


def _scopes(text: str) -> str:
    if not all(map(_SCOPE.fullmatch, text.split())):
        raise ValueError("expected scopes with blanks between them, such as 'agents.read agents.run'")
    return text


def _address(text: str) -> str:
    if not text.startswith("/"):
        raise ValueError("expected an address that begins with a slash, such as '/api/models'")
    return text


class RemoteAgentsSection(Section):
    """What callers over HTTP may do. Left out, administrators may; written down, it holds for everybody."""

    use: bool | None = Field(
        default=None,
        examples=[True],
        description="whether callers over HTTP may use the agents; none: administrators may; see"
        " [identities](identities.md#rights)",
    )
    create: bool | None = Field(default=None, examples=[True], description="whether they may make API keys")
    share: bool | None = Field(default=None, examples=[False], description="kept for sharing agents, which comes later")
    public: bool | None = Field(default=None, examples=[False], description="the same")
    models: bool = Field(
        default=False, examples=[True], description="whether they may name an `endpoint/model` in place of an agent"
    )


class InterfaceSection(Section):
    """What people and programs may do."""

    ignored: ClassVar = dict.fromkeys(_UI_KEYS, "browser UI only")

    remote_agents: RemoteAgentsSection = Field(default_factory=RemoteAgentsSection, alias="remoteAgents")


class ApiKeySection(Section):
    """API keys of agentbench's own."""

    enabled: bool = Field(
        default=True,
        examples=[False],
        description="whether API keys count; the environment's `ENABLE_API_KEYS=false` switches them off as well",
    )
    allowed_endpoints: list[Annotated[str, AfterValidator(_address)]] | None = Field(
        default=None,
        alias="allowedEndpoints",
        examples=["[/api/models, /api/chat/completions]"],
        description="the addresses at which they count, each with all below it; none: everywhere, or those of"
        " `API_KEYS_ALLOWED_ENDPOINTS` (with commas between them) where the environment says"
        " `ENABLE_API_KEYS_ENDPOINT_RESTRICTIONS=true`",
    )


class OidcSection(Section):
    """Tokens of an outside issuer."""

    enabled: bool = Field(
        default=False,
        examples=[True],
        description="whether [an issuer's tokens](identities.md#tokens-of-an-outside-issuer) count",
    )
    issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        default=None, examples=["https://id.example"], description="the issuer's address, needed where they do"
    )
    jwks_uri: Annotated[str, AfterValidator(secure_url)] | None = Field(
        default=None,
        alias="jwksUri",
        examples=["https://id.example/jwks"],
        description="where its keys are; none: as it says itself",
    )
    audience: str | None = Field(
        default=None, min_length=1, examples=["agentbench"], description="for whom its tokens must be, needed likewise"
    )
    scope: Annotated[str, AfterValidator(_scopes)] = Field(
        default="", examples=["agents.run"], description="scopes that a token must have, with blanks between them"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.enabled and not (self.issuer and self.audience):
            raise ValueError("'enabled: true' needs both 'issuer' and 'audience'")
        return self


class RemoteAuthSection(Section):
    """Which credentials count."""

    api_key: ApiKeySection = Field(default_factory=ApiKeySection, alias="apiKey")
    oidc: OidcSection = Field(default_factory=OidcSection)
    auto_provision: bool = Field(
        default=False,
        alias="autoProvision",
        examples=[True],
        description="whether an unknown email in such a token becomes a user",
    )


class RemoteApiSection(Section):
    """The Agents API over HTTP."""

    auth: RemoteAuthSection = Field(default_factory=RemoteAuthSection)


class AgentsApiSection(SharedSection):
    """The endpoint that the agents themselves are; its shared settings hold where an agent answers."""

    ignored: ClassVar = {
        "allowedProviders": "an agent may name any endpoint of this file",
        "capabilities": "browser UI only",
        "disableBuilder": "browser UI only",
        "managementApi": "agents are written in this file",
        "maxCitations*": "retrieval.topK says how many passages an answer gets",
        "maxRecursionLimit": "agents have no limits of their own",
        "maxToolCallArgBytes": "arguments are not limited",
        "minRelevanceScore": "retrieval.threshold says it",
    }

    remote_api: RemoteApiSection = Field(default_factory=RemoteApiSection, alias="remoteApi")
    recursion_limit: int = Field(
        default=25,
        ge=1,
        alias="recursionLimit",
        examples=[10],
        description="how often a turn may call the model; the last call must answer without tools",
    )


def remote_access(interface: InterfaceSection, agents: AgentsApiSection, environ: Mapping[str, str]) -> RemoteAccess:
    """Return what was written, and what the environment says of API keys, as one value."""
    auth = agents.remote_api.auth
    allowed = auth.api_key.allowed_endpoints
    written = RemoteAccess(
        **interface.remote_agents.model_dump(),
        api_keys=auth.api_key.enabled,
        allowed_endpoints=None if allowed is None else tuple(allowed),
        oidc=_oidc(auth.oidc),
        auto_provision=auth.auto_provision,
    )
    return with_environ(written, environ)


def _oidc(written: OidcSection) -> Oidc | None:
    if not (written.enabled and written.issuer and written.audience):
        return None
    return Oidc(
        issuer=written.issuer,
        audience=written.audience,
        jwks_uri=written.jwks_uri,
        scopes=tuple(written.scope.split()),
    )
