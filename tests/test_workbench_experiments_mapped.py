"""Tables that are asked row by row: templates, typed columns, rows that can't be asked, and the local model."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Optional, TypedDict

import pandas as pd
import pytest
from pydantic import BaseModel
from tests.runner.fakes import FakeProvider, SteppedProvider

from agentbench import Workbench
from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW = '{"name": "Oslo", "people": 700000, "share": 0.5, "big": true, "kind": "city", "more": {"sea": "yes"}}'
DTYPES = {
    "name": "string",
    "people": "Int64",
    "share": "float64",
    "big": "boolean",
    "kind": "category",
    "more": "object",
}
CONFIG = {
    "endpoints": {"scripted": {"models": {"m": [{"text": ROW}]}}},
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "m"}],
}


class Kind(StrEnum):
    """What a place may be."""

    city = "city"
    town = "town"


class PlaceModel(BaseModel):
    """A place, for pydantic."""

    name: str
    people: int | None
    share: float
    big: bool
    kind: Kind
    more: dict[str, str]


@dataclass
class PlaceData:
    """A place, as a dataclass."""

    name: str
    people: Optional[int]  # noqa: UP045 - people write it
    share: float
    big: bool
    kind: Literal["city", "town"]
    more: dict[str, str]


class PlaceDict(TypedDict):
    """A place, as a TypedDict."""

    name: str
    people: int
    share: float
    big: bool
    kind: Literal["city", "town"]
    more: dict[str, str]


NAMED = {"name": str, "people": int, "share": float, "big": bool, "kind": Literal["city", "town"], "more": dict}
SCHEMA = PlaceModel.model_json_schema()


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench of scripts."""
    with Workbench(CONFIG) as bench:
        yield bench


@pytest.fixture
def fake(bench: Workbench) -> FakeProvider:
    """Put a fake in place of the scripts."""
    fake = FakeProvider("fine")
    made: Any = bench._providers._made
    made["scripted"] = fake
    return fake


@pytest.fixture
def table() -> pd.DataFrame:
    """Give a table of two places."""
    return pd.DataFrame({"text": ["a", "b"], "n": [1, 2]}, index=["x", "y"])


@pytest.mark.parametrize("out", [PlaceModel, PlaceData, PlaceDict, NAMED, SCHEMA])
def test_typed_columns(bench: Workbench, table: pd.DataFrame, out: Any) -> None:
    """Each field of a schema, however it is written, is a column of its type; index and columns stay."""
    frame = bench.map(table, "Where is {{text}}?", out, progress=False)
    assert {name: str(frame[name].dtype) for name in DTYPES} == DTYPES
    assert ([*frame.index], [*frame][:2]) == (["x", "y"], ["text", "n"])
    assert frame["kind"].cat.categories.tolist() == ["city", "town"]
    assert frame.loc["x", "more"] == {"sea": "yes"}


def test_template(bench: Workbench, table: pd.DataFrame, fake: FakeProvider) -> None:
    """Each row's values are in its prompt, and braces in a value stay as they are."""
    table["text"] = ["{{n}}", "b"]
    bench.map(table, "{{ text }} and {{n}}, {{text}}", at_once=1, progress=False)
    asked: list[Any] = [request.input[0] for request in fake.requests]
    assert [each.text for each in asked] == ["{{n}} and 1, {{n}}", "b and 2, b"]


def test_text_columns(bench: Workbench, table: pd.DataFrame, fake: FakeProvider) -> None:
    """Without a schema answers are a column of text, under the name that is wanted."""
    frame = bench.map(table["text"], "Say {{text}}", "reply", progress=False)
    assert frame["reply"].tolist() == ["fine", "fine"]


def test_missing_values(bench: Workbench, fake: FakeProvider) -> None:
    """A row that misses a value of the template is skipped and says which; other columns may miss theirs."""
    table = pd.DataFrame({"a": ["x", None, "z"], "b": [1.0, 2.0, float("nan")], "c": [None, None, None]})
    frame = bench.map(table, "{{a}} {{b}}", progress=False)
    assert frame["status"].tolist() == ["completed", "skipped", "skipped"]
    assert ["value in a" in frame["error"][1], "value in b" in frame["error"][2]] == [True, True]
    assert len(fake.requests) == 1


