"""Who is asked: what people name as answerers, and what to call each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.runner.target import Target
    from agentbench.workbench.answerers import Answerers

__all__ = ["Candidate", "Named", "answerers_of"]

Named = str | Mapping[str, Any]
"""An agent's id, an `endpoint/model`, an endpoint's name, or options of `Workbench.stream`."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who is asked. `options` go to `Workbench.stream`, `target` is who answers, `label` is unique among all.

    `target` is as it is when it is named: a run finds its own.
    """

    label: str
    options: Mapping[str, Any]
    target: Target

    @property
    def agent(self) -> str | None:
        """The id of the agent that was named, if one was."""
        return self.options.get("agent")


def answerers_of(bench: Answerers, names: Named | Sequence[Named]) -> list[Candidate]:
    """Return whom these names mean, in their order; no name at all means the default agent.

    Raises `UnknownName` with the nearest name, or `InvalidRequest` for what is no name.
    """
    several = [names] if isinstance(names, str | Mapping) else list(names)
    options = [_options(bench, each) for each in several or [{}]]
    targets = [bench.find_target(each.get("agent"), each.get("model")) for each in options]
    labels = _unique([_label(one, target) for one, target in zip(options, targets, strict=True)])
    return [Candidate(*each) for each in zip(labels, options, targets, strict=True)]


def _options(bench: Answerers, named: Named) -> dict[str, Any]:
    if isinstance(named, Mapping):
        return dict(named)
    if not isinstance(named, str):
        message = f"{named!r} names nobody. Write an agent, an ENDPOINT/MODEL, or a dict of options."
        raise InvalidRequest(message, param="answerers")
    name = named.strip()
    if name in bench.catalog.agents:
        return {"agent": name}
    endpoint, has_model, _ = name.partition("/")
    if endpoint.casefold() in {each.casefold() for each in bench.catalog.endpoints}:
        return {"model": name}
    try:
        return {"agent": bench.find_agent(name).id}
    except UnknownName as error:
        if error.kind != "agent":
            raise
        return {"model": _model(bench, name, has_slash=bool(has_model))}


def _model(bench: Answerers, name: str, *, has_slash: bool) -> str:
    """Return a model that only one place can mean; raise `UnknownName` with the nearest of all that may be named."""
    listed = [f"{each.name}/{model}" for each in bench.catalog.endpoints.values() for model in each.models]
    found = [each for each in listed if not has_slash and each.partition("/")[2] == name]
    if not found:
        known = [*bench.catalog.agents, *bench.catalog.endpoints, *listed]
        raise UnknownName("agent, endpoint or model", name, known, param="answerers")
    return found[0]


def _label(options: Mapping[str, Any], target: Target) -> str:
    """Say who it is, and after that what it is asked with besides."""
    named = options.get("agent") or options.get("model")
    who = str(named) if named else (target.name if target.agent is None else target.agent.id)
    if options.get("agent") and options.get("model"):
        who = f"{who} on {target.name}"
    more = [f"{name}={value}" for name, value in options.items() if name not in ("agent", "model")]
    return ", ".join([who, *more])


def _unique(labels: Sequence[str]) -> list[str]:
    """Number those that are there more than once, from their second on."""
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return found
