"""The command line: what it prints where, and its exit status."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from agentbench import __version__
from agentbench.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "smollm2-135m-instruct"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("AGENTBENCH_CACHE", str(folder))
    return folder


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a file as the local model."""
    file = tmp_path / "mine.gguf"
    file.write_bytes(b"GGUF")
    monkeypatch.setenv("AGENTBENCH_LOCAL_MODEL", str(file))
    return file


def test_version() -> None:
    """`python -m agentbench --version` prints the version."""
    command = [sys.executable, "-m", "agentbench", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == f"agentbench {__version__}\n"


def test_path_is_all_that_path_prints(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`models path` can be used in a shell's `$(…)`."""
    assert main(["models", "path"]) == 0
    assert capsys.readouterr() == (f"{model}\n", "")


def test_path_of_a_model_that_is_not_here(capsys: pytest.CaptureFixture[str]) -> None:
    """The error goes to stderr, says what to run, and the status is 1."""
    assert main(["models", "path", MODEL]) == 1
    expected = f"agentbench: {MODEL} is not here yet. Run: agentbench models pull {MODEL}\n"
    assert capsys.readouterr() == ("", expected)


def test_unknown_model(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name is told with the nearest one."""
    assert main(["models", "pull", "smollm2-135m"]) == 1
    expected = f"agentbench: There is no model 'smollm2-135m'. Did you mean '{MODEL}'?\n"
    assert capsys.readouterr() == ("", expected)


def test_pull_prints_the_path(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`models pull` prints where the file is; one that is here already isn't fetched."""
    assert main(["models", "pull", "--quiet"]) == 0
    assert capsys.readouterr() == (f"{model}\n", "")


def test_list_of_what_is_not_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    """`models list` has one line a model, under a heading."""
    assert main(["models", "list"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["NAME", "SIZE", "LICENCE", "STATE", "PATH"]
    assert row.split() == [MODEL, "98", "MB", "Apache-2.0", "not", "fetched"]


def test_list_of_what_is_here(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is here is shown with how it was found, and its path."""
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[-2:] == ["named", str(model)]


@pytest.mark.parametrize("arguments", [[], ["models"], ["sing"], ["models", "dance"]])
def test_usage_errors(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A command that isn't there is a usage error: status 2, help on stderr."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert capsys.readouterr().err.startswith("usage: agentbench")
