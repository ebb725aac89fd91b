"""Interrupts: the first in a cell stops an answer, the second the cell."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.kernel import Kernel, Output, started

from agentbench import Workbench
from agentbench.notebook.display import TerminalCanvas, draw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.notebook.conftest import Shell

    from agentbench.notebook.result import Result

CONFIG: dict[str, Any] = {
    "endpoints": {"scripted": {"models": {"slow": [{"text": "This much."}, {"wait": 60}], "hello": [{"text": "Hi"}]}}}
}
SET_UP = f"%load_ext agentbench\nimport agentbench\nagentbench.set_workbench(agentbench.Workbench({CONFIG!r}))"
ASK_THRICE = "for number in range(3):\n    print(number)\n    %agent chat -m scripted/slow {{number}}"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench with a model that takes a minute."""
    with Workbench(CONFIG) as made:
        yield made


async def interrupted(bench: Workbench, *, before: bool = False) -> Result:
    """Ask, and be interrupted after a moment."""
    asyncio.get_running_loop().call_later(0.2, signal.raise_signal, signal.SIGINT)
    return await draw(bench.stream("Go", model="scripted/slow"), TerminalCanvas(), blocking=False, interrupted=before)


def test_the_first_interrupt_stops_the_answer(bench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is incomplete, and whoever handled interrupts before does so again."""
    usual = signal.getsignal(signal.SIGINT)
    result = asyncio.run(interrupted(bench))
    assert (result.text, result.response.status) == ("This much.", "incomplete")
    assert "(Stopped early: interrupted.)" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is usual


def test_a_second_interrupt_ends_the_cell(bench: Workbench) -> None:
    """It cancels the task; the answer so far is stored and counted all the same."""
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted(bench, before=True))
    assert bench.usage()["status"].tolist() == ["incomplete"]


def test_what_follows_runs_as_ever(bench: Workbench) -> None:
    """A task whose answer was stopped doesn't count as cancelled."""

    async def cell() -> int:
        await interrupted(bench)
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            done = group.create_task(asyncio.sleep(0, "done"))
        assert done.result() == "done"
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(cell()) == 0


def test_a_loop_of_questions_can_be_stopped(shell: Shell) -> None:
    """In a terminal the second interrupt ends the loop."""
    for seconds in (0.5, 1.0):
        timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
        timer.daemon = True
        timer.start()
    result = shell.ip.run_cell(ASK_THRICE, store_history=True)
    assert isinstance(result.error_in_exec, KeyboardInterrupt)


@pytest.fixture
def kernel(home: Path) -> Iterator[Kernel]:
    """Start a kernel with the magics loaded and the slow model in use."""
    with started(home, SET_UP) as kernel:
        yield kernel


def test_a_kernels_loop_of_questions_can_be_stopped(kernel: Kernel) -> None:
    """The kernel itself would tell a cell of no second interrupt; the next cell works."""

    def stop(output: Output) -> None:
        if output.text.strip() == "This much.":
            kernel.interrupt()

    done = kernel.run(ASK_THRICE, watch=stop)
    assert (done.reply["status"], done.reply["ename"]) == ("error", "CancelledError")
    assert [output.text for output in done.outputs if output.kind == "stream"] == ["0\n", "1\n"]
    assert kernel.run("%agent chat -m scripted/hello Hi").stored["text/plain"].startswith("Hi")
