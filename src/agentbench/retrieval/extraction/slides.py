"""Slides: a page each, its title as a heading, its notes at its end."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from lxml import etree

from agentbench.retrieval.extraction.reading import Pages, damaged
from agentbench.retrieval.extraction.rows import markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.retrieval.extraction.archive import Archive

__all__ = ["read"]

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MAIN = "ppt/presentation.xml"
_TITLES = {"title", "ctrTitle"}
_UNSPOKEN = {"sldImg", "sldNum", "dt", "ftr", "hdr"}  # on each slide or page of notes; nobody wrote them there


def read(archive: Archive) -> Pages:
    """Read a presentation in the order of its slides; one that isn't whole raises `Unreadable`."""
    try:
        targets = _targets(archive, _MAIN)
        order = [targets[each.get(f"{_R}id")][1] for each in _parsed(archive, _MAIN).iter(f"{_P}sldId")]
        pages = tuple(_slide(archive, name) for name in order)
    except (KeyError, etree.LxmlError) as error:
        raise damaged("a presentation") from error
    return Pages(pages=pages or ("",), paged=True, markup="markdown")


def _parsed(archive: Archive, name: str) -> Any:
    return etree.fromstring(archive.read(name), etree.XMLParser(resolve_entities=False, no_network=True))


def _targets(archive: Archive, name: str) -> dict[str, tuple[str, str]]:
    """Return the kind and the place of each part that a part refers to, by the id it does so with."""
    folder, base = posixpath.split(name)
    relations = f"{folder}/_rels/{base}.rels"
    if relations not in archive.names:
        return {}
    return {
        each.get("Id"): (each.get("Type"), posixpath.normpath(posixpath.join("/", folder, each.get("Target")))[1:])
        for each in _parsed(archive, relations)
        if each.get("TargetMode") != "External"
    }


def _slide(archive: Archive, name: str) -> str:
    blocks = list(_shapes(_parsed(archive, name)))
    for kind, target in _targets(archive, name).values():
        if kind.endswith("/notesSlide"):
            notes = list(_shapes(_parsed(archive, target)))
            blocks += ["Notes:", *notes] if notes else []
    return "\n\n".join(blocks)


def _shapes(root: Any) -> Iterator[str]:
    """Yield the text of shapes and tables; the title comes as a heading."""
    for element in root.iter(f"{_P}sp", f"{_A}tbl"):
        if element.tag == f"{_A}tbl":
            rows = [[_text(cell, " ") for cell in row.iter(f"{_A}tc")] for row in element.iter(f"{_A}tr")]
            text = markdown_table(rows)
        else:
            placeholder = element.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
            role = placeholder.get("type") if placeholder is not None else None
            text = "" if role in _UNSPOKEN else _text(element, "\n")
            text = f"# {' '.join(text.split())}" if text and role in _TITLES else text
        if text:
            yield text


def _text(element: Any, between: str) -> str:
    paragraphs = ("".join(_runs(each)).strip() for each in element.iter(f"{_A}p"))
    return between.join(filter(None, paragraphs))


def _runs(paragraph: Any) -> Iterator[str]:
    for each in paragraph.iter(f"{_A}t", f"{_A}br"):
        yield "\n" if each.tag == f"{_A}br" else each.text or ""
