"""`%agent inspect`: what a run may be called, and files to keep it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench.errors import InvalidRequest, UnknownName
from agentbench.notebook.tables import Table
from agentbench.notebook.widgets.inspector import Inspector

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notebook.conftest import Shell


@pytest.fixture
def asked(shell: Shell) -> Shell:
    """Give a shell in which two questions were asked."""
    shell.run("r = %agent chat first\ns = %agent chat -m scripted/json second")
    return shell


def test_the_newest_run_is_inspected(asked: Shell) -> None:
    """Without a name it is the last answer's; a terminal shows its phases."""
    inspector = asked.run("%agent inspect")
    assert isinstance(inspector, Inspector)
    assert inspector.recording.source == "scripted/json"
    assert "until the first token" in asked.printed
    assert "No violation" in asked.printed


@pytest.mark.parametrize("name", ["r", "'r'", "{r.response.id}"])
def test_a_run_is_named_by_a_variable_or_its_id(asked: Shell, name: str) -> None:
    """What a variable holds is meant before an id of that name."""
    word = name.format(r=asked.ip.user_ns["r"])
    assert asked.run(f"%agent inspect {word}").recording.source == "scripted/hello"


def test_two_runs_are_compared(asked: Shell) -> None:
    """`--beside` takes what the command itself takes."""
    for line in ("%agent inspect --beside r s", "%agent inspect s --beside r"):
        inspector = asked.run(line)
        sources = [inspector.recording.source, inspector.record().plain.count("Run of")]
        assert sources == ["scripted/json", 2]


def test_one_run_is_inspected(asked: Shell) -> None:
    """A second name is an error that says how to compare."""
    assert "--beside OTHER" in str(asked.fail("%agent inspect r s"))


def test_a_run_is_saved_and_opened_again(asked: Shell, tmp_path: Path) -> None:
    """The file has all there is to know of the run."""
    file = tmp_path / "a run.jsonl"
    table = asked.run(f'%agent inspect r --save "{file}"')
    assert isinstance(table, Table)
    assert table.rows == [[str(file), "10"]]
    assert asked.run(f'%agent inspect "{file}"').recording == asked.run("%agent inspect r").recording


def test_a_folder_that_is_not_there_is_named(asked: Shell, tmp_path: Path) -> None:
    """The error says which file could not be written."""
    error = asked.fail(f"%agent inspect --save {tmp_path / 'gone' / 'run.jsonl'}")
    assert isinstance(error, InvalidRequest)
    assert "run.jsonl: No such file" in str(error)


def test_unknown_runs_are_refused(asked: Shell) -> None:
    """A slip is an error, not an empty inspector."""
    assert isinstance(asked.fail("%agent inspect resp_gone"), UnknownName)
    assert isinstance(asked.fail("x = 3\n%agent inspect x"), InvalidRequest)


def test_before_the_first_question(shell: Shell) -> None:
    """There is nothing to inspect yet, and the error says what to do."""
    told = "Nothing was asked in this kernel yet. Ask first, or name a response."
    assert str(shell.fail("%agent inspect")) == told
