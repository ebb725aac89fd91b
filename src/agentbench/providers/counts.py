"""What upstreams tell of tokens, read with patience: whatever they say there, it must not spoil their answer."""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

import msgspec

__all__ = ["count", "told_counts", "without_nan"]

T = TypeVar("T")

_LARGEST = 2**53
_NO_NUMBER = re.compile(rb"\bNaN\b|\bInfinity\b")


def told_counts(told: Any, shape: type[T]) -> T | None:
    """Return the counts of that shape, without those that are no numbers; None if they have another shape."""
    if not isinstance(told, dict):
        return None
    try:
        return msgspec.convert(_sound(told), shape)
    except msgspec.ValidationError:
        return None


def without_nan(text: bytes) -> bytes | None:
    """Return a JSON text with null for NaN and infinite numbers, which JSON doesn't have; None if it has none."""
    if not _NO_NUMBER.search(text):
        return None
    try:
        return msgspec.json.encode(json.loads(text, parse_constant=lambda _: None))
    except (ValueError, RecursionError):
        return None


def count(value: Any) -> int | None:
    """Return a count, which may be odd but is a number; None if it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return int(max(-_LARGEST, min(value, _LARGEST)))


def _sound(told: dict[str, Any]) -> dict[str, Any]:
    read = {key: _sound(value) if isinstance(value, dict) else count(value) for key, value in told.items()}
    return {key: value for key, value in read.items() if value is not None}
