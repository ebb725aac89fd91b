"""The assistants that live here: made, kept and run on the runner."""

from __future__ import annotations

from agentbench.runner.assistants.running import Running

__all__ = ["Assistants"]


class Assistants(Running):
    """Assistants, threads, messages, runs, files and vector stores. All calls belong on the runner's event loop.

    Each call names its `principal`; what that one may not see isn't there: `UnknownName`. `aclose` ends the runs.
    """
