"""A workbench whose config changes while it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from agentbench import Workbench
from agentbench.errors import ConfigError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = """\
endpoints:
  scripted:
    models:
      first: [{text: one}]
agents:
  - {id: bot, endpoint: scripted, model: first}
"""
TOOLS = [{"call": {"name": "read"}}]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a config file."""
    path = tmp_path / "agentbench.yaml"
    path.write_text(TEXT)
    return path


@pytest.fixture
def bench(file: Path, home: Path) -> Iterator[Workbench]:
    """Give a workbench of that file."""
    with Workbench(file, home=home) as bench:
        yield bench


def test_a_reload_changes_who_answers(bench: Workbench, file: Path) -> None:
    """The next question, clients in the process and the list of models know the new file."""
    client = bench.openai()
    assert bench.ask("Hi").output_text == "one"
    file.write_text(TEXT.replace("one", "two").replace("id: bot", "id: clerk"))
    bench.config.reload()
    assert bench.ask("Hi").output_text == "two"
    assert next(each.id for each in client.models.list()) == "clerk"
    assert client.responses.create(model="clerk", input="Hi").output_text == "two"
    with pytest.raises(UnknownName):
        bench.ask("Hi", agent="bot")


def test_a_wrong_file_leaves_the_old_one_running(bench: Workbench, file: Path) -> None:
    """The error names the line; questions are answered as before."""
    file.write_text(TEXT.replace("scripted,", "skripted,"))
    with pytest.raises(ConfigError, match=r"agentbench\.yaml:6:15: agents\[0\]\.endpoint"):
        bench.config.reload()
    assert bench.ask("Hi").output_text == "one"


def test_an_answer_that_runs_is_not_disturbed(bench: Workbench, file: Path) -> None:
    """It ends as it began."""
    stream = bench.stream("Hi")
    file.write_text(TEXT.replace("one", "two"))
    bench.config.reload()
    for _ in stream:
        pass
    assert stream.response.output_text == "one"


def test_a_limit_of_results_is_for_the_model_only(home: Path) -> None:
    """Set while the workbench runs, it holds for the next question; the answer keeps the whole result."""
    scripts = {"m": {"turns": [TOOLS, [{"text": "done"}]]}}
    with Workbench({"endpoints": {"scripted": {"models": scripts}}}, home=home) as bench:
        bench.config.set("scripted.maxToolResultChars", 100)

        def read() -> str:
            """Read much."""
            return "word " * 1000

        answer = bench.ask("Hi", model="scripted/m", functions=[read])
        assert max(len(getattr(item, "output", "")) for item in answer.output) == 5000
