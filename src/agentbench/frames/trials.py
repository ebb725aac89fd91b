"""Trials of an experiment as a DataFrame, and tables that prompts are made from."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from agentbench.protocol.trial import Trial

__all__ = ["Column", "Frame", "check_columns", "mapped_frame", "rows_of", "trials_frame", "values_of"]

Frame = pd.DataFrame
Column = pd.Series
Dtype: TypeAlias = str | tuple[Any, ...]
"""As pandas calls it; a tuple is a category of these values."""

_STATUS = ("completed", "incomplete", "failed", "skipped")
_BEFORE: dict[str, Dtype] = {"place": "Int64", "run": "Int64", "prompt": "string"}
_WHO: dict[str, Dtype] = {"agent": "category", "model": "category"}
_AFTER: dict[str, Dtype] = {
    "answer": "string",
    "parsed": "object",
    "status": _STATUS,
    "error": "string",
    "error_type": "category",
    "input_tokens": "Int64",
    "cached_tokens": "Int64",
    "output_tokens": "Int64",
    "reasoning_tokens": "Int64",
    "cost": "float64",
    "seconds": "float64",
    "first_token": "float64",
    "response_id": "string",
}
_MAPPED = ("status", "error", "error_type", "input_tokens", "output_tokens", "cost", "seconds")


def trials_frame(trials: Iterable[Trial]) -> pd.DataFrame:
    """Return a row a trial, in the order given.

    The columns of its row come after the prompt, its settings after the model, its scores (`score_NAME`) and the notes
    of scorers (`note_NAME`) last. One of a name that is taken is `input_NAME`, `setting_NAME`.
    """
    listed = list(trials)
    fixed = {*_BEFORE, *_WHO, *_AFTER}
    columns = _fields(listed, _BEFORE)
    settings = _united(each.settings for each in listed)
    for name in _united(each.inputs for each in listed):
        shown = f"input_{name}" if name in fixed or name in settings else name
        columns[shown] = _guessed([each.inputs.get(name) for each in listed])
    columns |= _fields(listed, _WHO)
    for name in settings:
        values = _guessed([each.settings.get(name) for each in listed])
        columns[f"setting_{name}" if name in fixed else name] = _as_levels(values)
    return pd.DataFrame(columns | _fields(listed, _AFTER) | _scores(listed))


def mapped_frame(
    table: pd.DataFrame | pd.Series, trials: Sequence[Trial], columns: Mapping[str, Dtype], *, parsed: bool
) -> pd.DataFrame:
    """Return a table with its rows' trials beside it: the answers, or if `parsed` their fields, then how it went.

    Of how it went, a column whose name is taken gets a number: `status_2`.
    """
    frame = _as_frame(table)
    found = {name: [_part(each, name) if parsed else each.answer for each in trials] for name in columns}
    for name, values in found.items():
        frame[name] = _column(values, columns[name]).set_axis(frame.index)
    ended = _fields(trials, {name: _AFTER[name] for name in _MAPPED}) | _scores(trials)
    for name, column in ended.items():
        frame[_free(name, frame.columns)] = column.set_axis(frame.index)
    return frame


def check_columns(table: pd.DataFrame | pd.Series, new: Iterable[str]) -> None:
    """Raise `InvalidRequest` if a table has one of these columns already, or two of one name."""
    frame = _as_frame(table)
    if not frame.columns.is_unique:
        raise InvalidRequest("Two columns of the table have the same name. Rename one.")
    if taken := next((name for name in new if name in frame.columns), None):
        message = f"The table has a column {taken!r} already. Rename it, or give the answers another name with out=."
        raise InvalidRequest(message, param="out")


def rows_of(table: pd.DataFrame | pd.Series) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the names of a table's columns, and its rows; what is missing in them is None."""
    frame = _as_frame(table)
    columns = {str(name): values_of(column) for name, column in frame.items()}
    return list(columns), [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def values_of(column: pd.Series) -> list[Any]:
    """Return the values of a column; what is missing is None."""
    return [None if lacks else value for value, lacks in zip(column.tolist(), column.isna().tolist(), strict=True)]


def _as_frame(table: pd.DataFrame | pd.Series) -> pd.DataFrame:
    if isinstance(table, pd.Series):
        return table.to_frame("text" if table.name is None else table.name)
    if isinstance(table, pd.DataFrame):
        return table.copy(deep=False)
    raise InvalidRequest(f"This needs a DataFrame or a Series, not {type(table).__name__}.")


def _united(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the keys of all, each once."""
    return list(dict.fromkeys(key for each in mappings for key in each))


def _fields(trials: Sequence[Trial], dtypes: Mapping[str, Dtype]) -> dict[str, pd.Series]:
    return {name: _column([getattr(each, name) for each in trials], dtype) for name, dtype in dtypes.items()}


def _scores(trials: Sequence[Trial]) -> dict[str, pd.Series]:
    names = _united(each.scores for each in trials)
    # A scorer of several scores has none of its own name but where it failed.
    own = [name for name in names if not any(other.startswith(f"{name}.") for other in names)]
    scores = {f"score_{name}": _column([each.scores.get(name) for each in trials], "float64") for name in own}
    notes = _united(each.notes for each in trials)
    return scores | {f"note_{name}": _column([each.notes.get(name) for each in trials], "string") for name in notes}


def _part(trial: Trial, name: str) -> Any:
    return trial.parsed.get(name) if trial.status != "failed" and isinstance(trial.parsed, dict) else None


def _column(values: list[Any], dtype: Dtype) -> pd.Series:
    """Return a column of a type; of plain objects where a value has no room in it, such as a huge integer."""
    plain: pd.Series = pd.Series(values, dtype="object")
    wanted: Any = pd.CategoricalDtype(list(dtype)) if isinstance(dtype, tuple) else dtype
    try:
        return plain.astype(wanted)
    except (OverflowError, TypeError, ValueError):
        return plain


def _guessed(values: list[Any]) -> pd.Series:
    plain: pd.Series = pd.Series(values, dtype="object")
    guessed = plain.convert_dtypes()
    return guessed.astype("float64") if guessed.dtype == "Float64" else guessed


def _as_levels(column: pd.Series) -> pd.Series:
    return column.astype("category") if column.dtype == "string" else column


def _free(name: str, taken: Iterable[Any]) -> str:
    names = set(taken)
    return next(each for number in count(1) if (each := name if number == 1 else f"{name}_{number}") not in names)
