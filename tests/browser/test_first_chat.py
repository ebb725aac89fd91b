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


@pytest.mark.local_model
def test_first_notebook_runs(lab: Lab) -> None:
    """The first notebook runs top to bottom on the real local model, and asks no other host."""
    notebook = lab.open_copy(FIRST_CHAT)
    notebook.run_all(timeout=170)
    cells = notebook.save().cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert [each for each in outputs if each.output_type == "error"] == []
    [answer] = cells[2].outputs
    assert "local/smollm2-135m-instruct · " in answer.data["text/markdown"]
    assert lab.blocked == set()


@pytest.mark.local_model
def test_usage_notebook_runs(lab: Lab) -> None:
    """The notebook on costs runs top to bottom, draws its charts on the page itself, and asks no other host."""
    notebook = lab.open_copy(USAGE)
    notebook.run_all(timeout=170)
    cells = notebook.save().cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert [each for each in outputs if each.output_type == "error"] == []
    charts = [each for each in outputs if "application/vnd.vegalite.v5+json" in each.get("data", {})]
    assert len(charts) == 1
    assert lab.page.locator(".jp-OutputArea-output .vega-embed canvas, .jp-OutputArea-output .vega-embed svg").count()
    assert lab.blocked == set()
