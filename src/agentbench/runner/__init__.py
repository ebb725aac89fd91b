"""One turn, from request to stored answer."""

from __future__ import annotations

from agentbench.runner.run import Run
from agentbench.runner.runner import Runner
from agentbench.runner.turn import Cell, Turn

__all__ = ["Cell", "Run", "Runner", "Turn"]
