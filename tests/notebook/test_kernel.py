"""Chat cells in a real kernel, message by message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.notebook.kernel import Kernel, Output, started
from tests.notebook.scripts import CONFIG

if TYPE_CHECKING:
    from collections.abc import Iterator

SET_UP = f"""\
%load_ext agentbench
import agentbench, asyncio
bench = agentbench.Workbench({CONFIG!r})
agentbench.set_workbench(bench)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """Start a kernel with the magics loaded and the scripted models in use."""
    with started(tmp_path_factory.mktemp("kernel"), SET_UP) as kernel:
        yield kernel


@pytest.fixture
def kernel(running: Kernel) -> Kernel:
    """Give the kernel with a new conversation and the first agent."""
    assert running.run("%agent new\nagentbench.set_workbench(bench)").reply["status"] == "ok"
    return running


# -- outputs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["%agent chat -m scripted/paced Go?", "r = %agent chat -m scripted/paced Go?"])
def test_an_answer_is_one_output_that_grows(kernel: Kernel, cell: str) -> None:
    """A chat cell makes one display and updates it while it runs; it has no value, assigned or not."""
    done = kernel.run(cell)
    assert done.kinds[0] == "display_data"
    assert set(done.kinds[1:]) == {"update_display_data"}
    seen = {output.text: output.seconds for output in done.outputs}
    assert list(seen)[:2] == ["…", "one"]
    assert any(text.strip() == "one two" for text in seen)
    assert seen["one"] < done.seconds - 0.2


def test_the_whole_answer_is_stored(kernel: Kernel) -> None:
    """The output's last state is the answer with its summary line, as Markdown and as text."""
    stored = kernel.run("%agent chat hi").stored
    assert sorted(stored) == ["text/markdown", "text/plain"]
    assert stored["text/markdown"].startswith("Hello **world**\n\n<sub>scripted/hello · 3 → 2 tokens · ")
    assert stored["text/plain"].startswith("Hello **world**\n\n— scripted/hello · 3 → 2 tokens · ")


def test_a_body_is_asked(kernel: Kernel) -> None:
    """A `%%agent` cell behaves as the line does."""
    done = kernel.run("%%agent\nWhy\nis that?")
    assert set(done.kinds) == {"display_data", "update_display_data"}
    assert done.stored["text/plain"].startswith("Hello **world**")


def test_a_list_is_the_cells_value(kernel: Kernel) -> None:
    """A command that answers no question has a value, which is shown."""
    done = kernel.run("%agent agents")
    assert done.kinds == ["execute_result"]
    assert "| bot ← |" in done.outputs[0].content["data"]["text/markdown"]


def test_the_event_loop_is_free_while_a_cell_waits(kernel: Kernel) -> None:
    """A task of the person's goes on while an answer comes."""
    kernel.run("""\
ticks = []
async def tick():
    while True:
        ticks.append(1)
        await asyncio.sleep(0.02)
ticker = asyncio.create_task(tick())""")
    kernel.run("before = len(ticks)\n%agent chat -m scripted/paced Go\nduring = len(ticks) - before")
    assert int(kernel.value("ticker.cancel()\nduring")) >= 5


def test_a_function_holds_the_cell_up(kernel: Kernel) -> None:
    """A call within a function draws into the cell that calls it, and blocks until the answer is there."""
    kernel.run("def ask():\n    r = %agent chat hi\n    return r.text")
    done = kernel.run("text = ask()")
    assert done.stored["text/plain"].startswith("Hello **world**")
    assert kernel.value("text") == "'Hello **world**'"


# -- interrupts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell", ["%agent chat -m scripted/slow Go", "def f():\n    %agent chat -m scripted/slow Go\nf()"]
)
def test_an_interrupt_keeps_what_came(kernel: Kernel, cell: str) -> None:
    """Interrupting a silent answer ends the cell well: the text stays, the turn is incomplete, the next one works."""

    def stop(output: Output) -> None:
        if output.text == "This much came.":
            kernel.interrupt()

    done = kernel.run(cell, watch=stop)
    assert done.reply["status"] == "ok"
    assert "error" not in done.kinds
    assert done.stored["text/plain"].startswith("This much came.\n\n(Stopped early: interrupted.)")
    assert done.seconds < 10
    assert kernel.value("talk = %agent history\nlist(talk.frame()['status'])") == "['incomplete']"
    assert kernel.value("bench.usage()['status'].iloc[-1]") == "'incomplete'"
    assert kernel.run("%agent chat Again?").stored["text/plain"].startswith("Hello **world**")


