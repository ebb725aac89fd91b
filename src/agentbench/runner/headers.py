"""Fills an endpoint's headers for one request: who asks, and in which conversation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from agentbench.auth.principal import KERNEL
from agentbench.config.header_facts import KERNEL_FACTS, user_facts
from agentbench.config.header_templates import BODY, CREDENTIALS, fill_headers, overridden
from agentbench.errors import TokenExpired
from agentbench.storage import users

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.auth.principal import Bearer, Principal
    from agentbench.config.endpoint import Deployment, Endpoint
    from agentbench.config.header_templates import Template
    from agentbench.storage.database import Database

__all__ = ["at_kernel", "with_headers"]

_SENT_NOWHERE = ("llama_cpp", "scripted")
_TOO_SOON = timedelta(seconds=30)  # a token that ends while it is on its way is as good as none


async def with_headers(
    endpoint: Endpoint,
    principal: Principal,
    database: Database,
    *,
    conversation: str | None = None,
    parent: str | None = None,
    message: str | None = None,
) -> Endpoint:
    """Return the endpoint with its headers filled for one request.

    Raises `TokenExpired` where a header wants the caller's token and that ends within 30 seconds.
    """
    if endpoint.assistants is not None:
        asked = msgspec.structs.replace(endpoint.assistants, user=principal.user)
        endpoint = msgspec.structs.replace(endpoint, assistants=asked)
    templates = _templates(endpoint)
    if not templates:
        return endpoint
    names = {name for template in templates for name in template.names}
    facts = {name: value for name, value in zip(BODY, (conversation, parent, message), strict=True) if value}
    if any(name.startswith("LIBRECHAT_USER_") for name in names):
        facts |= await _user_facts(principal, database)
    if principal.bearer is not None and any(name.startswith("LIBRECHAT_OPENID_") for name in names):
        facts |= _openid_facts(principal.bearer)
        if not names.isdisjoint(CREDENTIALS) and principal.bearer.expires_at - datetime.now(UTC) < _TOO_SOON:
            raise TokenExpired("The token ends before an upstream could check it. Get a new one from its issuer.")
    return _filled(endpoint, facts)


def at_kernel(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint with its headers filled for the person at the kernel, outside any conversation."""
    return _filled(endpoint, KERNEL_FACTS)


def _templates(endpoint: Endpoint) -> list[Template]:
    """Return the headers that are to be filled; a model in this process gets none."""
    if endpoint.provider in _SENT_NOWHERE:
        return []
    places: list[Endpoint | Deployment] = [endpoint, *endpoint.deployments.values()]
    return [template for place in places for template in place.header_templates.values()]


def _filled(endpoint: Endpoint, facts: Mapping[str, str]) -> Endpoint:
    """Return the endpoint with the headers to send: where there are deployments each has all of its own.

    A deployment's header that isn't sent hides the endpoint's of that name too.
    """
    if not endpoint.deployments:
        headers = {**endpoint.headers, **fill_headers(endpoint.header_templates, facts)}
        return msgspec.structs.replace(endpoint, headers=headers)
    deployments = {}
    for model, each in endpoint.deployments.items():
        templates = overridden(endpoint.header_templates, each.header_templates)
        deployments[model] = msgspec.structs.replace(each, headers={**fill_headers(templates, facts), **each.headers})
    return msgspec.structs.replace(endpoint, deployments=deployments)


async def _user_facts(principal: Principal, database: Database) -> Mapping[str, str]:
    if principal.user == KERNEL.user:
        return KERNEL_FACTS
    user = await database.read(partial(users.get, user_id=principal.user))
    return user_facts(
        user=principal.user,
        email=user.email if user is not None else "",
        role=principal.role,
        name=principal.bearer.full_name if principal.bearer is not None else None,
        subject=user.subject if user is not None else None,
    )


def _openid_facts(bearer: Bearer) -> dict[str, str]:
    token = bearer.token.reveal()
    named = {
        "ACCESS_TOKEN": token,
        "TOKEN": token,
        "USER_ID": bearer.subject,
        "USER_EMAIL": bearer.name or "",
        "USER_NAME": bearer.full_name or "",
        "EXPIRES_AT": str(int(bearer.expires_at.timestamp())),
    }
    return {f"LIBRECHAT_OPENID_{name}": value for name, value in named.items()}
