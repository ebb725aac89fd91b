"""The Assistants API, version 2: each kind of its objects a file of routes.

Clients say `OpenAI-Beta: assistants=v2`. It isn't looked for: a client that says v1, or nothing, gets version 2.
"""

from __future__ import annotations

from agentbench.surfaces.assistants import assistants, files, messages, runs, steps, threads, vector_stores

__all__ = ["ROUTES"]

ROUTES = (
    *assistants.ROUTES,
    *runs.ROUTES,
    *steps.ROUTES,
    *messages.ROUTES,
    *threads.ROUTES,
    *files.ROUTES,
    *vector_stores.ROUTES,
)
