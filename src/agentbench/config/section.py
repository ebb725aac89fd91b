"""The base of every block that an operator writes, and the keys that it may hold."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, model_validator

if TYPE_CHECKING:
    from agentbench.config.problem import KeyPath

__all__ = [
    "Section",
    "fields_of",
    "ignored_because",
    "is_passed_over",
    "known_keys",
    "section_in",
]


class Section(BaseModel):
    """A mapping with a fixed set of keys; a known key with no value counts as not written.

    `ignored` are keys that other programs read from the same file, each with the reason why nothing here does. A name
    that ends in `*` stands for all that begin so.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    ignored: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _skip(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        known = fields_of(cls)
        return {
            key: value
            for key, value in data.items()
            if (value is not None or key not in known) and ignored_because(cls, key) is None
        }


def fields_of(section: type[Section]) -> dict[str, Any]:
    """Return the types of a section's keys, under the names that people write."""
    return {field.alias or name: field.annotation for name, field in section.model_fields.items()}


def ignored_because(section: type[Section], key: object) -> str | None:
    """Return why a key of a section is passed over; None if it isn't."""
    for kind in section.__mro__:
        for name, reason in vars(kind).get("ignored", {}).items():
            if key == name or (name.endswith("*") and str(key).startswith(name[:-1])):
                return str(reason)
    return None


def is_passed_over(section: type[Section], path: KeyPath) -> bool:
    """Tell whether a value stands below an ignored key."""
    kind: Any = section
    for part in path:
        if isinstance(kind, type) and issubclass(kind, Section):
            if ignored_because(kind, part) is not None:
                return True
            kind = section_in(fields_of(kind).get(str(part)))
    return False


def section_in(kind: Any) -> Any:
    """Return what a key's type is about: without its None, and what its lists or mappings hold."""
    while not isinstance(kind, type) or kind in (list, dict):
        inner = [each for each in get_args(kind) if each is not NoneType]
        if not inner:
            return kind
        kind = inner[-1] if getattr(kind, "__origin__", None) in (list, dict) else inner[0]
    return kind


def known_keys(kind: Any, path: KeyPath) -> list[str]:
    """Return the keys of the section that `path` leads to, from a section or a list or mapping of them."""
    for part in path:
        is_section = isinstance(kind, type) and issubclass(kind, Section)
        kind = fields_of(kind)[str(part)] if is_section else get_args(kind)[-1]
        if NoneType in get_args(kind):
            kind = next(each for each in get_args(kind) if each is not NoneType)
    return list(fields_of(kind))
