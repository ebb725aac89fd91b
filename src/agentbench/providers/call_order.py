"""Results in the order of their calls, for wire formats that match the two by order or by name."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from agentbench.protocol.items import FunctionCall, FunctionCallOutput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentbench.protocol import InputItem

__all__ = ["in_call_order"]


def in_call_order(items: Iterable[InputItem]) -> list[InputItem]:
    """Return the items with the results of each turn in the order of its calls."""
    out: list[InputItem] = []
    places: dict[str, int] = {}
    for kind, run in groupby(items, type):
        each = list(run)
        if kind is FunctionCall:
            places |= {_call_id(call): len(out) + number for number, call in enumerate(each)}
        elif kind is FunctionCallOutput:
            each.sort(key=lambda result: places.get(_call_id(result), 0))
        out += each
    return out


def _call_id(item: InputItem) -> str:
    return getattr(item, "call_id", "")
