"""The composition root: `Workbench` and the sides of it."""

from __future__ import annotations

from agentbench.gateway.stream import Stream
from agentbench.workbench.workbench import Workbench, served_app

__all__ = ["Stream", "Workbench", "served_app"]
