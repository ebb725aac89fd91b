"""The Ollama behind this gateway, and which of its models a caller may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import UnknownName
from agentbench.providers.ollama import at_root
from agentbench.surfaces.ollama.names import same

if TYPE_CHECKING:
    from agentbench.auth.principal import Principal
    from agentbench.config.endpoint import Endpoint
    from agentbench.runner import Runner

__all__ = ["check_listed", "is_listed", "ollama_for", "without_prefix"]


def ollama_for(runner: Runner, principal: Principal, *, to_manage: bool = False) -> Endpoint | None:
    """Return the Ollama that answers this caller, if any does; `to_manage` one that it may change.

    An administrator may use it, as who configured it is one; others where they may name models over HTTP, and have
    agents only where they may not. A personal endpoint is the kernel's.
    """
    if not (principal.is_administrator or (runner.may_name_models(principal) and not to_manage)):
        return None
    found = (each for each in runner.catalog.endpoints.values() if each.provider == "ollama" and not each.unsupported)
    reachable = next((each for each in found if not (principal.remote and each.personal)), None)
    return None if reachable is None else at_root(reachable)


def without_prefix(model: str, endpoint: Endpoint) -> str:
    """Return what an Ollama calls the model that we call `endpoint/model`."""
    prefix, _, rest = model.partition("/")
    return rest if rest and prefix.casefold() == endpoint.name.casefold() else model


def is_listed(model: str, endpoint: Endpoint) -> bool:
    """Tell whether the operator lets a model be used: any, unless the config lists those."""
    return not endpoint.models or endpoint.fetch_models or any(same(model, each) for each in endpoint.models)


def check_listed(model: str, endpoint: Endpoint) -> None:
    """Raise `UnknownName` for a model that the config rules out."""
    if not is_listed(model, endpoint):
        raise UnknownName("model", model, endpoint.models, param="model")
