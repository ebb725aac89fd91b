"""What holds where an agent answers: its own settings and the agents' over the endpoint's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.config.assemble import shared_fields
from agentbench.config.layers import merged, values_of
from agentbench.config.readiness import is_own

if TYPE_CHECKING:
    from agentbench.config.endpoint import Agent, Catalog, Endpoint
    from agentbench.config.layers import Layer

__all__ = ["endpoint_for", "layers_for"]


def layers_for(catalog: Catalog, endpoint: str, agent: Agent | None) -> tuple[Layer, ...]:
    """Return what an endpoint is merged from, where this agent answers, or none."""
    own = catalog.layers.get(endpoint, ())
    if agent is None:
        return own
    return (*own, *catalog.agents_layers, *([agent.layer] if agent.layer is not None else []))


def endpoint_for(catalog: Catalog, endpoint: Endpoint, agent: Agent | None) -> Endpoint:
    """Return the endpoint as it is for an agent."""
    if agent is None or not (catalog.agents_layers or agent.layer):
        return endpoint
    layers = layers_for(catalog, endpoint.name, agent)
    fields = shared_fields(values_of(merged(layers)))
    if is_own(layers, "baseURL"):  # nobody's headers go there
        fields.pop("header_templates", None)
    return msgspec.structs.replace(endpoint, **fields)
