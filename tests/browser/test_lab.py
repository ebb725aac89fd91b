from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from browser.lab import Lab

pytestmark = pytest.mark.browser

# In steps: ipykernel tells a waiting cell of an interrupt only when the event loop next wakes.
AWAITING = """\
import asyncio
print("started")
for _ in range(600):
    await asyncio.sleep(0.1)
"""


def test_runs_cells_and_saves(lab: Lab) -> None:
    """A notebook's cells run in order; the page shows and the file holds their results."""
    notebook = lab.open(["n = 1", "n + 1"])
    notebook.run_all()
    assert notebook.text(1) == "2"
    assert notebook.save().cells[1].outputs[0].data == {"text/plain": "2"}


def test_interrupts_an_awaiting_cell(lab: Lab) -> None:
    """The stop button ends a cell that awaits, and the kernel lives on."""
    notebook = lab.open([AWAITING, "'alive'"])
    notebook.start(0)
    notebook.wait_text(0, "started")
    notebook.interrupt()
    notebook.wait_idle(10)
    assert [output["output_type"] for output in notebook.outputs(0)] == ["stream", "error"]
    notebook.run(1)
    assert notebook.text(1) == "'alive'"


def test_reaches_no_other_host(lab: Lab) -> None:
    """JupyterLab itself asks no other host; a cell's output that does is blocked and recorded."""
    notebook = lab.open(["from IPython.display import HTML\nHTML('<img src=\"http://192.0.2.1/x.png\">')"])
    assert lab.blocked == set()
    notebook.run_all()
    assert lab.blocked == {"http://192.0.2.1/x.png"}


def test_takes_a_screenshot_of_the_whole_notebook(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A screenshot is as tall as the notebook, not as the window."""
    monkeypatch.setenv("TEST_PICTURES", "1")
    notebook = lab.open(["print('line\\n' * 100)"])
    notebook.run_all()
    notebook.screenshot(tmp_path / "long.png")
    png = (tmp_path / "long.png").read_bytes()
    assert int.from_bytes(png[20:24]) > 1500  # the height, in a PNG's header
