"""Functions of the notebook as tools of a chat: naming them, seeing them run, and being asked first."""

from __future__ import annotations

import asyncio
import builtins
import signal
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.error import StdinNotImplementedError

import agentbench
from agentbench import Workbench
from agentbench.errors import InvalidRequest
from agentbench.notebook.display import TerminalCanvas, draw
from agentbench.notebook.magics.commands import chat
from agentbench.protocol.items import FunctionCall, FunctionCallOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.notebook.conftest import Shell

    from agentbench.notebook.result import Result

DOUBLE = {"call": {"name": "double", "arguments": {"x": 4}}}
DELETE = {"call": {"name": "delete", "arguments": {"path": "a"}}}
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {
            "models": {
                "doubles": {"turns": [[DOUBLE], [{"text": "It is 8."}]]},
                "deletes": {"turns": [[DELETE, DELETE], [{"text": "Well."}]]},
            }
        }
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "doubles"}],
}
FUNCTIONS = """
import agentbench

def double(x: int) -> int:
    "Double a number."
    return 2 * x

done = []

@agentbench.tool(approval="ask")
def delete(path: str) -> str:
    "Delete a file."
    done.append(path)
    return "gone"
"""


@pytest.fixture
def cells(shell: Shell) -> Iterator[Shell]:
    """Give a shell in which two functions are defined, one of which wants a yes."""
    shell.run(FUNCTIONS)
    with Workbench(CONFIG) as bench:
        agentbench.set_workbench(bench)
        yield shell


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answer every prompt with yes; give what was asked."""
    asked: list[str] = []
    typed(monkeypatch, lambda prompt: asked.append(prompt) or "y")
    return asked


def typed(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], object]) -> None:
    """Answer prompts so."""
    monkeypatch.setattr(builtins, "input", answer)


def outputs(result: Result) -> list[object]:
    """Return the results of the tools that ran."""
    return [item.output for item in result.response.output if isinstance(item, FunctionCallOutput)]


# -- --tools --------------------------------------------------------------------------------------------------------


def test_a_function(cells: Shell) -> None:
    """It runs when the model calls it; the cell shows the call and the answer."""
    cells.run("%agent chat --to r --tools double Twice four?")
    assert outputs(cells.ip.user_ns["r"]) == ["8"]
    assert "double" in cells.printed
    assert "It is 8." in cells.printed


def test_several_functions(cells: Shell) -> None:
    """Commas part them; in quotes there may be spaces."""
    cells.run('%agent chat --to r --tools "delete, double" Twice four?')
    assert outputs(cells.ip.user_ns["r"]) == ["8"]


def test_an_unknown_variable(cells: Shell) -> None:
    """The error names the nearest."""
    error = cells.fail("%agent chat --tools dubble Twice four?")
    assert isinstance(error, InvalidRequest)
    assert str(error) == "--tools dubble: there is no variable 'dubble'. Did you mean 'double'?"


def test_a_variable_that_is_no_function(cells: Shell) -> None:
    """The error says so, and nothing is asked."""
    error = cells.fail("number = 5\n%agent chat --tools number Twice four?")
    assert isinstance(error, InvalidRequest)
    assert str(error).startswith("5 is not a function")


# -- approval -------------------------------------------------------------------------------------------------------


def test_a_yes(cells: Shell, prompts: list[str]) -> None:
    """The cell asks before each call, and shows what it asks for."""
    cells.run("%agent chat -m scripted/deletes --tools delete Clean up.")
    assert prompts == ['Run delete({"path":"a"})? [y/N] '] * 2
    assert cells.ip.user_ns["done"] == ["a", "a"]


@pytest.mark.parametrize("answer", ["", "n", "no", "maybe"])
def test_a_no(cells: Shell, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Anything but a yes is a no; the model learns of it and answers."""
    typed(monkeypatch, lambda _: answer)
    cells.run("%agent chat -m scripted/deletes --to r --tools delete Clean up.")
    result = cells.ip.user_ns["r"]
    assert (cells.ip.user_ns["done"], result.text) == ([], "Well.")
    assert outputs(result) == ["Error: the person declined this call."] * 2


@pytest.mark.parametrize("error", [StdinNotImplementedError("No input here."), EOFError()])
def test_nobody_there(cells: Shell, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Where a notebook runs by itself nobody says yes, and the cell goes on."""

    def answer(_: str) -> str:
        raise error

    typed(monkeypatch, answer)
    cells.run("%agent chat -m scripted/deletes --tools delete Clean up.")
    assert cells.ip.user_ns["done"] == []


def test_tools_that_want_no_yes(cells: Shell, prompts: list[str]) -> None:
    """They run without a question."""
    cells.run("%agent chat --tools double Twice four?")
    assert prompts == []


def test_arguments_that_play_tricks(prompts: list[str]) -> None:
    """What would move the cursor, or turn the text around, is shown as what it is."""
    chat._ask_person(FunctionCall(id="fc", call_id="c", name="f", arguments='{"도시":\r\x1b[2K"\u202e서울"}'))
    assert prompts == [r'Run f({"도시":\r\x1b[2K"\u202e서울"})? [y/N] ']


# -- interrupts -----------------------------------------------------------------------------------------------------


def interrupt(_: str) -> str:
    """Be interrupted while the person is asked."""
    signal.raise_signal(signal.SIGINT)
    return "y"


def test_an_interrupt_at_the_prompt(cells: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops the answer; nothing runs, and nothing more is asked."""
    typed(monkeypatch, interrupt)
    cells.run("%agent chat -m scripted/deletes --to r --tools delete Clean up.")
    result = cells.ip.user_ns["r"]
    assert (cells.ip.user_ns["done"], result.response.status) == ([], "incomplete")
    assert "(Stopped early: interrupted.)" in cells.printed


def test_an_interrupt_at_the_prompt_of_an_awaiting_cell(cells: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where the cell's event loop must go on; whoever handled interrupts before does so again."""
    typed(monkeypatch, interrupt)
    usual = signal.getsignal(signal.SIGINT)

    async def cell() -> Result:
        stream = agentbench.get_workbench().stream(
            "Hi", model="scripted/deletes", functions=[cells.ip.user_ns["delete"]], approve=chat._ask_person
        )
        return await draw(stream, TerminalCanvas(), blocking=False)

    assert asyncio.run(cell()).response.status == "incomplete"
    assert cells.ip.user_ns["done"] == []
    assert signal.getsignal(signal.SIGINT) is usual
