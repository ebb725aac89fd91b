"""Conditions on attributes: which files fulfil them, and which can't be read."""

from __future__ import annotations

from typing import Any

import pytest

from agentbench.errors import InvalidRequest
from agentbench.runner.assistants.attribute_filters import condition

FILE: dict[str, str | bool | int | float] = {"year": 2024, "kind": "bird", "wild": True, "weight": 1.5}


def compare(kind: str, key: str, value: Any) -> dict[str, Any]:
    """Return a comparison."""
    return {"type": kind, "key": key, "value": value}


@pytest.mark.parametrize(
    ("wanted", "fulfilled"),
    [
        (compare("eq", "kind", "bird"), True),
        (compare("eq", "kind", "fish"), False),
        (compare("eq", "wild", 1), False),
        (compare("eq", "year", 2024.0), True),
        (compare("eq", "nothing", "bird"), False),
        (compare("ne", "kind", "fish"), True),
        (compare("ne", "nothing", "fish"), True),
        (compare("gt", "year", 2024), False),
        (compare("gte", "year", 2024), True),
        (compare("lt", "weight", 2), True),
        (compare("lte", "kind", 2), False),
        (compare("in", "kind", ["fish", "bird"]), True),
        (compare("nin", "kind", ["fish", "bird"]), False),
        (compare("nin", "nothing", ["fish"]), True),
        ({"type": "and", "filters": [compare("eq", "kind", "bird"), compare("gt", "year", 2030)]}, False),
        ({"type": "or", "filters": [compare("eq", "kind", "bird"), compare("gt", "year", 2030)]}, True),
        ({"type": "and", "filters": []}, True),
    ],
)
def test_conditions(wanted: dict[str, Any], *, fulfilled: bool) -> None:
    """They compare what is of one kind; true is no number."""
    assert condition(wanted)(FILE) is fulfilled


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        (compare("like", "kind", "b%"), "filters.type"),
        (compare("in", "kind", "bird"), "filters.value"),
        (compare("eq", "kind", ["bird"]), "filters.value"),
        ({"type": "eq", "key": "kind"}, "filters"),
        ({"type": "and", "filters": [compare("eq", "kind", None)]}, "filters.filters[0].value"),
    ],
)
def test_conditions_that_say_nothing(wanted: dict[str, Any], param: str) -> None:
    """What is wrong is named."""
    with pytest.raises(InvalidRequest) as raised:
        condition(wanted)
    assert raised.value.param == param


def test_conditions_without_end() -> None:
    """Ten may be inside one another."""
    wanted: dict[str, Any] = compare("eq", "kind", "bird")
    for _ in range(12):
        wanted = {"type": "and", "filters": [wanted]}
    with pytest.raises(InvalidRequest, match="more than 10"):
        condition(wanted)
