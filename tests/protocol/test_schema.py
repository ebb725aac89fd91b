from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypedDict

import msgspec
import pytest
from pydantic import BaseModel

from agentbench.errors import InvalidRequest
from agentbench.protocol.request import JsonSchemaFormat
from agentbench.protocol.schema import schema_format

CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


class CityModel(BaseModel):
    """A city, for pydantic."""

    name: str


class CityStruct(msgspec.Struct):
    """A city, for msgspec."""

    name: str


class CityDict(TypedDict):
    """A city, for type checkers."""

    name: str


@dataclass
class CityClass:
    """A city, plain."""

    name: str


@dataclass
class Trip:
    """A dataclass with another in it."""

    to: CityClass


@dataclass
class Place:
    """A dataclass with itself in it."""

    within: list[Place] = field(default_factory=list)


def shape(schema: Any) -> dict[str, Any]:
    """Return what the schema says, without its titles and descriptions."""
    return {
        key: shape(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key not in {"title", "description"}
    }


def test_a_dict() -> None:
    """A dict is a JSON schema already, and is passed on as it is."""
    assert schema_format(CITY, name="city") == JsonSchemaFormat(name="city", schema=CITY)


@pytest.mark.parametrize("source", [CityModel, CityStruct, CityDict, CityClass])
def test_a_class(source: type) -> None:
    """Each way to write a class gives the same object."""
    assert shape(schema_format(source).schema) == CITY


def test_a_class_within_a_class() -> None:
    """The root is the object itself; what it is made of stays beside it."""
    schema = shape(schema_format(Trip).schema)
    assert schema["type"] == "object"
    assert schema["properties"] == {"to": {"$ref": "#/$defs/CityClass"}}
    assert schema["$defs"] == {"CityClass": CITY}


def test_a_recursive_class() -> None:
    """A class that holds itself stays defined, so that its reference leads somewhere."""
    schema = shape(schema_format(Place).schema)
    assert schema["type"] == "object"
    assert schema["properties"]["within"]["items"] == {"$ref": "#/$defs/Place"}
    assert schema["$defs"]["Place"]["properties"] == schema["properties"]


@pytest.mark.parametrize("source", [5, "city", object()])
def test_no_schema(source: object) -> None:
    """What can't be a schema is refused."""
    with pytest.raises(InvalidRequest, match="is not a schema") as caught:
        schema_format(source)
    assert caught.value.param == "schema"
