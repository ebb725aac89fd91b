"""`%agent usage`: frames, charts, files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from agentbench import frames
from agentbench.errors import InvalidRequest, MissingExtra
from agentbench.notebook.magics.commands.usage import GROUPS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notebook.conftest import Shell


@pytest.fixture
def asked(shell: Shell) -> Shell:
    """Give a shell in which two questions were asked."""
    shell.run("%agent chat hi\n%agent chat -m scripted/json hi")
    return shell


def test_what_is_shown_stays_data(asked: Shell) -> None:
    """The cost's dtype is a number's, whatever is shown."""
    frame = asked.run("%agent usage")
    assert isinstance(frame, frames.UsageFrame)
    assert str(frame.dtypes["cost"]) == "Float64"


def test_groups_are_those_of_frames() -> None:
    """Completion offers nothing that can't be summed up by."""
    assert set(GROUPS) <= set(frames.GROUPS)


def test_sums_by_cell(asked: Shell) -> None:
    """Which cell cost what: both calls came from one."""
    assert asked.run("%agent usage --by cell")["calls"].tolist() == [2]


def test_charts(asked: Shell) -> None:
    """`--plot` draws all four."""
    assert len(asked.run("%agent usage --plot").data) == 4


@pytest.mark.parametrize("other", ["--by model", "--export a.csv"])
def test_charts_are_of_calls(asked: Shell, other: str) -> None:
    """What doesn't go together is refused."""
    assert isinstance(asked.fail(f"%agent usage --plot {other}"), InvalidRequest)


def test_csv(asked: Shell, tmp_path: Path) -> None:
    """A file gets all columns of all rows, or the sums, and the cell tells where it is."""
    file = tmp_path / "usage.csv"
    assert asked.run(f'%agent usage --export "{file}"').rows == [[str(file), "2"]]
    assert pd.read_csv(file)["model"].tolist() == ["hello", "json"]
    asked.run(f"%agent usage --by status --export {file}")
    assert pd.read_csv(file)["calls"].tolist() == [2]


def test_parquet(asked: Shell, tmp_path: Path) -> None:
    """A Parquet file holds the rows with their types."""
    pytest.importorskip("pyarrow")
    file = tmp_path / "usage.parquet"
    asked.run(f"%agent usage --export {file}")
    written = pd.read_parquet(file)
    assert (len(written), str(written["input_tokens"].dtype)) == (len(asked.run("%agent usage --full")), "Int64")


def test_parquet_needs_its_extra(asked: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow the error names what to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    error = asked.fail(f"%agent usage --export {tmp_path / 'usage.parquet'}")
    assert isinstance(error, MissingExtra)
    assert "agentbench[parquet]" in str(error)


@pytest.mark.parametrize("name", ["usage.xlsx", "usage", "none/usage.csv"])
def test_bad_files(asked: Shell, tmp_path: Path, name: str) -> None:
    """Another suffix, or a folder that isn't there, is one short error."""
    error = asked.fail(f"%agent usage --export {tmp_path / name}")
    assert isinstance(error, InvalidRequest)
    assert str(error).startswith(f"--export {tmp_path / name}: ")
