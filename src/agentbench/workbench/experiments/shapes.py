"""What an answer in JSON is to be: its schema, its fields as columns, and whether an answer fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.schema import schema_format

if TYPE_CHECKING:
    from agentbench.protocol.trial import Trial

__all__ = ["Field", "Kind", "Shape", "columns_of", "shape_of"]

Kind = Literal["integer", "number", "boolean", "string", "category", "object"]

_KINDS: dict[str, Kind] = {"integer": "integer", "number": "number", "boolean": "boolean", "string": "string"}
_DTYPES = {"integer": "Int64", "number": "float64", "boolean": "boolean", "string": "string", "object": "object"}
_TYPES: dict[Kind, Any] = {"integer": int, "number": float, "boolean": bool, "string": str}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the answer; `choices` are all values of a category."""

    name: str
    kind: Kind
    choices: tuple[Any, ...] = ()
    optional: bool = False

    @property
    def dtype(self) -> str | tuple[Any, ...]:
        """The type of a column of it, as pandas calls it; the choices of a category."""
        return self.choices or _DTYPES[self.kind]

    def read(self, value: Any) -> Any:
        """Return a value as the field has it. Raises `msgspec.ValidationError`."""
        if value is None and self.optional:
            return None
        if self.choices and value not in self.choices:
            raise msgspec.ValidationError(f"{value!r} is none of {', '.join(map(repr, self.choices))}")
        return msgspec.convert(value, _TYPES.get(self.kind, Any))


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema as people write one. `fields` is empty if it isn't an object's."""

    schema: dict[str, Any]
    fields: tuple[Field, ...]
    convert: Callable[[Any], Any] | None = None

    def checked(self, trial: Trial) -> Trial:
        """Return a trial whose JSON fits, in just the types of the shape; else one that failed."""
        if trial.parsed is None:
            return trial
        try:
            return msgspec.structs.replace(trial, parsed=self._read(trial.parsed))
        except ValueError as error:  # msgspec's and pydantic's alike
            if trial.status == "incomplete":
                return trial
            message = f"The answer doesn't fit the schema: {_first_line(error)}"
            return msgspec.structs.replace(trial, status="failed", error=message, error_type="invalid_answer")

    def _read(self, value: Any) -> Any:
        if self.convert is not None:
            return self.convert(value)
        if not self.fields:
            return value
        if not isinstance(value, dict):
            raise msgspec.ValidationError(f"{value!r} is no object")
        if lacking := [each.name for each in self.fields if each.name not in value and not each.optional]:
            raise msgspec.ValidationError(f"it has no {lacking[0]!r}")
        return value | {each.name: _field_read(each, value.get(each.name)) for each in self.fields}


def shape_of(source: Any) -> Shape:
    """Return a shape: a pydantic model, dataclass, TypedDict or Struct, a JSON schema, or a dict of names and types.

    Raises `InvalidRequest` for anything else.
    """
    if isinstance(source, Mapping) and not _is_json_schema(source):
        source = _struct(source)
    schema = schema_format(source).schema or {}
    return Shape(schema, _fields(schema), _converter(source))


def columns_of(out: Any) -> dict[str, str | tuple[Any, ...]]:
    """Return the columns that answers become and their types: one of text by its name, or a schema's fields.

    Raises `InvalidRequest` for a schema without fields.
    """
    if out is None or isinstance(out, str):
        return {out or "answer": "string"}
    fields = shape_of(out).fields
    if not fields:
        raise InvalidRequest("The schema has no fields, which the columns would be. Give an object's.", param="out")
    return {each.name: each.dtype for each in fields}


def _struct(types: Mapping[str, Any]) -> Any:
    try:
        made = msgspec.defstruct("Answer", [(str(name), kind) for name, kind in types.items()], kw_only=True)
        msgspec.json.schema(made)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"No schema can be made of {types!r}: {error}", param="out") from None
    return made


def _is_json_schema(source: Mapping[str, Any]) -> bool:
    is_typed = isinstance(source.get("type"), str | list) or isinstance(source.get("$ref"), str)
    return is_typed or isinstance(source.get("properties"), Mapping) or isinstance(source.get("anyOf"), list)


def _converter(source: Any) -> Callable[[Any], Any] | None:
    if isinstance(source, dict):
        return None
    if hasattr(source, "model_validate"):
        return lambda value: source.model_validate(value).model_dump(mode="json", by_alias=True)
    return lambda value: msgspec.to_builtins(msgspec.convert(value, source))


def _fields(schema: dict[str, Any]) -> tuple[Field, ...]:
    known, needed = schema.get("$defs", {}), schema.get("required", ())
    found = (schema.get("properties") or {}).items()
    return tuple(_field(name, each, known, is_needed=name in needed) for name, each in found)


def _field(name: str, schema: Any, known: Mapping[str, Any], *, is_needed: bool) -> Field:
    schema, may_be_null = _plain(schema, known)
    choices = tuple(schema.get("enum", [schema["const"]] if "const" in schema else ()))
    optional = may_be_null or not is_needed or None in choices
    choices = tuple(each for each in choices if each is not None)
    written = schema.get("type")
    kind: Kind = "category" if choices else _KINDS.get(written if isinstance(written, str) else "", "object")
    return Field(name, kind, choices, optional)


def _plain(schema: Any, known: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return a schema without references and without "or null", and whether it may be null."""
    schema = schema if isinstance(schema, dict) else {}
    target = str(schema.get("$ref", "")).removeprefix("#/$defs/")
    if target in known:
        return _plain(known[target], known)
    either = schema.get("anyOf") or schema.get("oneOf") or ()
    if either:
        others = [each for each in either if each != {"type": "null"}]
        inner = _plain(others[0], known)[0] if len(others) == 1 else {}
        return inner, len(others) < len(either)
    kinds = schema.get("type")
    if isinstance(kinds, list):
        others = [each for each in kinds if each != "null"]
        return schema | {"type": others[0] if len(others) == 1 else None}, "null" in kinds
    return schema, False


def _field_read(field: Field, value: Any) -> Any:
    try:
        return field.read(value)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{field.name}: {error}") from None


def _first_line(error: ValueError) -> str:
    """Return what is wrong in one line; pydantic says where and what on the second and third."""
    lines = [line.strip() for line in str(error).splitlines()]
    return lines[0] if len(lines) < 3 else f"{lines[1]}: {lines[2].partition(' [type=')[0]}"  # noqa: PLR2004 - see above
