"""From a checked section to a layer of the merge: what was written in it, as typed values, and where."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agentbench.config.endpoint import USER_PROVIDED
from agentbench.config.header_templates import parse
from agentbench.config.layers import HEADERS, Layer
from agentbench.config.rates_schema import rates_of
from agentbench.config.secret import Secret
from agentbench.config.shared_schema import SharedSection

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from agentbench.config.layers import LayerName
    from agentbench.config.problem import KeyPath
    from agentbench.config.section import Section

__all__ = ["SECRETS", "SHARED_KEYS", "defaults_layer", "section_layer"]

SHARED_KEYS = tuple(field.alias or name for name, field in SharedSection.model_fields.items())
SECRETS = ("apiKey", "secretAccessKey", "sessionToken")


def section_layer(
    name: LayerName,
    section: Section,
    path: KeyPath,
    *,
    environ: Mapping[str, str],
    origin: Callable[[KeyPath], str],
    only: Collection[str] | None = None,
) -> Layer:
    """Return the keys that were written in a section, all or `only` some."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for field, info in type(section).model_fields.items():
        key = info.alias or field
        if field in section.model_fields_set and (only is None or key in only):
            values[key] = _typed(key, getattr(section, field), environ)
            origins[key] = origin((*path, key))
    for header in values.get(HEADERS, ()):
        origins[f"{HEADERS}.{header}"] = origin((*path, HEADERS, header))
    return Layer(name=name, values=MappingProxyType(values), origins=MappingProxyType(origins))


def defaults_layer(section: type[Section]) -> Layer:
    """Return what holds for a kind of endpoint where nobody says otherwise."""
    fields = {info.alias or name: info for name, info in section.model_fields.items()}
    values = {
        key: info.get_default(call_default_factory=True) for key, info in fields.items() if not info.is_required()
    }
    return Layer(name="default", values=values)


def _typed(key: str, value: Any, environ: Mapping[str, str]) -> Any:
    if key == HEADERS:
        return {name: parse(written, environ) for name, written in value.items()}
    if key == "tokenConfig":
        return rates_of(value)
    if key in SECRETS and isinstance(value, str) and value != USER_PROVIDED:
        return Secret(value)
    return value