def test_an_interrupt_before_anything_came(kernel: Kernel) -> None:
    """An answer that was stopped before its first word ends the cell well too, and isn't gone on from."""

    def stop(output: Output) -> None:
        if output.text == "…":
            kernel.interrupt()

    done = kernel.run("%agent chat -m scripted/silent Go", watch=stop)
    assert (done.reply["status"], set(done.kinds)) == ("ok", {"display_data", "update_display_data"})
    assert done.stored["text/plain"].startswith("(Stopped early: interrupted.)")
    assert done.seconds < 10
    assert kernel.value("talk = %agent history\nlen(talk)") == "0"


def test_a_cell_after_an_interrupt_is_not_interrupted(kernel: Kernel) -> None:
    """An interrupt is spent on the answer that it stopped: what is below it in the cell still runs."""

    def stop(output: Output) -> None:
        if output.text == "This much came.":
            kernel.interrupt()

    done = kernel.run("reached = False\n%agent chat -m scripted/slow Go\nreached = True", watch=stop)
    assert done.reply["status"] == "ok"
    assert kernel.value("reached") == "True"


# -- conversations --------------------------------------------------------------------------------------------------


def questions(kernel: Kernel) -> str:
    """Return what was asked in the conversation, as it stands."""
    return kernel.value("talk = %agent history\nlist(talk.frame()['question'])")


def test_running_a_cell_again_rewinds(kernel: Kernel) -> None:
    """The conversation goes on from before the cell's earlier turn, and what came after it is gone."""
    kernel.run("%agent use counter")
    kernel.run("%agent chat One?", cell_id="a")
    kernel.run("%agent chat Two?", cell_id="b")
    kernel.run("%agent chat Three?", cell_id="c")
    again = kernel.run("%agent chat Else?", cell_id="b")
    assert again.stored["text/plain"].startswith("second")
    assert questions(kernel) == "['One?', 'Else?']"


def test_several_questions_in_one_cell_follow_each_other(kernel: Kernel) -> None:
    """Lines of one run of a cell don't rewind each other; running the cell again replaces them all."""
    for _ in range(2):
        kernel.run("%agent chat One?\n%agent chat Two?", cell_id="a")
        assert questions(kernel) == "['One?', 'Two?']"


def test_a_cell_without_an_id_never_rewinds(kernel: Kernel) -> None:
    """Where the notebook gives no ids, each run is a turn of its own."""
    kernel.run("%agent chat One?")
    kernel.run("%agent chat One?")
    assert questions(kernel) == "['One?', 'One?']"


def test_a_call_names_its_cell(kernel: Kernel) -> None:
    """The ledger knows which cell asked, and at which count."""
    done = kernel.run("%agent chat hi", cell_id="the-cell")
    assert kernel.value("bench.usage()['cell_id'].iloc[-1]") == "'the-cell'"
    assert kernel.value("int(bench.usage()['execution_count'].iloc[-1])") == str(done.reply["execution_count"])


# -- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "name", "message"),
    [
        ("-m scripted/helo hi", "UnknownName", "There is no model 'scripted/helo'. Did you mean 'scripted/hello'?"),
        ("-m gone/m hi", "UpstreamUnavailable", "gone"),
    ],
)
def test_an_error_before_the_answer_is_one_line(kernel: Kernel, line: str, name: str, message: str) -> None:
    """The cell fails with the error's name and message and nothing else, so Run All stops."""
    done = kernel.run(f"%agent chat {line}")
    assert done.kinds == ["error"]
    assert (done.reply["status"], done.reply["ename"]) == ("error", name)
    assert message in done.reply["evalue"]
    assert done.outputs[0].content["traceback"] == [f"{name}: {done.reply['evalue']}"]


def test_a_failure_midway_keeps_what_came(kernel: Kernel) -> None:
    """The partial answer stays in the output with the reason, and the cell fails."""
    done = kernel.run("%agent chat -m scripted/broken --to kept Go")
    assert (done.reply["status"], done.reply["ename"]) == ("error", "AnswerFailed")
    assert done.stored["text/plain"].startswith("Half an\n\n(Broke off: The model fell over.)")
    assert done.kinds[-1] == "error"
    assert kernel.value("kept.text") == "'Half an'"


def test_the_rest_of_a_failed_cell_does_not_run(kernel: Kernel) -> None:
    """What is below a failed question isn't reached, and the conversation stays usable."""
    assert kernel.run("reached = False\n%agent chat -m gone/m hi\nreached = True").reply["status"] == "error"
    assert kernel.value("reached") == "False"
    assert kernel.run("%agent chat hi").reply["status"] == "ok"
