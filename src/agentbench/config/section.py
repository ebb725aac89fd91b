"""The base of every block that an operator writes, and the keys that it may hold."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator

if TYPE_CHECKING:
    from agentbench.config.problem import KeyPath

__all__ = ["Section", "known_keys"]


class Section(BaseModel):
    """A mapping with a fixed set of keys; a known key with no value counts as not written."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _skip_empty(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        known = _fields(cls)
        return {key: value for key, value in data.items() if value is not None or key not in known}


def known_keys(kind: Any, path: KeyPath) -> list[str]:
    """Return the keys of the section that `path` leads to, from a section or a list or mapping of them."""
    for part in path:
        is_section = isinstance(kind, type) and issubclass(kind, Section)
        kind = _fields(kind)[str(part)] if is_section else get_args(kind)[-1]
        if NoneType in get_args(kind):
            kind = next(each for each in get_args(kind) if each is not NoneType)
    return list(_fields(kind))


def _fields(section: type[Section]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in section.model_fields.items()}
