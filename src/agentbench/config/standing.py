"""What holds for each key of a block now: in words for a form, with secrets masked, and where each value is from.

Values are shown as they were written: `${NAME}` stays a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agentbench.config.blocks import SESSION, overlaid, path_of
from agentbench.config.discover import ASSISTANTS
from agentbench.config.document import document
from agentbench.config.explain import all_settings
from agentbench.config.form import plain, section_at, text_of
from agentbench.config.layers import HEADERS, UNITED, merged
from agentbench.config.masking import masked
from agentbench.config.section_layers import defaults_layer

if TYPE_CHECKING:
    from agentbench.config.config import Config
    from agentbench.config.endpoint import Catalog
    from agentbench.config.layers import Layer, Setting

__all__ = ["Place", "Said", "Standing", "Written"]

Place = Literal["session", "file", ""]
"""Which of them sets a key in the block itself."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What one place says; `name` is a header's."""

    text: str
    layer: str
    origin: str
    name: str = ""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for a key, what that overrode, and for headers each of them; `value` is what a form would edit."""

    now: Said
    overrode: tuple[Said, ...] = ()
    parts: tuple[Said, ...] = ()
    default: str = ""
    value: Any = None
    here: Place = ""


class Written:
    """What was written in a config, in the file and in the session, by block and key. It holds secrets as they are."""

    def __init__(self, config: Config) -> None:
        self._document = config.document or document({})
        self._file = self._document.data
        self._catalog = config.catalog
        self._overrides = config.session
        self._changed = overlaid(self._document, self._overrides).data

    def path(self, block: str) -> tuple[str | int, ...]:
        """Return where a block is in the file, or would be."""
        return path_of(self._file, block)

    def in_file(self, block: str, path: tuple[str, ...]) -> Any:
        """Return what the file says in this block; None for nothing."""
        return _at(self._file, (*self.path(block), *path))

    def place(self, block: str, key: str) -> Place:
        """Return who sets a key in this block."""
        if any(path[0] == key for path in self._overrides.get(block, {})):
            return "session"
        return "file" if self.in_file(block, (key,)) is not None else ""

    def own(self, block: str, key: str) -> Any:
        """Return what this block says of a key, the session before the file; of headers both."""
        now = _at(self._changed, (*self.path(block), key))
        return {**(self.in_file(block, (key,)) or {}), **(now or {})} if key == HEADERS else now

    def standing(self, block: str) -> dict[str, Standing]:
        """Return what holds for each key of a block."""
        settings = self._settings(block)
        return {key: self._standing(block, key, each) for key, each in settings.items()}

    def _settings(self, block: str) -> dict[str, Setting]:
        if block in self._catalog.endpoints or block == ASSISTANTS:
            return all_settings(self._catalog, block)
        layers = self._catalog.agents_layers if block == "agents" else _of_all(self._catalog)
        return merged((defaults_layer(section_at(self.path(block))), *layers))

    def _standing(self, block: str, key: str, setting: Setting) -> Standing:
        said = [self._said(block, key, each) for each in (setting, *setting.overrode)]
        default = said[-1].text if said[-1].layer == "default" else ""
        here = self.place(block, key)
        value = self._raw(block, key, setting)
        if key == HEADERS:
            value = self.own(block, key)
        elif here and said[0].layer == "default":  # some of the agents' keys are in no layer
            value = self.own(block, key)
            said.insert(0, self._own_said(block, key, here))
        parts = tuple(self._part(block, name, each) for name, each in setting.parts.items())
        if parts:
            text = ", ".join(f"{each.name}: {each.text}" for each in parts)
            said[0] = msgspec.structs.replace(said[0], text=text)
        shown = masked(value, (key,))
        return Standing(now=said[0], overrode=tuple(said[1:]), parts=parts, default=default, value=shown, here=here)

    def _said(self, block: str, key: str, setting: Setting) -> Said:
        value = masked(self._raw(block, key, setting), (key,))
        return Said(text=text_of(value), layer=setting.layer, origin=setting.origin)

    def _own_said(self, block: str, key: str, here: Place) -> Said:
        origin = SESSION if here == "session" else self._document.origin((*self.path(block), key))
        return Said(text=text_of(masked(self.own(block, key), (key,))), layer=block, origin=origin)

    def _part(self, block: str, name: str, setting: Setting) -> Said:
        text = setting.value.shown(name)
        written = _at(self._raw(block, HEADERS, setting), (name,))
        if isinstance(written, str) and not (setting.overrode and name.casefold() == UNITED):
            text = masked(written, (HEADERS, name))
        return Said(name=name, text=text, layer=setting.layer, origin=setting.origin)

    def _raw(self, block: str, key: str, setting: Setting) -> Any:
        if setting.layer in ("default", "environment"):
            return plain(setting.value)
        data = self._changed if setting.origin == SESSION else self._file
        owner = setting.layer if setting.layer in ("all", "agents") else block
        written = _at(data, (*path_of(self._file, owner), key))
        return plain(setting.value) if written is None else written  # a group's of azureOpenAI is in no key of its own


def _of_all(catalog: Catalog) -> list[Layer]:
    return [layer for layer in next(iter(catalog.layers.values()), ()) if layer.name == "all"]


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        if isinstance(data, dict):
            data = data.get(str(part))
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part]
        else:
            return None
    return data
