"""The merge: who said what about an endpoint, in which order it counts, and where it was written.

A layer holds the keys that one place sets. For a key the highest layer that sets it wins; only headers are merged one
by one. What comes out knows what it overrode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

__all__ = ["HEADERS", "UNITED", "Layer", "LayerName", "Setting", "merged", "values_of"]

LayerName = Literal["default", "environment", "endpoint", "agents", "all", "session", "agent"]

_ORDER: tuple[LayerName, ...] = ("default", "environment", "endpoint", "agents", "all", "session", "agent")
# LibreChat's docs: what `all` sets overrides the endpoints, but of two equal headers the endpoint's wins.
_HEADER_ORDER: tuple[LayerName, ...] = ("default", "all", "agents", "environment", "endpoint", "session", "agent")

HEADERS = "headers"
UNITED = "anthropic-beta"
"""A header that is a list of wishes, none of which contradicts another."""


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """What one place says, by key, and where each was written."""

    name: LayerName
    values: Mapping[str, Any]
    origins: Mapping[str, str] = {}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A key's value, who set it and where, and the settings that it overrode, the nearest first.

    For headers `parts` tells the same of each one; their own layer is the highest that has any.
    """

    key: str
    value: Any
    layer: LayerName
    origin: str
    overrode: tuple[Setting, ...] = ()
    parts: Mapping[str, Setting] = {}


def merged(layers: Sequence[Layer]) -> dict[str, Setting]:
    """Return what counts for each key, in the order in which the keys were first met."""
    ordered = sorted(layers, key=lambda layer: _ORDER.index(layer.name))
    out: dict[str, Setting] = {}
    for layer in ordered:
        for key, value in layer.values.items():
            if key == HEADERS:
                out[key] = _headers(layers)
            else:
                out[key] = _over(out.get(key), _setting(layer, key, value))
    return out


def values_of(settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Return just the values."""
    return {key: each.value for key, each in settings.items()}


def _setting(layer: Layer, key: str, value: object) -> Setting:
    return Setting(key=key, value=value, layer=layer.name, origin=layer.origins.get(key, "built in"))


def _over(lower: Setting | None, upper: Setting) -> Setting:
    if lower is None:
        return upper
    below = (msgspec.structs.replace(lower, overrode=()), *lower.overrode)
    return msgspec.structs.replace(upper, overrode=below)


def _headers(layers: Sequence[Layer]) -> Setting:
    ordered = sorted(layers, key=lambda layer: _HEADER_ORDER.index(layer.name))
    parts: dict[str, Setting] = {}
    for layer in ordered:
        for name, value in layer.values.get(HEADERS, {}).items():
            new = msgspec.structs.replace(_setting(layer, f"{HEADERS}.{name}", value), origin=_origin(layer, name))
            lower = parts.pop(name.casefold(), None)
            parts[name.casefold()] = _united(lower, new) if name.casefold() == UNITED else _over(lower, new)
    by_name = {each.key.removeprefix(f"{HEADERS}."): each for each in parts.values()}
    top = next((layer for layer in reversed(ordered) if layer.values.get(HEADERS)), ordered[0])
    values = {name: each.value for name, each in by_name.items()}
    return msgspec.structs.replace(_setting(top, HEADERS, values), parts=by_name)


def _origin(layer: Layer, name: str) -> str:
    return layer.origins.get(f"{HEADERS}.{name}") or layer.origins.get(HEADERS, "built in")


def _united(lower: Setting | None, upper: Setting) -> Setting:
    if lower is None:
        return upper
    return msgspec.structs.replace(_over(lower, upper), value=lower.value.united(upper.value))
