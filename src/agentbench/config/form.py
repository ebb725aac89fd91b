"""What a form for an endpoint's settings needs to know of each key, told by the schema alone."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from agentbench.config.placeholders import PROSE
from agentbench.config.schema import EndpointsSection
from agentbench.config.secret import MASK, Secret
from agentbench.config.section import fields_of, section_in
from agentbench.config.section_layers import SECRETS
from agentbench.config.shared_schema import SharedSection

if TYPE_CHECKING:
    from agentbench.config.problem import KeyPath
    from agentbench.config.section import Section

__all__ = ["GROUPS", "Field", "FieldKind", "fields_at", "plain", "section_at", "text_of"]

FieldKind = Literal["text", "long_text", "number", "integer", "boolean", "choice", "list", "mapping", "structured"]

_KINDS: dict[Any, FieldKind] = {bool: "boolean", int: "integer", float: "number", str: "text"}
_BY_NAME = {
    "Titles": ("title*",),
    "Requests": ("headers", "*Params", "*Config", "use*Api"),
    "Time limits": ("*Timeout",),
}
GROUPS = ("General", "Answers", *_BY_NAME)
"""In the order of a form; a key that no pattern names is general, or if shared about answers."""
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")
_NAMED = "other keys name the endpoint by it; change it in the file"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One key: how it is written, what it is for, what holds without it.

    `choices` are all there is; limits are None where there are none, and `above` is one that a value must exceed.
    `fixed` says why the key can't be changed here.
    """

    key: str
    kind: FieldKind
    group: str
    what: str
    required: bool = False
    default: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    secret: bool = False
    fixed: str = ""


def section_at(path: KeyPath) -> type[Section]:
    """Return the section that the block at this path of a config follows."""
    section: type[Section] = section_in(fields_of(EndpointsSection)[str(path[1])])
    return section


def fields_at(path: KeyPath) -> tuple[Field, ...]:
    """Return the keys of the block at this path, group by group."""
    made = [_field(name, info) for name, info in section_at(path).model_fields.items()]
    return tuple(sorted(made, key=lambda field: GROUPS.index(field.group)))


def plain(value: Any) -> Any:
    """Return a value of the schema's as YAML would hold it, with secrets masked."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True, exclude_defaults=True)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def text_of(value: Any) -> str:
    """Return a plain value in one short text; nothing for what isn't there."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(map(text_of, value))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_inner_text(each)}" for key, each in value.items())
    return "" if value is None else str(value)


def _inner_text(value: Any) -> str:
    text = text_of(value)
    if isinstance(value, dict):
        return f"{{{text}}}"
    return f"[{text}]" if isinstance(value, list) else text


def _field(name: str, info: FieldInfo) -> Field:
    key = info.alias or name
    kind, checks = _unwrapped(info.annotation, [*info.metadata])
    default = info.get_default(call_default_factory=True)
    example = info.examples[0] if info.examples else None
    return Field(
        key=key,
        kind=_kind(key, kind),
        group=_group(name, key),
        what=_LINK.sub(r"\1", info.description or ""),
        required=info.is_required(),
        default="" if default is PydanticUndefined else text_of(plain(default)),
        example="" if example is None else text_of(example),
        choices=tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else (),
        minimum=_limit(checks, "ge"),
        above=_limit(checks, "gt"),
        maximum=_limit(checks, "le"),
        secret=key in SECRETS,
        fixed=_NAMED if key == "name" and info.is_required() else "",
    )


def _kind(key: str, kind: Any) -> FieldKind:
    inner = [_unwrapped(each, [])[0] for each in get_args(kind)]
    if get_origin(kind) is Literal:
        return "choice"
    if get_origin(kind) is list and (inner == [str] or get_origin(inner[0]) is Literal):
        return "list"
    if get_origin(kind) is dict and inner == [str, str]:
        return "mapping"
    return "long_text" if key in PROSE else _KINDS.get(kind, "structured")


def _group(name: str, key: str) -> str:
    usual = "Answers" if name in SharedSection.model_fields else "General"
    return next((group for group, keys in _BY_NAME.items() if any(fnmatchcase(key, each) for each in keys)), usual)


def _unwrapped(kind: Any, checks: list[Any]) -> tuple[Any, list[Any]]:
    """Return a type without its checks and without None, and the checks."""
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        nested = [each for one in more for each in (one.metadata if isinstance(one, FieldInfo) else [one])]
        return _unwrapped(inner, [*checks, *nested])
    if NoneType in get_args(kind):
        return _unwrapped(next(each for each in get_args(kind) if each is not NoneType), checks)
    return kind, checks


def _limit(checks: list[Any], name: str) -> float | None:
    return next((getattr(each, name) for each in checks if hasattr(each, name)), None)
