"""Which settings an endpoint has, and where each came from; what may be secret is masked for people to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.config.discover import ASSISTANTS, KINDS
from agentbench.config.effective import layers_for
from agentbench.config.header_templates import Template
from agentbench.config.layers import HEADERS, Layer, merged
from agentbench.config.secret import MASK, Secret
from agentbench.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.config.endpoint import Catalog
    from agentbench.config.layers import Setting

__all__ = ["all_settings", "block_name", "setting_of", "shown"]

_OWN = {
    "azureOpenAI": "azureOpenAI",
    "local": "local",
    "scripted": "scripted",
    **{kind.name: kind.name for kind in KINDS},
}


def setting_of(catalog: Catalog, endpoint: str, key: str, *, agent: str | None = None) -> Setting:
    """Return one setting, in any case of both names; raises `UnknownName` with the nearest."""
    found = all_settings(catalog, block_name(catalog, endpoint), agent=agent)
    by_fold = {name.casefold(): name for name in found}
    first, _, header = key.partition(".")
    name = by_fold.get(first.casefold())
    if name is None:
        raise UnknownName("setting", key, found)
    if not header:
        return found[name]
    parts = {each.casefold(): part for each, part in found[name].parts.items()}
    if header.casefold() not in parts:
        raise UnknownName("header", header, found[name].parts)
    return parts[header.casefold()]


def block_name(catalog: Catalog, name: str) -> str:
    """Return how an endpoint is spelled; `assistants` has settings without being one. Raises `UnknownName`."""
    return ASSISTANTS if name.casefold() == ASSISTANTS else catalog.endpoint(name).name


def all_settings(catalog: Catalog, endpoint: str, *, agent: str | None = None) -> dict[str, Setting]:
    """Return every setting of an endpoint by key; `endpoint` is its exact name."""
    known = None if agent is None else catalog.agent(agent)
    return merged((_defaults(catalog, endpoint), *layers_for(catalog, endpoint, known)))


def shown(key: str, value: Any) -> str:
    """Return a value as people may see it."""
    if isinstance(value, Template):
        return value.shown(key.partition(".")[2])
    if key == HEADERS:
        return ", ".join(f"{name}: {each.shown(name)}" for name, each in value.items())
    if key == "models":
        return _models(value)
    return MASK if isinstance(value, Secret) else _plain(key, value)


def _plain(key: str, value: Any) -> str:
    if key == "tokenConfig":
        return ", ".join(f"{model}: {each.input:f} in, {each.output:f} out" for model, each in value.items())
    if key == "groups":
        return ", ".join(each.group for each in value)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool | float):
        return f"{value:g}" if isinstance(value, float) else str(value).lower()
    return "" if value is None or value == {} else str(value)


def _models(value: Any) -> str:
    listed = getattr(value, "default", value)
    names = [str(getattr(each, "name", each)) for each in listed]
    return ", ".join([*names, "and those that it lists"] if getattr(value, "fetch", False) else names)


def _defaults(catalog: Catalog, endpoint: str) -> Layer:
    from agentbench.config.schema import EndpointsSection
    from agentbench.config.section import fields_of, section_in
    from agentbench.config.section_layers import defaults_layer

    section = section_in(fields_of(EndpointsSection)[_OWN.get(endpoint, "custom")])
    values: Mapping[str, Any] = defaults_layer(section).values
    base_url = next((kind.base_url for kind in KINDS if kind.name == endpoint), None)
    local = catalog.endpoints[endpoint].models if endpoint == "local" else None
    more = {"baseURL": base_url} if base_url else {"models": local} if local else {}
    return Layer(name="default", values={**values, **more})
