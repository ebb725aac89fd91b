"""Trials as a DataFrame: columns, their order and types, and what becomes of names that are taken."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from agentbench.errors import InvalidRequest
from agentbench.frames import trials_frame
from agentbench.frames.trials import check_columns, mapped_frame, rows_of
from agentbench.protocol.trial import Trial

FIXED = {
    "place": "Int64",
    "run": "Int64",
    "prompt": "string",
    "agent": "category",
    "model": "category",
    "answer": "string",
    "parsed": "object",
    "status": "category",
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


def trial(**fields: Any) -> Trial:
    """Return a trial that went well."""
    return Trial(**{"place": 0, "prompt": "Hi", "status": "completed", "answer": "Ho"} | fields)


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    """Return the types of a frame's columns, in their order."""
    return {name: str(kind) for name, kind in frame.dtypes.items()}


def test_no_trials() -> None:
    """A frame of nothing has every column, with its type."""
    assert dtypes(trials_frame([])) == FIXED


def test_columns_and_types() -> None:
    """Inputs come after the prompt, settings after the model, scores and notes last, each with a type of its own."""
    one = trial(
        inputs={"text": "a", "n": 1},
        settings={"temperature": 0.5, "instructions": "Shout.", "store": True},
        scores={"right": 1.0},
        notes={"right": "So."},
    )
    frame = trials_frame([one, trial(place=1)])
    found = dtypes(frame)
    assert found | FIXED == found
    assert [*found][2:10] == ["prompt", "text", "n", "agent", "model", "temperature", "instructions", "store"]
    assert [found[name] for name in ("text", "n")] == ["string", "Int64"]
    assert [found[name] for name in ("temperature", "instructions", "store")] == ["float64", "category", "boolean"]
    assert [*found.items()][-2:] == [("score_right", "float64"), ("note_right", "string")]


def test_statuses() -> None:
    """The status is a category of all that there may be, so that counts of it have the same index always."""
    counted = trials_frame([trial()])["status"].value_counts(sort=False)
    assert counted.to_dict() == {"completed": 1, "incomplete": 0, "failed": 0, "skipped": 0}


def test_taken_names() -> None:
    """An input that is called like a column or a setting gets a name of its own."""
    frame = trials_frame([trial(inputs={"model": "T-Ford", "seed": 3}, settings={"seed": 5})])
    assert (frame["input_model"][0], frame["input_seed"][0], frame["seed"][0]) == ("T-Ford", 3, 5)


def test_scores_of_a_scorer_with_several() -> None:
    """A scorer that gave several scores has no empty column of its own where it failed once."""
    frame = trials_frame([trial(scores={"check.a": 1.0, "check.b": 0.0}), trial(scores={"check": None})])
    assert [name for name in frame if name.startswith("score_")] == ["score_check.a", "score_check.b"]


def test_rows_of_a_table() -> None:
    """What is missing in a table, whatever its column's type, is None; a Series is a table of one column."""
    table = pd.DataFrame({"a": ["x", None], "b": pd.array([1, None], dtype="Int64"), "c": [float("nan"), 2.5]})
    assert rows_of(table) == (["a", "b", "c"], [{"a": "x", "b": 1, "c": None}, {"a": None, "b": None, "c": 2.5}])
    assert rows_of(pd.Series(["x"], name="words")) == (["words"], [{"words": "x"}])


def test_mapped() -> None:
    """A mapped table keeps its index and its columns, and stays as it was itself."""
    table = pd.DataFrame({"text": ["a", "b"]}, index=pd.Index([7, 9], name="id"))
    trials = [trial(parsed={"n": 1, "kind": "x"}), trial(status="failed", parsed={"n": 2}, error="No.")]
    frame = mapped_frame(table, trials, {"n": "Int64", "kind": ("x", "y")}, parsed=True)
    assert frame.index.equals(table.index)
    assert frame["n"].tolist() == [1, pd.NA]
    assert frame["kind"].cat.categories.tolist() == ["x", "y"]
    assert [*table] == ["text"]


def test_mapped_twice() -> None:
    """How a second map went stands beside how the first did."""
    frame = pd.DataFrame({"text": ["a"]})
    for name in ("one", "two"):
        frame = mapped_frame(frame, [trial()], {name: "string"}, parsed=False)
    assert {"one", "two", "status", "status_2", "cost_2"} <= {*frame}


def test_values_without_room() -> None:
    """An integer that no column of integers holds makes it one of objects, so that nothing is lost."""
    frame = mapped_frame(pd.DataFrame({"t": ["a"]}), [trial(parsed={"n": 10**30})], {"n": "Int64"}, parsed=True)
    assert (str(frame["n"].dtype), frame["n"][0]) == ("object", 10**30)


def test_columns_that_are_there() -> None:
    """A column that is there already is not overwritten; two of one name are refused."""
    table = pd.DataFrame({"text": ["a"], "answer": ["b"]})
    with pytest.raises(InvalidRequest, match="column 'answer' already"):
        check_columns(table, ["answer"])
    with pytest.raises(InvalidRequest, match="same name"):
        check_columns(pd.DataFrame([[1, 2]], columns=["a", "a"]), ["n"])
    with pytest.raises(InvalidRequest, match="needs a DataFrame"):
        rows_of([1])  # type: ignore[arg-type]
