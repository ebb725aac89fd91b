"""The blocks of a config, one an endpoint, and what a session changes in them, as layers of the merge."""

from __future__ import annotations

import copy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from agentbench.config.document import document as empty
from agentbench.config.layers import HEADERS, Layer
from agentbench.config.section_layers import SHARED_KEYS, section_layer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from agentbench.config.changes import Edit, Overrides
    from agentbench.config.document import Document
    from agentbench.config.layers import LayerName
    from agentbench.config.problem import KeyPath
    from agentbench.config.schema import EndpointsSection
    from agentbench.config.section import Section

__all__ = ["SESSION", "Blocks", "overlaid", "path_of", "put", "taken_out", "without"]

SESSION = "this session"
"""The origin of what a session set."""


class _Block(NamedTuple):
    section: Section
    path: KeyPath


class Blocks:
    """The blocks of one file, by name; `changed` are the same with what a session set in them."""

    def __init__(
        self,
        written: EndpointsSection,
        changed: EndpointsSection,
        overrides: Overrides,
        document: Document,
        environ: Mapping[str, str],
    ) -> None:
        self._written = dict(_blocks(written))
        self._changed = dict(_blocks(changed))
        self._overrides = overrides
        self._document = document
        self._environ = environ

    def __contains__(self, name: str) -> bool:
        return name in self._changed

    def origin(self, name: str) -> str | None:
        """Return where an endpoint's block begins; None if it has none in the file."""
        block = self._written.get(name)
        return None if block is None else self._document.origin(block.path)

    def endpoint(self, name: str) -> list[Layer]:
        """Return what holds for an endpoint beside its defaults and the environment."""
        session = self._session("session", name)
        return [*self._layer("endpoint", name), *self.shared("all"), *session]

    def shared(self, name: LayerName) -> list[Layer]:
        """Return what `all` or `agents` say, in the file and in the session."""
        return [*self._layer(name, name, SHARED_KEYS), *self._session(name, name)]

    def _layer(self, layer: LayerName, name: str, only: Iterable[str] | None = None) -> list[Layer]:
        if (block := self._written.get(name)) is None:
            return []
        given = None if only is None else set(only)
        made = section_layer(
            layer, block.section, block.path, environ=self._environ, origin=self._document.origin, only=given
        )
        return [made] if made.values else []

    def _session(self, layer: LayerName, name: str) -> list[Layer]:
        paths = self._overrides.get(name)
        if not paths or name not in self._changed:
            return []
        block = self._changed[name]
        keys = {path[0] for path in paths}
        made = section_layer(
            layer, block.section, block.path, environ=self._environ, origin=lambda _: SESSION, only=keys
        )
        return [_narrowed(made, paths)]


def path_of(data: Any, name: str) -> KeyPath:
    """Return where the block of an endpoint is, or would be."""
    custom = data.get("endpoints", {}).get("custom") if isinstance(data, dict) else None
    for index, each in enumerate(custom if isinstance(custom, list) else ()):
        if isinstance(each, dict) and str(each.get("name", "")).strip() == name:
            return ("endpoints", "custom", index)
    return ("endpoints", name)


def overlaid(document: Document, overrides: Overrides) -> Document:
    """Return the document with what a session set in it; what is wrong with that has no place in the file."""
    data = copy.deepcopy(document.data)
    for name, changes in overrides.items():
        for path, value in changes.items():
            put(data, (*path_of(document.data, name), *path), value)
    return msgspec.structs.replace(document, data=data, label=None)


def without(document: Document | None, edits: Iterable[Edit]) -> Document:
    """Return the document, or an empty one for none, without the keys that these edits are about."""
    found = document or empty({})
    data = copy.deepcopy(found.data)
    for each in edits:
        taken_out(data, (*path_of(found.data, each.block), *each.path))
    return msgspec.structs.replace(found, data=data)


def put(data: Any, path: KeyPath, value: object) -> None:
    """Set what stands at a path in plain values; the mappings on the way are made where they are missing."""
    for part in path[:-1]:
        if isinstance(part, str) and data.get(part) is None:
            data[part] = {}
        data = data[part]
        if not isinstance(data, dict | list):
            return  # what stands there is wrong already, and said to be
    data[path[-1]] = value


def taken_out(data: Any, path: KeyPath) -> None:
    """Take a key out of plain values, if it is there."""
    for part in path[:-1]:
        data = data.get(part) if isinstance(data, dict) else data[part]
        if data is None:
            return
    data.pop(path[-1], None)


def _blocks(written: EndpointsSection) -> Iterator[tuple[str, _Block]]:
    for field, info in type(written).model_fields.items():
        name, value = info.alias or field, getattr(written, field)
        if name == "custom":
            for index, each in enumerate(value):
                yield each.name, _Block(each, ("endpoints", name, index))
        elif value is not None:
            yield name, _Block(value, ("endpoints", name))


def _narrowed(layer: Layer, paths: Iterable[tuple[str, ...]]) -> Layer:
    """Leave only the headers that were set one by one."""
    named = {path[1] for path in paths if path[0] == HEADERS and len(path) > 1}
    if not named or (HEADERS,) in paths:
        return layer
    headers = {name: value for name, value in layer.values[HEADERS].items() if name in named}
    return msgspec.structs.replace(layer, values=MappingProxyType({**layer.values, HEADERS: headers}))
