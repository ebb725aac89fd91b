from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from browser.lab import Lab

pytestmark = pytest.mark.browser

FIRST_CHAT = Path(__file__).parents[2] / "notebooks" / "01_first_chat.ipynb"
USAGE = FIRST_CHAT.with_name("04_usage.ipynb")
SCRIPTS = {
    "hello": [{"text": "Hello **world** <script>document.title='run'</script>"}, {"usage": {"input_tokens": 3}}],
    "slow": [{"text": "This much came."}, {"wait": 60}, {"text": "Never."}],
}
SET_UP = f"""\
%load_ext agentbench
import agentbench
agentbench.set_workbench(agentbench.Workbench({{"endpoints": {{"scripted": {{"models": {SCRIPTS!r}}}}}}}))
%config AgentMagics.model = "scripted/hello"
"""


def test_an_answer_is_shown_and_stored_as_markdown(lab: Lab) -> None:
    """The answer is one output, rendered as Markdown, and no markup of the model's runs."""
    notebook = lab.open([SET_UP, "%agent chat hello"])
    notebook.run_all()
    assert notebook.text(1).startswith("Hello world <script>")
    [output] = notebook.save().cells[1].outputs
    assert sorted(output.data) == ["text/markdown", "text/plain"]
    assert lab.page.title() != "run"


def test_interrupt_keeps_the_partial_answer(lab: Lab) -> None:
    """The stop button ends a silent answer at once: no error, the text stays, the next question works."""
    notebook = lab.open([SET_UP, "%agent chat -m scripted/slow wait", "%agent chat again"])
    notebook.run(0)
    notebook.start(1)
    notebook.wait_text(1, "This much came.")
    notebook.interrupt()
    notebook.wait_idle(10)
    [output] = notebook.outputs(1)
    assert "Stopped early: interrupted." in "".join(output["data"]["text/markdown"])
    notebook.run(2)
    assert notebook.text(2).startswith("Hello")


def test_running_a_cell_again_rewinds(lab: Lab) -> None:
    """A cell that runs twice leaves one turn in the conversation."""
    notebook = lab.open([SET_UP, "%agent chat first", "%agent chat second", "turns = %agent history\nlen(turns)"])
    notebook.run_all()
    notebook.run(2)
    notebook.run(3)
    assert notebook.text(3) == "2"


def test_saved_notebooks_can_be_read(lab: Lab) -> None:
    """What lies in git shows its answers and draws its charts without a cell that runs, and asks no other host."""
    first = lab.open_copy(FIRST_CHAT)
    assert "local/smollm2-135m-instruct · " in first.text(2)
    lab.open_copy(USAGE)
    drawn = lab.page.locator(".jp-OutputArea-output .vega-embed canvas, .jp-OutputArea-output .vega-embed svg")
    drawn.first.wait_for()
    assert lab.blocked == set()
