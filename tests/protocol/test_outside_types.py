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
RAW: list[dict[str, Any]] = [msgspec.to_builtins(event, str_keys=True) for event in every_kind()]
SHARED = [raw for raw in RAW if raw["type"] not in UNKNOWN_TO_OPENAI]


def required(model: type[BaseModel]) -> set[str]:
    """Return the keys that a model can't do without."""
    return {field.alias or name for name, field in model.model_fields.items() if field.is_required()}


def by_spec(raw: dict[str, Any]) -> BaseModel:
    """Return the event as the spec's types read it."""
    return SPEC[raw["type"]].model_validate_json(msgspec.json.encode(raw), strict=True)


def by_openai(raw: dict[str, Any]) -> BaseModel:
    """Return the event as openai's types read it."""
    event = OPENAI.validate_json(msgspec.json.encode(raw))
    assert isinstance(event, BaseModel)
    return event


def test_every_kind() -> None:
    """The events looked at here are of all the 24 types that the spec has."""
    assert len(SPEC) == 24
    assert {raw["type"] for raw in RAW} == set(SPEC)


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: raw["type"])
def test_the_spec(raw: dict[str, Any]) -> None:
    """An event is valid by the spec, and no key of it is lost there but what openai's types add."""
    read = by_spec(raw).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert set(read) == set(raw)


@pytest.mark.parametrize("raw", SHARED, ids=lambda raw: raw["type"])
def test_openai(raw: dict[str, Any]) -> None:
    """An event that both know is valid by openai's types too, and is the one that it says it is."""
    assert by_openai(raw).model_dump(include={"type"}) == {"type": raw["type"]}


@pytest.mark.parametrize("raw", RAW, ids=lambda raw: raw["type"])
def test_required_keys_are_missed(raw: dict[str, Any]) -> None:
    """The spec's types see when a required key is missing, so the test above can fail."""
    for key in required(SPEC[raw["type"]]):
        with pytest.raises(ValidationError):
            SPEC[raw["type"]].model_validate({**raw, key: ...}, strict=True)


@pytest.mark.parametrize("raw", SHARED, ids=lambda raw: raw["type"])
def test_required_keys_are_missed_by_openai(raw: dict[str, Any]) -> None:
    """Openai's types see it, too."""
    for key in required(type(by_openai(raw))):
        with pytest.raises(ValidationError):
            by_openai({name: value for name, value in raw.items() if name != key})


def test_snapshots() -> None:
    """Each snapshot of the response has all 31 keys that the spec requires."""
    keys = required(openresponses_types.ResponseResource)
    snapshots = [raw["response"] for raw in RAW if "response" in raw]
    assert len(keys) == 31
    assert [keys - set(snapshot) for snapshot in snapshots] == [set()] * len(snapshots)
