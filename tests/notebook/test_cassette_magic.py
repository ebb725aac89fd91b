"""`%agent cassette` in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest
from IPython.core.completer import provisionalcompleter
from tests.notebook.upstream import upstream

import agentbench
from agentbench.errors import AgentbenchError, InvalidRequest
from agentbench.notebook.magics.commands.cassette import MODES, TOOL_RUNS
from agentbench.providers.cassettes.cassette import Mode, ToolRuns

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notebook.conftest import Shell


def use(url: str) -> agentbench.Workbench:
    """Let the magics use a workbench with one endpoint there."""
    endpoint = {"name": "there", "baseURL": url, "apiKey": "k3y-of-this-machine-01", "models": {"default": ["m"]}}
    bench = agentbench.Workbench(
        {"endpoints": {"custom": [endpoint]}, "agents": [{"id": "guide", "endpoint": "there"}]}
    )
    agentbench.set_workbench(bench)
    return bench


def test_record_and_replay(shell: Shell, tmp_path: Path) -> None:
    """What was recorded in cells is shown again with no upstream, and the table counts it."""
    file = tmp_path / "demo.jsonl"
    with upstream() as server, use(server.url):
        shell.run(f"%agent cassette record {file}")
        shell.run("%agent chat --to first Why?")
        assert shell.run("%agent cassette off").rows == [[str(file), "record", "0", "1", "0"]]
    with use("http://127.0.0.1:9/v1"):
        shell.run(f"%agent cassette replay {file}")
        shell.run("%agent chat --to second Why?")
        assert shell.run("%agent cassette").rows == [[str(file), "replay", "1", "0", "0"]]
    first, second = (shell.ip.user_ns[name] for name in ("first", "second"))
    assert second.text == first.text.replace("Bearer k3y-of-this-machine-01", "****")
    assert list(second.events["type"]) == list(first.events["type"])


def test_a_miss(shell: Shell, tmp_path: Path) -> None:
    """A cell that asks what isn't there fails with one sentence about it."""
    file = tmp_path / "demo.jsonl"
    with upstream() as server, use(server.url):
        shell.run(f"%agent cassette record {file}")
        shell.run("%agent chat Why?")
        shell.run(f"%agent cassette replay {file}")
        error = shell.fail("%agent chat Where?")
    assert isinstance(error, AgentbenchError)
    assert 'demo.jsonl holds no such request: there: POST /chat/completions with "Where?"' in error.message


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("replay", "Name a file"),
        ("replay none.jsonl", "There is no cassette none.jsonl"),
        ("rewind demo.jsonl", "There is no %agent cassette rewind"),
        ("auto demo.jsonl more", "'more' is too much"),
        ("auto demo.jsonl --tools never", "not a valid"),
        ("auto demo.jsonl --hide (", "not a regular expression"),
    ],
)
def test_what_is_refused(shell: Shell, line: str, told: str) -> None:
    """A wrong word, file or option is refused with what to write."""
    error = shell.fail(f"%agent cassette {line}")
    assert isinstance(error, InvalidRequest)
    assert told in error.message


def test_none_is_in(shell: Shell) -> None:
    """With none in, the table is empty and says how to put one in."""
    assert shell.run("%agent cassette").rows == []
    assert "%agent cassette auto" in shell.run("%agent cassette off").note


def test_words_are_those_of_cassettes() -> None:
    """The magic offers each mode, and each way to treat tools, that a cassette has."""
    assert get_args(Mode) == MODES
    assert get_args(ToolRuns) == TOOL_RUNS


def test_completion(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tab offers the words, then the JSON Lines files of this folder and those in it; one with blanks in quotes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tapes").mkdir()
    for name in ("demo.jsonl", "my demo.jsonl", "tapes/more.jsonl", "notes.txt"):
        (tmp_path / name).touch()

    def completed(text: str) -> set[str]:
        with provisionalcompleter():
            return {each.text for each in shell.ip.Completer.completions(text, len(text))}

    assert completed("%agent cassette re") == {"record", "replay"}
    assert completed("%agent cassette replay ") == {"demo.jsonl", "'my demo.jsonl'", "tapes/more.jsonl"}
    assert completed("%agent cassette replay ta") == {"tapes/more.jsonl"}
