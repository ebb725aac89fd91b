"""Placeholders in headers that stand for nothing, which are left out of what is sent."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from agentbench.config.header_templates import unknown_names
from agentbench.config.layers import HEADERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.config.endpoint import Catalog
    from agentbench.config.layers import Layer

__all__ = ["header_warnings"]


def header_warnings(catalog: Catalog) -> list[str]:
    """Return a line for each of them, with its place; `endpoints.all` is told once, not for every endpoint."""
    agents = (agent.layer for agent in catalog.agents.values() if agent.layer is not None)
    layers = chain(*catalog.layers.values(), catalog.agents_layers, agents)
    found = [line for layer in layers for line in _in_layer(layer)]
    return list(dict.fromkeys([*found, *_in_deployments(catalog)]))


def _in_layer(layer: Layer) -> Iterator[str]:
    for name, template in layer.values.get(HEADERS, {}).items():
        place = layer.origins[f"{HEADERS}.{name}"]
        yield from (f"{place}: {HEADERS}.{name}: {sentence}" for sentence in unknown_names(template))


def _in_deployments(catalog: Catalog) -> Iterator[str]:
    for endpoint in catalog.endpoints.values():
        for model, deployment in endpoint.deployments.items():
            for name, template in deployment.header_templates.items():
                place = f"{endpoint.name}/{model}: additionalHeaders.{name}"
                yield from (f"{place}: {sentence}" for sentence in unknown_names(template))
