"""The config's keys as tables, made from the schema."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic_core import PydanticUndefined

from agentbench.config.assistants_schema import AssistantsSection
from agentbench.config.discover import KINDS
from agentbench.config.endpoint_schema import BuiltInSection
from agentbench.config.schema import File
from agentbench.config.section import Section
from agentbench.config.shared_schema import SharedSection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

__all__ = ["Key", "ignored", "layers", "other_keys", "shared_keys"]

TYPES = {bool: "true or false", float: "number", int: "whole number", str: "text"}
ANY = "endpoints.ENDPOINT."
SHARED = set(SharedSection.model_fields)


class Key(NamedTuple):
    """One key that holds a value."""

    path: str
    type: str
    default: str
    example: str
    what: str


def shared_keys() -> Iterator[Key]:
    """Yield the keys that every endpoint, `all`, `agents` and an agent have."""
    for name, field in SharedSection.model_fields.items():
        yield _key(field.alias or name, plain(field.annotation), field)


def other_keys() -> Iterator[Key]:
    """Yield every other key in the order of the schema; what several endpoints have is told once."""
    told = set()
    for key in _below(File, ""):
        if key.path not in told:
            told.add(key.path)
            yield key


def _below(section: type[Section], path: str) -> Iterator[Key]:
    for name, field in section.model_fields.items():
        if issubclass(section, SharedSection) and name in SHARED:
            continue
        common = issubclass(section, BuiltInSection) and BuiltInSection.model_fields.get(name) is not None
        above = ANY if common and _is_same(BuiltInSection, name, field) else path
        if path.endswith(".azureAssistants.") and _is_same(AssistantsSection, name, field) and above != ANY:
            above = path.replace(".azureAssistants.", ".assistants.")
        yield from _keys_of(f"{above}{field.alias or name}", plain(field.annotation), field)


def _is_same(section: type[Section], name: str, field: FieldInfo) -> bool:
    other = section.model_fields[name]
    return (other.is_required(), other.description) == (field.is_required(), field.description)


def ignored() -> Iterator[tuple[str, list[str], str]]:
    """Yield the keys that are passed over: where they stand, their names, and why."""
    told = set()
    for path, names, why in _ignored(File, ""):
        if (key := (path, *names)) not in told:
            told.add(key)
            yield path, names, why


def _ignored(section: type[Section], path: str) -> Iterator[tuple[str, list[str], str]]:
    for kind in section.__mro__:
        above = ANY if kind in (SharedSection, BuiltInSection) else path
        reasons: dict[str, list[str]] = {}
        for name, why in vars(kind).get("ignored", {}).items():
            reasons.setdefault(why, []).append(name)
        yield from ((above, names, why) for why, names in reasons.items())
    for name, field in section.model_fields.items():
        inner, below = section_of(plain(field.annotation))
        if inner is not None:
            yield from _ignored(inner, f"{path}{field.alias or name}{below}.")


def layers(path: str) -> str:
    """Return which layers of the merge may set a key."""
    parts = path.split(".")
    if parts[0] != "endpoints" or parts[1:3] == ["agents", "remoteApi"]:
        return "file"
    kinds = [each for each in KINDS if parts[1] in (each.name, "ENDPOINT")]
    named = ["environment"] if any(parts[2] in each.variables for each in kinds) else []
    return ", ".join([*named, "endpoint", "session"])


def section_of(kind: Any) -> tuple[type[Section] | None, str]:
    """Return the section that a type is or holds, and how its path goes on."""
    if isinstance(kind, type) and issubclass(kind, Section):
        return kind, ""
    inner = [plain(each) for each in get_args(kind)]
    if get_origin(kind) is list and isinstance(inner[0], type) and issubclass(inner[0], Section):
        return inner[0], "[]"
    if get_origin(kind) is dict and isinstance(inner[1], type) and issubclass(inner[1], Section):
        return inner[1], ".NAME"
    return None, ""


def plain(kind: Any) -> Any:
    """Return a type without its checks, and without None."""
    if get_origin(kind) is Annotated:
        return plain(get_args(kind)[0])
    return next((plain(each) for each in get_args(kind) if NoneType in get_args(kind) and each is not NoneType), kind)


def _keys_of(path: str, kind: Any, field: FieldInfo) -> Iterator[Key]:
    section, below = section_of(kind)
    if section is not None:
        yield from _below(section, f"{path}{below}.")
    elif get_origin(kind) is dict and path == "endpoints.scripted.models":
        yield Key(f"{path}.NAME", "script", "required", "`[{text: Hello}]`", field.description or "")
    else:
        yield _key(path, kind, field)


def _key(path: str, kind: Any, field: FieldInfo) -> Key:
    example = field.examples[0] if field.examples else None
    return Key(path, _type(kind), _default(field), "" if example is None else _code(example), field.description or "")


def _type(kind: Any) -> str:
    origin, inner = get_origin(kind), [plain(each) for each in get_args(kind)]
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in get_args(kind))
    if origin is list:
        return f"list of {_type(inner[0])}"
    if origin is dict:
        return f"mapping to {_type(inner[1])}" if inner[1] in TYPES else "mapping"
    return TYPES[kind]


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "required"
    return "none" if value is None or value in ([], {}) else _code(value)


def _code(value: object) -> str:
    if isinstance(value, list):
        return f"`[{', '.join(map(str, value))}]`"
    text = str(value).lower() if isinstance(value, bool) else str(value) or "''"
    return f"`{text}`".replace("\n", "\\n")
