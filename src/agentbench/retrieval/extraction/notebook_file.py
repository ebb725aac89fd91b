"""Notebooks as markdown: cells of text as they are, code in fences, what it printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.retrieval.extraction.encodings import decode
from agentbench.retrieval.extraction.reading import Pages, damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["read"]

_LONGEST_OUTPUT = 2000  # characters of a cell


class _Output(msgspec.Struct):
    text: str | list[str] = ""
    data: dict[str, Any] = {}


class _Cell(msgspec.Struct):
    cell_type: str
    source: str | list[str] = ""
    outputs: list[_Output] = []


class _Kernel(msgspec.Struct):
    language: str = ""


class _Metadata(msgspec.Struct):
    kernelspec: _Kernel = msgspec.field(default_factory=_Kernel)


class _Notebook(msgspec.Struct):
    cells: list[_Cell]
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


def read(data: bytes, charset: str | None = None) -> Pages:
    """Read a notebook; what isn't one raises `Unreadable`."""
    try:
        notebook = msgspec.json.decode(decode(data, charset), type=_Notebook)
    except msgspec.DecodeError as error:
        raise damaged("a notebook") from error
    language = notebook.metadata.kernelspec.language
    return Pages(pages=("\n\n".join(_blocks(notebook.cells, language)),), markup="markdown")


def _blocks(cells: list[_Cell], language: str) -> Iterator[str]:
    for cell in cells:
        source = _joined(cell.source).strip()
        if source:
            yield source if cell.cell_type != "code" else _fenced(source, language)
        printed = "\n".join(filter(None, map(_printed, cell.outputs)))
        if printed:
            yield _fenced(printed[:_LONGEST_OUTPUT] + ("\n…" if len(printed) > _LONGEST_OUTPUT else ""), "text")


def _printed(output: _Output) -> str:
    plain = output.data.get("text/plain") or output.data.get("text/markdown") or ""
    return (_joined(output.text) or _joined(plain)).strip()


def _joined(source: object) -> str:
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"
