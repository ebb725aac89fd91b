"""Notebooks as files."""

from __future__ import annotations

import nbformat

from agentbench.archives.notebook_file import Cell, shown, text


def test_it_is_a_valid_notebook() -> None:
    """Jupyter reads it, and cells count as if they had been run in order."""
    cells = [
        Cell("markdown", "# One"),
        Cell("code", "1", (shown({"text/plain": "1"}),)),
        Cell("code", "2", folded=True),
    ]
    notebook = nbformat.reads(text(cells), as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2]
    assert notebook.cells[2].metadata.jupyter.source_hidden


def test_it_is_the_same_each_time() -> None:
    """So that a notebook in git changes only where the conversation does."""
    cells = [Cell("code", "1")]
    assert text(cells) == text(cells)
