"""Reads the fields of a body that is JSON already; what has the wrong type is told by its path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["list_at", "object_at"]


def object_at(owner: Mapping[str, Any], key: str, at: str = "") -> dict[str, Any]:
    """Return the object under a key; an empty one where there is none."""
    value, path = owner.get(key), f"{at}.{key}".lstrip(".")
    if value is None or isinstance(value, dict):
        return value or {}
    raise InvalidRequest(f"{path}: expected an object.", param=path)


def list_at(owner: Mapping[str, Any], key: str, at: str = "") -> list[Any]:
    """Return the list under a key; an empty one where there is none."""
    value, path = owner.get(key), f"{at}.{key}".lstrip(".")
    if value is None or isinstance(value, list):
        return value or []
    raise InvalidRequest(f"{path}: expected a list.", param=path)
