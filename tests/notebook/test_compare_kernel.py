"""`%%agent compare` in a real kernel, message by message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.kernel import Kernel, Output, started
from tests.notebook.scripts import MODELS

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = [step for number in range(60) for step in ({"text": f"word{number} "}, {"wait": 0.02})]
CONFIG: dict[str, Any] = {"endpoints": {"scripted": {"models": MODELS | {"quick": QUICK}}}}
SET_UP = f"%load_ext agentbench\nimport agentbench\nagentbench.set_workbench(agentbench.Workbench({CONFIG!r}))"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """Start a kernel with the magics loaded and the scripted models in use."""
    with started(tmp_path_factory.mktemp("kernel"), SET_UP) as kernel:
        yield kernel


def html(output: Output) -> str:
    """Return an output's HTML."""
    return str(output.content["data"]["text/html"])


def test_answers_grow_side_by_side(kernel: Kernel) -> None:
    """There is one output; while it grows, all answers are in it, and it is drawn ten times a second at most."""
    done = kernel.run("%%agent compare -m scripted/quick,scripted/quick,scripted/hello\nGo?")
    assert done.kinds == ["display_data", *["update_display_data"] * (len(done.outputs) - 1)]
    assert any(html(output).count("word3 ") == 2 and "word59" not in html(output) for output in done.outputs)
    assert "waiting…" in html(done.outputs[0])
    assert len(done.outputs) <= 10 * done.seconds + 3
    assert sorted(done.stored) == ["text/html", "text/markdown", "text/plain"]
    assert html(done.outputs[-1]).count("word59") == 2


def test_many_prompts_are_a_table_that_grows(kernel: Kernel) -> None:
    """It tells how many have answered."""
    done = kernel.run("listed = list('abcdef')\n%agent compare -m scripted/paced --over listed")
    assert any('<progress value="4" max="6">' in html(output) for output in done.outputs)
    assert "progress" not in done.stored["text/html"]


def test_it_blocks_where_it_can_not_wait(kernel: Kernel) -> None:
    """Within a function it draws as well."""
    done = kernel.run("def ask():\n    %agent compare -m scripted/paced,scripted/hello Go\nask()")
    assert done.reply["status"] == "ok"
    assert len(done.outputs) > 3
    assert "one two three" in done.stored["text/plain"]


def test_the_first_interrupt_stops_the_answers(kernel: Kernel) -> None:
    """What came stays, as trials too, and the cell goes on; what was cut short is no failure."""

    def stop(output: Output) -> None:
        if "This much came." in html(output) and "answering…" in html(output):
            kernel.interrupt()

    done = kernel.run("%agent compare -m scripted/slow,scripted/hello --to c Go", watch=stop)
    assert done.reply["status"] == "ok"
    assert "Stopped early: interrupted." in done.stored["text/html"]
    assert kernel.value("[trial.status for trial in c]") == "['incomplete', 'completed']"


def test_a_second_interrupt_ends_the_cell(kernel: Kernel) -> None:
    """A loop can be stopped; its last answers are shown too."""

    def stop(output: Output) -> None:
        if output.kind.endswith("display_data") and "answering…" in html(output):
            kernel.interrupt()

    done = kernel.run("for _ in range(3):\n    %agent compare -m scripted/slow,scripted/silent Go", watch=stop)
    assert done.reply["status"] == "error"
    assert done.kinds.count("display_data") == 2
    assert "Skipped" in html([output for output in done.outputs if output.kind.endswith("display_data")][-1])


def test_all_failed(kernel: Kernel) -> None:
    """The answers are shown, then the error."""
    done = kernel.run("%agent compare -m scripted/broken,scripted/broken Go")
    assert done.kinds[0] == "display_data"
    assert (done.kinds[-1], done.reply["ename"]) == ("error", "AnswerFailed")
