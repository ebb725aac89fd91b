"""Which agent, endpoint and model a turn means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.discover import how_to_offer
from agentbench.config.effective import endpoint_for
from agentbench.config.endpoint import Agent, Endpoint
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.values import Value

if TYPE_CHECKING:
    from agentbench.config.endpoint import Catalog

__all__ = ["Target", "find_target", "model_names", "reachable"]


class Target(Value, frozen=True, kw_only=True):
    """Who answers. `agent` is None for a bare model."""

    agent: Agent | None
    endpoint: Endpoint
    model: str

    @property
    def name(self) -> str:
        """The endpoint and the model, as people write them: `endpoint/model`."""
        return f"{self.endpoint.name}/{self.model}"


def find_target(
    catalog: Catalog,
    *,
    agent: str | None,
    model: str | None,
    remote: bool = False,
    persona: Agent | None = None,
) -> Target:
    """Return who answers; `model` overrides the agent's, and `remote` says that the caller came over HTTP.

    A `persona` is an agent that the catalog doesn't have, in place of `agent`.

    Raises `UnknownName` with the nearest name, or `InvalidRequest` where an endpoint has no default model, or answers
    nobody who is remote.
    """
    found = catalog.agent(agent) if agent is not None and persona is None else persona
    if found is None and model is not None and model in catalog.agents:
        found, model = catalog.agents[model], None
    if model is not None:
        endpoint, name = _split(catalog, model, found)
    else:
        found = found or catalog.default_agent
        endpoint = catalog.endpoint(found.endpoint) if found.endpoint else catalog.default_endpoint
        name = found.model
    reachable(endpoint, remote=remote)
    name = name or _default_model(endpoint)
    if endpoint.models and not endpoint.fetch_models and name not in endpoint.models:
        raise UnknownName("model", f"{endpoint.name}/{name}", model_names(catalog), param="model")
    return Target(agent=found, endpoint=endpoint_for(catalog, endpoint, found), model=name)


def reachable(endpoint: Endpoint, *, remote: bool) -> Endpoint:
    """Return the endpoint; raise `InvalidRequest` if it is personal and the caller came over HTTP."""
    if remote and endpoint.personal:
        message = f"{endpoint.name} answers only at the kernel, with the key of whoever sits there."
        raise InvalidRequest(message, param="model")
    return endpoint


def model_names(catalog: Catalog, *, remote: bool = False) -> list[str]:
    """Return every listed model as `endpoint/model`; to a `remote` caller no personal endpoint's."""
    endpoints = [each for each in catalog.endpoints.values() if not (remote and each.personal)]
    return [f"{endpoint.name}/{model}" for endpoint in endpoints for model in endpoint.models]


def _split(catalog: Catalog, model: str, agent: Agent | None) -> tuple[Endpoint, str | None]:
    """Read `endpoint/model`, `endpoint` alone, or a model that only one place can mean."""
    prefix, _, rest = model.partition("/")
    by_fold = {name.casefold(): endpoint for name, endpoint in catalog.endpoints.items()}
    if (endpoint := by_fold.get(prefix.casefold())) is not None:
        return endpoint, rest or None
    if agent is not None and agent.endpoint is not None:
        own = catalog.endpoint(agent.endpoint)
        if model in own.models:
            return own, model
    for endpoint in catalog.endpoints.values():
        if model in endpoint.models:
            return endpoint, model
    if (hint := how_to_offer(prefix)) is not None:
        raise InvalidRequest(f"There is no model {model!r}. {hint}", param="model")
    raise UnknownName("model", model, _all_names(catalog), param="model")


def _all_names(catalog: Catalog) -> list[str]:
    """Return all that `model` may be, so that a slip in any of it finds the nearest."""
    bare = [model for endpoint in catalog.endpoints.values() for model in endpoint.models]
    return [*model_names(catalog), *catalog.agents, *catalog.endpoints, *bare]


def _default_model(endpoint: Endpoint) -> str:
    if endpoint.unsupported:
        raise InvalidRequest(endpoint.unsupported, param="model")
    if endpoint.default_model is None:
        raise InvalidRequest(f"{endpoint.name} has no default model. Name one: {endpoint.name}/MODEL.", param="model")
    return endpoint.default_model
