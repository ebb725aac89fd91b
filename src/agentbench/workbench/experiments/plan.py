"""The order of an experiment: prompt by prompt, of each way by way, of each run by run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest
from agentbench.workbench.experiments.ways import Attempt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.workbench.experiments.prompts import Prompt
    from agentbench.workbench.experiments.ways import Way

__all__ = ["attempts_of"]


def attempts_of(prompts: Sequence[Prompt], ways: Sequence[Way], runs: int) -> list[Attempt]:
    """Return what is to be tried. Raises `InvalidRequest` for less than one run."""
    if runs < 1:
        raise InvalidRequest("An experiment needs a run: runs=1 or more.", param="runs")
    return [
        Attempt(place=place, run=run, prompt=each.text, inputs=each.inputs, way=way, missing=each.missing)
        for place, each in enumerate(prompts)
        for way in ways
        for run in range(1, runs + 1)
    ]
