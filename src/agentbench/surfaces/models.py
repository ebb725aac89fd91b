"""The agents and models that a caller may name, in OpenAI's list form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.runner.target import model_names

if TYPE_CHECKING:
    from agentbench.runner import Runner

__all__ = ["list_models"]


def list_models(runner: Runner) -> dict[str, Any]:
    """Return agents first, then every listed `endpoint/model`."""
    names = [*runner.catalog.agents, *model_names(runner.catalog)]
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "created": 0, "owned_by": "agentbench"} for name in names],
    }
