"""DataFrames in prompts: their schema and some rows, in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from agentbench.notebook.frame_text import LONGEST, frame_text, shape_of

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell

AROUND = LONGEST + 400


def test_a_small_frame() -> None:
    """Columns come with their dtype, what is missing and what values there are; a few rows are given whole."""
    frame = pd.DataFrame({"city": ["Oslo", "Rome", None], "people": [0.7, 2.8, 2.8]})
    frame["city"] = frame["city"].astype("string")
    assert frame_text(frame) == (
        "DataFrame of 3 rows and 2 columns.\n"
        "- city: string, 1 missing, 2 distinct: Oslo, Rome\n"
        "- people: float64, 0.7 to 2.8\n"
        "All rows as CSV:\n"
        "city,people\nOslo,0.7\nRome,2.8\n,2.8"
    )


def test_a_long_frame() -> None:
    """The first five rows are given, and the rest is counted."""
    text = frame_text(pd.DataFrame({"n": range(100_000), "word": [f"w{n % 900}" for n in range(100_000)]})) or ""
    assert "- n: int64, 0 to 99999" in text
    assert ", 900 distinct\n" in text
    assert text.endswith("The first 5 rows as CSV, 99,995 left out:\nn,word\n0,w0\n1,w1\n2,w2\n3,w3\n4,w4")


def test_a_wide_frame() -> None:
    """As many columns as there is room for, and the rest is counted."""
    text = frame_text(pd.DataFrame({f"column_{n}": [n] * 9 for n in range(300)})) or ""
    assert "more columns, up to column_299" in text
    assert len(text) < AROUND


BIG: dict[str, Any] = {
    "text": pd.DataFrame({"text": ["word " * 2_000] * 300}),
    "names": pd.DataFrame({"n" * 3_000: [1], "m" * 3_000: [2]}),
    "nested": pd.DataFrame({"d": [{"a": list(range(1_000))}] * 50}),
    "levels": pd.DataFrame({"v": range(400)}, index=pd.MultiIndex.from_product([range(20), range(20)])),
}


@pytest.mark.parametrize("name", BIG)
def test_what_is_big(name: str) -> None:
    """No value, name or index makes a prompt long."""
    assert len(frame_text(BIG[name]) or "") < AROUND


ODD: dict[str, tuple[Any, list[str]]] = {
    "an empty frame": (pd.DataFrame({"a": pd.Series([], dtype="int64")}), ["of 0 rows and 1 column.\n- a: int64"]),
    "no columns": (pd.DataFrame(), ["DataFrame of 0 rows and 0 columns."]),
    "levels": (
        pd.DataFrame({"v": [1, 2]}, index=pd.MultiIndex.from_tuples([("u", 1), ("w", 2)], names=["k", None])),
        ["- k (index): ", "- level 1 (index): int64, 1 to 2", "k,level 1,v\nu,1,1"],
    ),
    "names that are no text": (
        pd.DataFrame([[1, 2, 3]], columns=pd.Index([("a", "x"), 2024, pd.Timestamp("2026-01-02")], dtype=object)),
        ["- ('a', 'x'): int64", "- 2024: int64", "- Timestamp('2026-01-02 00:00:00'): int64"],
    ),
    "nested objects": (
        pd.DataFrame({"l": [[1], [2, 3]], "d": [{"a": 1}, None]}),
        ["- l: object (list)\n", "- d: object (dict), 1 missing\n", '"[2, 3]",'],
    ),
    "categories": (pd.DataFrame({"c": pd.Categorical(["a", None])}), ["- c: category, 1 missing, 1 distinct: a"]),
    "moments": (
        pd.DataFrame({"t": pd.to_datetime(["2026-01-02", None])}),
        [", 1 missing, 2026-01-02 00:00:00 to 2026-01-02 00:00:00", 't\n2026-01-02 00:00:00\n""'],
    ),
    "the same name twice": (pd.DataFrame([[1, 2]], columns=["a", "a"]), ["- a: int64, 1 to 1\n- a: int64, 2 to 2"]),
    "what is not there": (pd.DataFrame({"i": pd.array([1, None], dtype="Int64")}), ["- i: Int64, 1 missing, 1 to 1"]),
    "truths": (pd.DataFrame({"b": [True, False]}), ["- b: bool, 2 distinct: True, False"]),
    "lines": (pd.DataFrame({"t": ["a\nb"]}), ["t\na b"]),
    "a series": (pd.Series([1.5, 3], name="p", index=["x", "y"]), ["Series p of 2 values.", "index,p\nx,1.5\ny,3"]),
    "an index": (pd.Index([3, 4]), ["Index of 2 values.", "int64, 3 to 4"]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_frames(name: str) -> None:
    """Whatever a frame holds, what there is to say of it is said."""
    value, expected = ODD[name]
    text = frame_text(value) or ""
    assert [each for each in expected if each not in text] == [], text


def test_what_is_no_frame() -> None:
    """Other values are none of its business."""
    assert frame_text([1, 2]) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", "str of 3"),
        ({"a": 1}, "dict of 1"),
        (None, "NoneType"),
        (pd.Series([1.5]), "Series of shape (1,), float64"),
        (pd.DataFrame({"a": [1]}), "DataFrame of 1 row and 1 column: a (int64)"),
    ],
)
def test_shapes(value: object, expected: str) -> None:
    """A value is told by its type and size, never by what it holds."""
    assert shape_of(value) == expected


def test_a_frame_in_a_question(shell: Shell) -> None:
    """The model gets the few words, and what a question would cost counts them."""
    shell.run("import pandas as pd\ndf = pd.DataFrame({'n': range(5000)})")
    shell.run("%agent chat What is {{df}}?")
    [question] = shell.run("%agent history").frame()["question"]
    assert question.startswith("What is DataFrame of 5,000 rows and 1 column.\n- n: int64, 0 to 4999\n")
    shell.run("%agent new")
    shell.run("few = %agent chat --dry-run {{df}}\nall = %agent chat --dry-run {{df.to_string()}}")
    few, whole = (int(shell.ip.user_ns[each].rows[0][1].strip("~").replace(",", "")) for each in ("few", "all"))
    assert few < 100
    assert whole > 5_000
