"""Names of models as this API writes them: `NAME:TAG`, where a missing tag means `latest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["listed_as", "model_of", "our_name", "same", "tagged"]

_LATEST = ":latest"


def tagged(name: str) -> str:
    """Return a name with its tag."""
    return name if ":" in name.rpartition("/")[2] else f"{name}{_LATEST}"


def same(one: str, other: str) -> bool:
    """Tell whether two names mean one model."""
    return tagged(one) == tagged(other)


def model_of(body: Mapping[str, Any]) -> str:
    """Return the model that a body names; `name` is the older key for it."""
    model = body.get("model") or body.get("name")
    if not isinstance(model, str) or not model:
        raise InvalidRequest("Say which model: `model` is missing.", param="model")
    return model


def listed_as(name: str, names: Iterable[str]) -> str | None:
    """Return which of our names is meant: itself with or without its tag, or a model without its endpoint."""
    names = list(names)
    whole = (each for each in names if same(each, name))
    bare = (each for each in names if "/" in each and same(each.partition("/")[2], name))
    return next(whole, None) or next(bare, None)


def our_name(runner: Runner, principal: Principal, name: str) -> str:
    """Return what we call the agent or model of that name, as far as it is listed; else the name without `:latest`."""
    return listed_as(name, runner.names_for(principal)) or name.removesuffix(_LATEST)
