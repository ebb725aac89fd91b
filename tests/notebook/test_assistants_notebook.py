"""The notebook from before the sunset of the Assistants API, on the real local model and embedder."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "06_assistants.ipynb"


@pytest.mark.local_model
def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs top to bottom over HTTP: answers, streams, calls functions, searches a file; and warns of nothing."""
    monkeypatch.setenv("AGENTBENCH_HOME", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    shown = {
        cell.id.removeprefix("assistants-"): "".join(
            output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ())
        )
        for cell in notebook.cells
    }
    assert shown["07"].strip()
    assert shown["09"].startswith("tutor > ")
    assert "get_wind({\"harbour\":\"Aldwick\"}) = {'harbour': 'Aldwick', 'force': 3}" in shown["12"]
    assert shown["12"].endswith("a good time to sail.")
    assert shown["14"] == "completed 1\n"
    assert "ferry.md" in shown["18"]
    assert "sailor" in shown["20"]
    assert all(name in shown["21"] for name in ("Math Tutor", "Sailor", "Ferry Guide"))
    assert "ferry.md · Ferry to Skerrin Island" in shown["22"]


def test_one_line_differs() -> None:
    """What a notebook from before would have to change is the client's line; the rest knows nothing of agentbench."""
    source = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code")
    old = source.partition("from openai import OpenAI\n")[2].partition("%agent usage")[0]
    assert old.count("server.url") == old.count("api_key") == 1
    assert "bench" not in old
