"""The notebook on files and knowledge, on the real local model and embedder."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_files_and_knowledge.ipynb"


@pytest.mark.local_model
def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs top to bottom, finds by letters and by meaning in both languages, and its citations name the files."""
    monkeypatch.setenv("AGENTBENCH_HOME", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120).execute()
    shown = [
        "".join(output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", ()))
        for cell in notebook.cells
    ]
    best = [next(line for line in text.splitlines() if line.startswith("0 ")) for text in shown[7:10]]
    assert [line.split()[1] for line in best] == ["machine.docx", "ferry.md", "김치.txt"]
    [cited] = [text for text in shown if text.startswith("[('machine.docx, Espresso")]
    assert cited.endswith("('김치.txt', '[1]')]")
