"""Pydantic's findings in our words: what is expected, what was found, the nearest known key. Never the value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agentbench.config.problem import InvalidValueError, Problem
from agentbench.config.section import known_keys
from agentbench.errors import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from agentbench.config.problem import KeyPath

__all__ = ["problems_in"]

# Rows that end in "found …" are about the type of the value.
_EXPECTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "greater_than_equal": "a number of at least {ge:g}",
    "greater_than": "a number greater than {gt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "string_too_short": "text that isn't empty",
    "too_short": "at least one entry",
    "literal_error": "{expected}",
}

_FOUND: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "true or false"),
    ((int, float), "a number"),
    (str, "text"),
    (Mapping, "a mapping"),
    ((list, tuple), "a list"),
    (type(None), "nothing"),
)


def problems_in(error: ValidationError, kind: Any) -> Iterator[Problem]:
    """Yield what pydantic found wrong in a value of `kind`: a section, or a list or mapping of sections."""
    findings = error.errors(include_url=False)
    unknown = [each["loc"] for each in findings if each["type"] == "extra_forbidden"]
    meant: set[KeyPath] = set()
    for *above, key in unknown:
        known = known_keys(kind, tuple(above))
        close = nearest(str(key), known)
        meant.add((*above, close or ""))
        hint = f"Did you mean {close!r}?" if close else f"Known: {', '.join(known)}."
        yield Problem((*above, key), f"unknown key. {hint}")
    for each in findings:
        if each["type"] == "value_error":
            yield from _own_findings(each)
        elif each["type"] == "missing" and each["loc"] not in meant:
            yield Problem(each["loc"], "required, but missing")
        elif each["type"] not in {"missing", "extra_forbidden"}:
            yield Problem(each["loc"], _mismatch(each))


def _own_findings(each: ErrorDetails) -> Iterator[Problem]:
    error = each["ctx"]["error"]
    if not isinstance(error, InvalidValueError):
        yield Problem(each["loc"], str(error))
        return
    for inner in error.problems:
        yield Problem(each["loc"] + inner.path, inner.text)


def _mismatch(each: ErrorDetails) -> str:
    wanted = _EXPECTED.get(each["type"], "another value").format_map(each.get("ctx", {}))
    if not each["type"].endswith(("_type", "_float")):
        return f"expected {wanted}"
    value = next((words for kind, words in _FOUND if isinstance(each["input"], kind)), "something else")
    quotes = "; put it in quotes" if (wanted, value) in {("text", "a number"), ("text", "true or false")} else ""
    return f"expected {wanted}, found {value}{quotes}"
