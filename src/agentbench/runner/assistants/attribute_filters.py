"""Conditions on the attributes of files in a vector store: comparisons, and `and` and `or` of them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import convert
from agentbench.protocol.values import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Scalar: TypeAlias = str | bool | int | float
    Condition: TypeAlias = Callable[[Mapping[str, Scalar]], bool]

__all__ = ["condition"]

_DEEPEST = 10
_ORDERS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


class Comparison(Value, frozen=True, kw_only=True):
    """An attribute and what it is compared with."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: str
    value: str | bool | int | float | tuple[str | bool | int | float, ...]


class Compound(Value, frozen=True, kw_only=True):
    """Conditions of which all, or any, must hold."""

    type: Literal["and", "or"]
    filters: tuple[dict[str, Any], ...]


def condition(raw: Mapping[str, Any], *, at: str = "filters", depth: int = 0) -> Condition:
    """Return what a filter asks of attributes; raises `InvalidRequest` for one that can't be read.

    A file without the attribute fulfils `ne` and `nin` alone; texts and numbers are never more or less than each other.
    """
    if depth > _DEEPEST:
        raise InvalidRequest(f"filters: more than {_DEEPEST} inside one another.", param="filters")
    if raw.get("type") not in ("and", "or"):
        return _comparison(convert(raw, Comparison, at=at), at)
    both = convert(raw, Compound, at=at)
    inner = [condition(each, at=f"{at}.filters[{n}]", depth=depth + 1) for n, each in enumerate(both.filters)]
    decide = all if both.type == "and" else any
    return lambda attributes: decide(each(attributes) for each in inner)


def _comparison(wanted: Comparison, at: str) -> Condition:
    key, value = wanted.key, wanted.value
    if isinstance(value, tuple) != (wanted.type in ("in", "nin")):
        raise InvalidRequest(f"{at}.value: `in` and `nin` take a list, all others one value.", param=f"{at}.value")
    values = value if isinstance(value, tuple) else (value,)
    if wanted.type in ("eq", "in"):
        return lambda attributes: key in attributes and _among(attributes[key], values)
    if wanted.type in ("ne", "nin"):
        return lambda attributes: key not in attributes or not _among(attributes[key], values)
    order = _ORDERS[wanted.type]
    return lambda attributes: key in attributes and _same(attributes[key], value) and order(attributes[key], value)


def _among(found: Scalar, values: tuple[Scalar, ...]) -> bool:
    return any(_same(found, each) and found == each for each in values)


def _same(one: object, other: object) -> bool:
    """Tell whether both are numbers, or of one type: true is not 1 here."""
    numbers = (int, float)
    return type(one) is type(other) or (type(one) in numbers and type(other) in numbers)
