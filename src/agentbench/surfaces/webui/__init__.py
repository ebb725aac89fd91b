"""Open WebUI's API: chat, models, files, knowledge and retrieval, each a file of routes with full paths.

Signing in is in `auths`, whose routes stand on the gateway's own gate.
"""

from __future__ import annotations

from agentbench.surfaces.webui import chat, embeddings, files, knowledge, messages, models, retrieval, server

__all__ = ["ROUTES"]

ROUTES = (
    *models.ROUTES,
    *chat.ROUTES,
    *messages.ROUTES,
    *embeddings.ROUTES,
    *files.ROUTES,
    *knowledge.ROUTES,
    *retrieval.ROUTES,
    *server.ROUTES,
)