def test_answers_that_do_not_fit(bench: Workbench) -> None:
    """An answer that is no JSON, or not of the shape, is a failed row with empty columns."""
    made: Any = bench._providers._made
    made["scripted"] = SteppedProvider(["Oslo"], ['{"n": "many"}'], ["{}"], ["[1]"], ['{"n": 3}'])
    table = pd.DataFrame({"text": [*"abcde"]})
    frame = bench.map(table, "{{text}}", {"n": int}, at_once=1, progress=False)
    assert frame["status"].tolist() == ["failed"] * 4 + ["completed"]
    assert frame["error_type"].tolist()[:4] == ["invalid_answer"] * 4
    assert frame["n"].tolist() == [pd.NA] * 4 + [3]


@pytest.mark.parametrize("out", [PlaceModel, SCHEMA])
def test_what_is_wrong_with_an_answer(bench: Workbench, out: Any) -> None:
    """The error says in one line which field doesn't fit."""
    made: Any = bench._providers._made
    made["scripted"] = FakeProvider(ROW.replace("0.5", '"half"'))
    told = bench.map(pd.DataFrame({"t": ["a"]}), "{{t}}", out, progress=False)["error"][0]
    assert ("share" in told, "\n" in told) == (True, False)


def test_bad_arguments(bench: Workbench, table: pd.DataFrame, fake: FakeProvider) -> None:
    """An unknown column, a template without one, and a name that is taken are refused before anything is asked."""
    with pytest.raises(UnknownName, match="Did you mean 'text'"):
        bench.map(table, "{{txt}}")
    with pytest.raises(InvalidRequest, match="names no column"):
        bench.map(table, "Hello")
    with pytest.raises(InvalidRequest, match="column 'n' already"):
        bench.map(table, "{{text}}", {"n": int})
    with pytest.raises(InvalidRequest, match="no fields"):
        bench.map(table, "{{text}}", {"type": "string"})
    with pytest.raises(InvalidRequest, match="over=df"):
        bench.sweep(table)  # type: ignore[arg-type]
    assert fake.requests == []


def test_no_rows(bench: Workbench) -> None:
    """A table without rows becomes one with the typed columns and no rows."""
    frame = bench.map(pd.DataFrame({"text": pd.Series([], dtype="string")}), "{{text}}", NAMED)
    assert (len(frame), {name: str(frame[name].dtype) for name in DTYPES}) == (0, DTYPES)


def test_a_series_of_prompts(bench: Workbench, fake: FakeProvider) -> None:
    """A column is a list of prompts; a missing one is skipped."""
    frame = bench.sweep(pd.Series(["a", None]), progress=False)
    assert frame["status"].tolist() == ["completed", "skipped"]


def test_a_template_over_a_table(bench: Workbench, table: pd.DataFrame, fake: FakeProvider) -> None:
    """A sweep over a table has the table's columns in its rows, also those that the template doesn't name."""
    frame = bench.sweep("Say {{text}}", {"temperature": [0, 1]}, over=table, progress=False)
    assert frame["n"].tolist() == [1, 1, 2, 2]


def test_a_thousand_rows(bench: Workbench, fake: FakeProvider) -> None:
    """A thousand rows take a few seconds at most, next to nothing a row."""
    begun = time.process_time()
    frame = bench.map(pd.DataFrame({"n": range(1000)}), "{{n}}", progress=False)
    assert (len(frame), frame["status"].eq("completed").all()) == (1000, True)
    assert time.process_time() - begun < 15


@pytest.mark.local_model
def test_local_sweep() -> None:
    """Two prompts with two settings are answered by the real model, no more than two at once."""
    with Workbench() as bench:
        prompts = ["Say hello.", "Name a colour."]
        frame = bench.sweep(prompts, {"max_output_tokens": [4, 8]}, model="local", temperature=0, progress=False)
    assert set(frame["status"]) <= {"completed", "incomplete"}
    assert (frame["output_tokens"] <= frame["max_output_tokens"]).all()
    assert frame["first_token"].notna().all()


@pytest.mark.local_model
def test_local_map() -> None:
    """The real model fills typed columns."""
    table = pd.DataFrame({"review": ["I love it, wonderful!", "Awful. It broke at once."]})
    shape = {"mood": Literal["good", "bad"], "stars": Literal[1, 2, 3, 4, 5]}
    with Workbench() as bench:
        frame = bench.map(table, "Rate this review: {{review}}", shape, model="local", temperature=0, progress=False)
    assert frame["status"].tolist() == ["completed"] * 2
    assert frame["mood"].isin(["good", "bad"]).all()
    assert frame["stars"].isin([1, 2, 3, 4, 5]).all()
