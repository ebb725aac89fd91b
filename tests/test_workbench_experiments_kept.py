"""An experiment's journal: what it keeps, and what is asked again."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.runner.fakes import HANG, FakeProvider, SteppedProvider

import agentbench
from agentbench import Workbench
from agentbench.errors import InvalidRequest, UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = {
    "endpoints": {
        "scripted": {
            "models": {
                "m": [{"text": "fine"}],
                "verdict": [{"text": '{"reason": "So.", "score": 1}'}],
            }
        }
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "m"}],
}
KILLED = """
import os, sys
from agentbench import Workbench
scripts = {"m": [{"text": "fine"}]}
agents = [{"id": "bot", "endpoint": "scripted", "model": "m"}]
with Workbench({"endpoints": {"scripted": {"models": scripts}}, "agents": agents}) as bench:
    ended = []
    def see(index, piece):
        if not isinstance(piece, list):
            ended.append(index)
        if len(ended) == 2:
            os._exit(9)
    options = {"model": "scripted/m", "at_once": 1, "journal": sys.argv[1]}
    bench.experiment(["a", "b", "c"], **options).run(progress=False, see=see)
"""


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
def journal(tmp_path: Path) -> Path:
    """Give the path of a journal that isn't there yet."""
    return tmp_path / "sweep.jsonl"


def asked(fake: FakeProvider) -> list[str]:
    """Return the prompts that the fake was asked."""
    return [request.input[-1].text for request in fake.requests]  # type: ignore[union-attr]


def sweep(bench: Workbench, prompts: Any, journal: Path, **options: Any) -> Any:
    """Sweep one prompt after the other."""
    return bench.sweep(prompts, journal=journal, at_once=1, progress=False, **options)


def test_done_trials_are_not_asked_again(bench: Workbench, fake: FakeProvider, journal: Path) -> None:
    """A second start asks only what is new, and gives the same rows for what is not."""
    first = sweep(bench, ["a", "b"], journal)
    second = sweep(bench, ["c", "a", "b"], journal)
    assert asked(fake) == ["a", "b", "c"]
    assert second["response_id"].tolist()[1:] == first["response_id"].tolist()
    assert second["place"].tolist() == [0, 1, 2]


def test_another_plan_is_not_misread(bench: Workbench, fake: FakeProvider, journal: Path) -> None:
    """The same prompt with another setting, run or agent is another question."""
    sweep(bench, "a", journal)
    sweep(bench, "a", journal, temperature=0)
    sweep(bench, "a", journal, grid={"streamRate": [25]})
    sweep(bench, "a", journal, schema={"type": "object"})
    sweep(bench, "a", journal, runs=2)
    assert len(fake.requests) == 5


def test_a_prompt_that_is_there_twice(bench: Workbench, fake: FakeProvider, journal: Path) -> None:
    """Equal prompts are trials of their own, also when they are read back."""
    first = sweep(bench, ["a", "a"], journal)
    second = sweep(bench, ["a", "a", "a"], journal)
    assert second["response_id"].nunique() == 3
    assert second["response_id"].tolist()[:2] == first["response_id"].tolist()


def test_failed_trials_are_tried_again(bench: Workbench, journal: Path) -> None:
    """What failed or was skipped is asked again."""
    made: Any = bench._providers._made
    made["scripted"] = fake = SteppedProvider(UpstreamUnavailable("Down."), ["fine"])
    assert sweep(bench, ["a", "b"], journal)["status"].tolist() == ["failed", "completed"]
    assert sweep(bench, ["a", "b"], journal)["status"].tolist() == ["completed", "completed"]
    assert asked(fake) == ["a", "b", "a"]


def test_resumes_after_an_interrupt(bench: Workbench, journal: Path) -> None:
    """What an interrupt cut short or kept from being asked is asked by the next start."""
    made: Any = bench._providers._made
    made["scripted"] = SteppedProvider(["done"], ["Half", HANG])

    def see(_: int, piece: Any) -> None:
        if isinstance(piece, list) and any(getattr(each, "delta", "") == "Half" for each in piece):
            raise KeyboardInterrupt

    options = {"journal": journal, "at_once": 1}
    with pytest.warns(UserWarning, match="Interrupted"):
        bench.experiment(["a", "b", "c"], **options).run(progress=False, see=see)
    made["scripted"] = fake = FakeProvider("fine")
    assert sweep(bench, ["a", "b", "c"], journal)["status"].tolist() == ["completed"] * 3
    assert asked(fake) == ["b", "c"]


def test_resumes_after_a_kill(journal: Path) -> None:
    """A process that is killed leaves what had ended."""
    assert subprocess.run([sys.executable, "-c", KILLED, journal], check=False).returncode == 9
    with Workbench(CONFIG) as bench:
        made: Any = bench._providers._made
        made["scripted"] = fake = FakeProvider("fine")
        sweep(bench, ["a", "b", "c"], journal, model="scripted/m")
    assert asked(fake) == ["c"]


def test_a_line_that_was_cut_off(bench: Workbench, fake: FakeProvider, journal: Path) -> None:
    """A last line without its end is left out, and doesn't spoil what is written after it."""
    sweep(bench, ["a", "b"], journal)
    journal.write_bytes(journal.read_bytes()[:-20])
    sweep(bench, ["a", "b"], journal)
    sweep(bench, ["a", "b"], journal)
    assert asked(fake) == ["a", "b", "b"]


def test_a_broken_line(bench: Workbench, fake: FakeProvider, journal: Path) -> None:
    """A broken line that isn't the last is an error that names it; nothing is asked."""
    sweep(bench, ["a", "b"], journal)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([lines[0], b"{nonsense\n", lines[2]]))
    with pytest.raises(InvalidRequest, match=r"Line 2 of .* is broken"):
        sweep(bench, "c", journal)
    assert asked(fake) == ["a", "b"]


def test_a_file_that_is_no_journal(bench: Workbench, journal: Path) -> None:
    """A file of something else is refused and stays as it is."""
    journal.write_text("my notes", encoding="utf-8")
    with pytest.raises(InvalidRequest, match="is no journal"):
        sweep(bench, "a", journal)
    assert journal.read_text(encoding="utf-8") == "my notes"


def test_a_line_a_trial(bench: Workbench, journal: Path) -> None:
    """A journal is JSON Lines: what it is, then a trial a line, with the prompt and the answer in it."""
    sweep(bench, ["a", "b"], journal, model="scripted/m")
    head, *lines = [msgspec.json.decode(line) for line in journal.read_bytes().splitlines()]
    assert head == {"object": "agentbench.trials", "version": 1}
    assert [(each["trial"]["prompt"], each["trial"]["answer"]) for each in lines] == [("a", "fine"), ("b", "fine")]


def test_scores_of_what_is_read_back(bench: Workbench, journal: Path) -> None:
    """Plain functions score again; a judge only where its score is missing, or its question is another."""
    options = {"model": "scripted/m"}
    sweep(bench, ["a", "b"], journal, **options)
    judges = [agentbench.judge(question, model="scripted/verdict") for question in ("Good?", "Good?", "Short?")]
    counts = []
    for judge in judges:
        frame = sweep(bench, ["a", "b"], journal, **options, scorers=[judge, len])
        counts.append(int((bench.usage()["context"] == "judge").sum()))
    assert counts == [2, 2, 4]
    assert frame["score_len"].tolist() == [4, 4]
