"""The configured headers of an endpoint as they would be sent, for people to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.effective import endpoint_for
from agentbench.config.header_facts import AS_WRITTEN, KERNEL_FACTS
from agentbench.config.header_templates import overridden

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.config.endpoint import Catalog

__all__ = ["headers_preview"]


def headers_preview(catalog: Catalog, endpoint: str, *, agent: str | None = None) -> Mapping[str, str]:
    """Return the headers as the person at the kernel sends them, secrets masked; see `Config.preview_headers`."""
    known = None if agent is None else catalog.agent(agent)
    made = endpoint_for(catalog, catalog.endpoint(endpoint), known)
    deployment = made.deployments.get(made.default_model or "")
    templates = overridden(made.header_templates, deployment.header_templates if deployment else {})
    facts = {**KERNEL_FACTS, **AS_WRITTEN}
    shown = {name: each.preview(name, facts) for name, each in templates.items()}
    return {name: value for name, value in shown.items() if value is not None}
