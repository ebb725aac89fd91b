from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbclient
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from notebook.widgets.ledger import add, rows

if TYPE_CHECKING:
    from pathlib import Path

WIDGET = "application/vnd.jupyter.widget-view+json"
VEGA = "application/vnd.vegalite.v5+json"


class Attended(nbclient.NotebookClient):
    """Runs a notebook as if somebody sat there."""

    async def async_start_new_kernel_client(self) -> Any:
        """Say with each cell that there may be input."""
        client = await super().async_start_new_kernel_client()
        client.allow_stdin = True
        return client


def outputs(
    file: Path, show: str, *more: str, runner: type[nbclient.NotebookClient] = nbclient.NotebookClient
) -> list[dict[str, Any]]:
    """Run a notebook that shows a dashboard of that ledger, and return what its cell holds in the end."""
    set_up = f"import agentbench\nbench = agentbench.Workbench({{}}, database_url='sqlite:///{file}')"
    notebook = new_notebook(cells=[new_code_cell(each) for each in (set_up, show, *more)])
    runner(notebook, timeout=120, kernel_name="python3").execute()
    return [output["data"] for output in notebook.cells[1].outputs]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a ledger with 50 calls."""
    add(tmp_path / "ledger.db", *rows(50))
    return tmp_path / "ledger.db"


def test_a_notebook_keeps_tables_and_charts(file: Path) -> None:
    """Below the live view lie the record, in every form, and the charts, though the kernel ends with that cell."""
    view, record, charts = outputs(file, "bench.dashboard()")
    assert WIDGET in view
    assert "| calls | 50 |" in record["text/markdown"]
    assert "<caption>By model</caption>" in record["text/html"]
    assert "calls                       50" in record["text/plain"]
    assert len(charts[VEGA]["concat"]) == 4


def test_a_person_does_not_wait_for_charts(file: Path) -> None:
    """Where somebody sits, the charts are drawn beside the cells."""
    joined = (
        "import threading\n[drawing] = [each for each in threading.enumerate() if each.name == 'agentbench-charts']\n"
        "drawing.join(60)"
    )
    *_, charts = outputs(file, "bench.dashboard()", joined, runner=Attended)
    assert VEGA in charts


def test_the_record_follows(file: Path) -> None:
    """What was in view when it was renewed is what the notebook keeps, wherever the dashboard is shown."""
    cell = "d = bench.dashboard()\ndisplay(d, d)\nd.filters = {'model': ['cloud/large']}\nd.refresh()"
    kept = [each for each in outputs(file, cell) if "agentbench-record" in each.get("text/html", "")]
    assert ["Only model: cloud/large" in each["text/markdown"] for each in kept] == [True, True]
