"""The agents and models that a caller may name, in OpenAI's list form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["list_models", "one_model"]


def list_models(runner: Runner, principal: Principal) -> dict[str, Any]:
    """Return agents first, then every listed `endpoint/model`, as far as the principal may name them."""
    return {"object": "list", "data": [_row(name) for name in runner.names_for(principal)]}


def one_model(runner: Runner, principal: Principal, name: str) -> dict[str, Any]:
    """Return one agent or `endpoint/model`; raises `UnknownName`, also for what the principal may not name."""
    names = runner.names_for(principal)
    if name not in names:
        raise UnknownName("model", name, names, param="model")
    return _row(name)


def _row(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "agentbench"}
