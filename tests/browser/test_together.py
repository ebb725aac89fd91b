from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from browser.lab import Lab

pytestmark = pytest.mark.browser

SET_UP = """\
%load_ext agentbench
import agentbench
bench = agentbench.Workbench({"endpoints": {"scripted": {"models": {"sky": [{"text": "Blue."}]}}}})
agentbench.set_workbench(bench)
"""
CELLS = [
    SET_UP,
    "%agent chat Why is the sky blue?",
    "chat = %agent chat",
    "%agent inspect",
    "%agent config edit",
    "%agent usage --live",
    "bench.chat(conversation=chat.conversation)",
    "agentbench.export('page.html', chat)",
    "chat.frame()",
]


@pytest.mark.parametrize("again", range(2))
def test_run_all_in_a_fresh_kernel(lab: Lab, again: int) -> None:
    """A notebook with every widget runs through: no cell is left waiting, none fails."""
    notebook = lab.open(CELLS)
    notebook.run_all(timeout=90)
    outputs = [output for cell in range(len(CELLS)) for output in notebook.outputs(cell)]
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert lab.page.locator(".ab-root").count() == 5
