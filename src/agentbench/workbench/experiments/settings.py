"""What can be set for a way to ask: options of a question, and settings of the endpoint that answers."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentbench.config.changes import Edit
from agentbench.config.form import fields_at
from agentbench.config.layers import Layer
from agentbench.config.masking import masked
from agentbench.config.problem import spell
from agentbench.config.standing import Written
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.protocol.request import CreateResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from agentbench.config.config import Config
    from agentbench.config.endpoint import Agent, Catalog

__all__ = ["WHO", "Options", "combinations", "is_about_titles", "shown_values", "split", "tuned"]

WHO = ("agent", "model")
_OPTIONS = (*WHO, "instructions", "previous", "images", "files", "schema", "functions", "cell", "past")
_NOT_PARAMETERS = frozenset(
    ("input", "stream", "stream_options", "background", "previous_response_id", "tools", "text", *_OPTIONS)
)
_PARAMETERS = tuple(name for name in CreateResponse.__struct_fields__ if name not in _NOT_PARAMETERS)


class Options(NamedTuple):
    """What is asked with: options of `Workbench.stream`, and settings of an endpoint by key."""

    asked: dict[str, Any]
    settings: dict[str, Any]


def combinations(grid: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Yield each combination of a grid's values, the last key's changing fastest. Raises `InvalidRequest`."""
    for name, values in grid.items():
        if isinstance(values, str) or not hasattr(values, "__iter__") or not list(values):
            message = f"grid[{name!r}] is {values!r}. Give a list of values to try, even for one."
            raise InvalidRequest(message, param="grid")
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def split(config: Config, endpoint: str, given: Mapping[str, Any]) -> Options:
    """Return what is given as options and settings; raise `UnknownName` with the nearest name for what is neither."""
    keys = [each.key for each in fields_at(Written(config).path(endpoint)) if not (each.secret or each.fixed)]
    asked = {name: value for name, value in given.items() if name in _OPTIONS or name in _PARAMETERS}
    settings = {name: value for name, value in given.items() if name not in asked}
    for name in settings:
        if name.partition(".")[0] not in keys:
            raise UnknownName("option or setting", name, [*_OPTIONS, *_PARAMETERS, *keys], param=name)
    return Options(asked, settings)


def is_about_titles(settings: Mapping[str, Any]) -> bool:
    """Tell whether titles are what is tried."""
    return any(name.startswith("title") for name in settings)


def tuned(config: Config, endpoint: str, settings: Mapping[str, Any], agent: str | None) -> Catalog:
    """Return the catalog as it would be with these settings, for an agent too that has its own.

    Raises `InvalidRequest` for a value that doesn't fit.
    """
    catalog, problems = config.trial([Edit(endpoint, _path(name), value) for name, value in settings.items()])
    if catalog is None or problems:
        told = "; ".join(f"{spell(each.path)}: {each.text}" for each in problems)
        raise InvalidRequest(f"These settings don't fit. {told}", param="grid")
    if agent is not None and agent in catalog.agents:
        agents = {**catalog.agents, agent: _without(catalog.agents[agent], settings)}
        return msgspec.structs.replace(catalog, agents=agents)
    return catalog


def shown_values(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs from trial to trial besides who is asked, for a table, with secrets masked."""
    return {name: _shown(name, value) for name, value in given.items() if name not in WHO}


def _shown(name: str, value: Any) -> Any:
    if callable(value):
        return getattr(value, "__name__", str(value))
    return masked(value, _path(name))


def _path(name: str) -> tuple[str, ...]:
    head, _, rest = name.partition(".")
    return (head, rest) if rest else (head,)


def _without(agent: Agent, settings: Mapping[str, Any]) -> Agent:
    """Return an agent whose own settings don't hide these."""
    if agent.layer is None:
        return agent
    values = {key: value for key, value in agent.layer.values.items() if key not in settings}
    layer = Layer(name="agent", values=values, origins=agent.layer.origins)
    return msgspec.structs.replace(agent, layer=layer)
