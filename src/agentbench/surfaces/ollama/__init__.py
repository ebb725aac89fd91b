"""Ollama's API under `/ollama`: passed through to an Ollama where one is configured, else answered by our own."""

from __future__ import annotations

from agentbench.surfaces.ollama.routes import ROUTES

__all__ = ["ROUTES"]
