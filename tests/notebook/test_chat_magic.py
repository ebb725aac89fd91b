"""`%agent chat` without a prompt: the widget in a kernel, and its session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.kernel import Kernel, Output, started
from tests.notebook.scripts import CONFIG

from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.notebook.conftest import Shell

SET_UP = f"""\
%load_ext agentbench
import agentbench, time
from agentbench.notebook.widgets import base
from agentbench.storage.grants import Reader
bench = agentbench.Workbench({CONFIG!r})
agentbench.set_workbench(bench)
session = get_ipython().magics_manager.registry["AgentMagics"].session
questions = lambda: [turn.input[0].text for turn in bench.turns(session.conversation)]
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """Start a kernel with the magics loaded and the scripted models in use."""
    with started(tmp_path_factory.mktemp("kernel"), SET_UP) as kernel:
        yield kernel


@pytest.fixture
def kernel(running: Kernel) -> Kernel:
    """Give the kernel with a new conversation and an agent whose answers count its turns."""
    cell = "%agent new\nagentbench.set_workbench(bench)\n%agent use counter"
    assert running.run(cell).reply["status"] == "ok"
    return running


def displayed(kernel: Kernel, cell: str) -> list[dict[str, Any]]:
    """Return what a cell that must not fail displays."""
    done = kernel.run(cell)
    assert done.reply["status"] == "ok", done.reply
    return [each.content["data"] for each in done.outputs if each.kind == "display_data"]


def value(kernel: Kernel, code: str) -> str:
    """Run a cell and return how its value is shown, whatever widgets draw meanwhile."""
    done = kernel.run(code)
    assert done.reply["status"] == "ok", done.reply
    return next(output.text for output in done.outputs if output.kind == "execute_result")


def test_one_conversation(kernel: Kernel) -> None:
    """A question in a cell, one in the widget and one in a cell again follow each other, in one conversation."""
    kernel.run("%agent chat one")
    view, record = displayed(kernel, "%agent chat --to chat")
    assert "application/vnd.jupyter.widget-view+json" in view
    assert "> one\n\nfirst" in record["text/plain"]
    assert value(kernel, "chat.ask('two').text, chat.last is agentbench.last()") == "('second', True)"
    kernel.run("%agent chat three")
    assert value(kernel, "questions(), len(chat.turns)") == "(['one', 'two', 'three'], 3)"


def test_a_chat_that_begins_the_conversation(kernel: Kernel) -> None:
    """The session goes on with the conversation that the widget begins, and in the branch that it is in."""
    kernel.run("%agent chat --to chat")
    kernel.run("_ = chat.ask('a'); _ = chat.ask('b'); chat.edit(chat.turns[1]['id'], 'B')")
    kernel.run("while chat.running: time.sleep(0.01)")
    kernel.run("%agent chat c")
    assert value(kernel, "questions()") == "['a', 'B', 'c']"


def test_another_conversation(kernel: Kernel) -> None:
    """After `%agent new` the widget stays in its conversation, and the session leaves it."""
    kernel.run("%agent chat --to chat")
    kernel.run("_ = chat.ask('a')\n%agent new")
    kernel.run("_ = chat.ask('b')")
    assert value(kernel, "session.conversation, len(chat.turns)") == "(None, 2)"
    begun = value(kernel, "chat.conversation_id").strip("'")
    kernel.run(f"%agent use -c {begun}")
    kernel.run("chat.fresh()\n_ = chat.ask('c')")
    assert value(kernel, "questions()") == "['c']"


def test_options(kernel: Kernel) -> None:
    """Agent and model of this call are those of the widget."""
    kernel.run("%agent chat -a bot -m scripted/turns --to chat")
    assert value(kernel, "chat.agent, chat.model") == "('bot', 'scripted/turns')"


def test_files(kernel: Kernel) -> None:
    """What is named after --files is ticked in the widget; a name that there isn't is an error."""
    kernel.run("bench._open_loop().portal.call(bench._runner.library.create, Reader('kernel'), 'birds')")
    kernel.run("%agent chat --files birds --to chat")
    assert value(kernel, "[each['name'] for each in chat.documents]") == "['birds']"
    assert "There is no file or collection 'nowhere'." in kernel.run("%agent chat -f nowhere").reply["evalue"]


@pytest.mark.parametrize("cell", ["%%agent\n ", "%agent chat --system Be", "%agent chat --dry-run"])
def test_what_needs_a_prompt(kernel: Kernel, cell: str) -> None:
    """An empty cell stays an error, and so do options that belong to a question."""
    assert "The prompt is empty" in kernel.run(cell).reply["evalue"]


def test_a_terminal(shell: Shell) -> None:
    """There a prompt is needed, as there is no view; an empty cell is told what it is everywhere."""
    error = shell.fail("%agent chat -m scripted/hello")
    assert isinstance(error, InvalidRequest)
    assert error.message.startswith("The chat view needs a notebook. Here, write a prompt: %agent chat ")
    assert "The prompt is empty" in str(shell.fail("%%agent\n "))


def test_an_interrupt_of_the_kernel(kernel: Kernel) -> None:
    """It ends the cell that runs, not the widget's answer."""
    kernel.run("%agent chat -m scripted/paced --to chat")
    kernel.run("_ = chat.ask_next('a')")

    def interrupt(output: Output) -> None:
        if output.kind == "stream":
            kernel.interrupt()

    done = kernel.run("print('here'); time.sleep(20)", watch=interrupt)
    assert done.reply["ename"] == "KeyboardInterrupt"
    kernel.run("while chat.running: time.sleep(0.01)")
    assert value(kernel, "chat.last.text, chat.turns[-1]['status']") == "('one two three', 'completed')"
