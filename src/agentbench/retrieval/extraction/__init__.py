"""Files to text. `extract` runs the reader of a format in a process of its own, which can't take this one with it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agentbench.retrieval.extraction.extracting import extract
    from agentbench.retrieval.extraction.kinds import content_type_of

__all__ = ["content_type_of", "extract"]

_HOMES = {"content_type_of": "kinds", "extract": "extracting"}  # the worker needs neither, and must start quickly


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'agentbench.retrieval.extraction' has no attribute {name!r}")
    return getattr(import_module(f"agentbench.retrieval.extraction.{_HOMES[name]}"), name)
