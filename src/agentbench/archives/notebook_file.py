"""Notebooks as files, in the format of Jupyter's notebooks, version 4.5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Cell", "shown", "text"]


class Cell(NamedTuple):
    """A cell with what it showed; the source of one that is `folded` is behind a click."""

    kind: Literal["code", "markdown"]
    source: str
    outputs: tuple[dict[str, Any], ...] = ()
    folded: bool = False


def shown(data: Mapping[str, str]) -> dict[str, Any]:
    """Return what a cell displays, by its MIME types, as an output."""
    return {"output_type": "display_data", "data": dict(data), "metadata": {}}


def text(cells: Iterable[Cell]) -> str:
    """Return the notebook as the text of its file: cells as if they had been run in order."""
    written: list[dict[str, Any]] = []
    count = 0
    for number, cell in enumerate(cells):
        count += cell.kind == "code"
        written.append(_cell(cell, number, count))
    notebook = {
        "cells": written,
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return msgspec.json.format(msgspec.json.encode(notebook), indent=1).decode() + "\n"


def _cell(cell: Cell, number: int, count: int) -> dict[str, Any]:
    made: dict[str, Any] = {"cell_type": cell.kind, "id": f"cell-{number}"}
    if cell.kind == "code":
        made["execution_count"] = count
    made["metadata"] = {"jupyter": {"source_hidden": True}} if cell.folded else {}
    if cell.kind == "code":
        made["outputs"] = list(cell.outputs)
    made["source"] = cell.source
    return made
