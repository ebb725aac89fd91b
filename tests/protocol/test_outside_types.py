"""Our events in the eyes of two packages that know the protocol: the spec's own types, and openai's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import openresponses_types
import pytest
from openai.types.responses import ResponseStreamEvent
from pydantic import BaseModel, TypeAdapter, ValidationError
from tests.protocol.streams import every_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENAI: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
# openai calls the first two `response.reasoning_text.*`, and lays the third out flat.
UNKNOWN_TO_OPENAI = {"response.reasoning.delta", "response.reasoning.done", "error"}


def spec_models() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield each event type of the spec with the model that it has in openresponses-types."""
    for name, model in vars(openresponses_types).items():
        if name.endswith("StreamingEvent"):
            (kind,) = model.model_fields["type"].annotation
            yield kind.value, model


SPEC = dict(spec_models())
RAW: list[dict[str, Any]] = [msgspec.json.decode(msgspec.json.encode(event)) for event in every_kind()]
KINDS = sorted({raw["type"] for raw in RAW})
SHARED = sorted(set(KINDS) - UNKNOWN_TO_OPENAI)


def of(kind: str) -> list[dict[str, Any]]:
    """Return the events of one type."""
    return [raw for raw in RAW if raw["type"] == kind]


def required(model: type[BaseModel]) -> set[str]:
    """Return the keys that a model can't do without."""
    return {field.alias or name for name, field in model.model_fields.items() if field.is_required()}


def within_spec(value: Any) -> Any:
    """Return the value without the two keys that go beyond the spec's types (its prose has the first)."""
    if isinstance(value, list):
        return [within_spec(each) for each in value]
    if not isinstance(value, dict):
        return value
    beyond = ("status",) if value.get("type") == "reasoning" else ("cache_write_tokens",)
    return {key: within_spec(each) for key, each in value.items() if key not in beyond}


def without(raw: dict[str, Any], key: str) -> bytes:
    """Return the event as JSON, but for one key."""
    return msgspec.json.encode({name: value for name, value in raw.items() if name != key})


def test_every_kind() -> None:
    """The events looked at here are of all the 24 types that the spec has."""
    assert len(SPEC) == 24
    assert sorted(SPEC) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_spec(kind: str) -> None:
    """An event is valid by the spec, which knows each of its keys but two."""
    for raw in of(kind):
        read = SPEC[kind].model_validate_json(msgspec.json.encode(raw), strict=True)
        assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == within_spec(raw)


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_key(kind: str) -> None:
    """The spec's types see when a required key is missing, so the test above can fail."""
    for key in required(SPEC[kind]):
        with pytest.raises(ValidationError):
            SPEC[kind].model_validate_json(without(of(kind)[0], key), strict=True)


@pytest.mark.parametrize("kind", SHARED)
def test_openai(kind: str) -> None:
    """An event that both know is valid by openai's types too, which see when a required key is missing."""
    for raw in of(kind):
        read = OPENAI.validate_json(msgspec.json.encode(raw))
        assert read.type == kind
        for key in required(type(read)):
            with pytest.raises(ValidationError):
                OPENAI.validate_json(without(raw, key))


def test_snapshots() -> None:
    """Each snapshot of the response has all 31 keys that the spec requires."""
    keys = required(openresponses_types.ResponseResource)
    snapshots = [raw["response"] for raw in RAW if "response" in raw]
    assert len(keys) == 31
    assert [keys - set(snapshot) for snapshot in snapshots] == [set()] * len(snapshots)
