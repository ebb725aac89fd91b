"""From what people write in Python to a JSON schema."""

from __future__ import annotations

from typing import Any

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.request import JsonSchemaFormat

__all__ = ["schema_format"]


def schema_format(source: Any, *, name: str = "answer") -> JsonSchemaFormat:
    """Return the text format that makes a model answer in JSON of that shape.

    `source` is a JSON schema as a dict, a pydantic model, a dataclass, a TypedDict or a msgspec Struct.
    """
    if isinstance(source, dict):
        return JsonSchemaFormat(name=name, schema=source)
    if hasattr(source, "model_json_schema"):
        return JsonSchemaFormat(name=name, schema=source.model_json_schema())
    try:
        schema = msgspec.json.schema(source)
    except TypeError:
        raise InvalidRequest(
            f"{source!r} is not a schema. Give a dict, a pydantic model, a dataclass or a TypedDict.", param="schema"
        ) from None
    return JsonSchemaFormat(name=name, schema=_resolved(schema))


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """Put the one definition that the root points to in its place: many servers want an object at the root."""
    reference = str(schema.get("$ref", ""))
    target = reference.removeprefix("#/$defs/")
    definitions: dict[str, Any] = schema.get("$defs", {})
    if target not in definitions:
        return schema
    recursive = reference in repr(definitions)
    others = {name: value for name, value in definitions.items() if recursive or name != target}
    return {**definitions[target], **({"$defs": others} if others else {})}
