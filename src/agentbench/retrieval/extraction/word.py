"""Word documents, as markdown: headings, lists, tables, headers and footers, footnotes, in their order."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import docx
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph
from lxml import etree

from agentbench.retrieval.extraction.reading import Pages, damaged
from agentbench.retrieval.extraction.rows import markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docx.document import Document

    from agentbench.retrieval.extraction.archive import Archive

__all__ = ["read"]

_HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
_DEEPEST_HEADING = 6
_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_TEXT = qn("w:t")
_BOX = qn("w:txbxContent")
_TWICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # the same again, for old programs


def read(archive: Archive) -> Pages:
    """Read a document; an archive that isn't one raises `Unreadable`."""
    try:
        document = docx.Document(io.BytesIO(archive.data))
        blocks = [
            *_margins(document, "header"),
            *_blocks(document.element.body, document),
            *_footnotes(document),
            *_margins(document, "footer"),
        ]
        title = document.core_properties.title
    except (KeyError, ValueError, AttributeError, etree.LxmlError) as error:
        raise damaged("a Word document") from error
    return Pages(pages=("\n\n".join(blocks).replace("\n\n\x00", "\n"),), markup="markdown", title=title or None)


def _blocks(parent: Any, document: Document) -> Iterator[str]:
    """Yield paragraphs and tables; a list's further items begin with a mark that joins them to the one before."""
    listed = False
    for child in parent:
        if child.tag == qn("w:p"):
            text, item = _paragraph(child, document)
            if text:
                yield f"\x00{text}" if item and listed else text
                listed = item
            yield from _boxes(child, document)
        elif child.tag == qn("w:tbl"):
            listed = False
            yield from _table(child)
        elif child.tag == qn("w:sdt"):  # a form's field, a table of contents
            for content in child.iterchildren(qn("w:sdtContent")):
                yield from _blocks(content, document)


def _paragraph(element: Any, document: Document) -> tuple[str, bool]:
    """Return a paragraph as markdown, and whether it is an item of a list."""
    text = _text(element).strip()
    if not text:
        return "", False
    style = (Paragraph(element, document).style.name or "") if element.style is not None else ""  # type: ignore[union-attr]
    if style == "Title":
        return f"# {' '.join(text.split())}", False
    if heading := _HEADING.match(style):
        return f"{'#' * min(int(heading[1]), _DEEPEST_HEADING)} {' '.join(text.split())}", False
    numbering = element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
    if numbering is None and not style.startswith("List "):
        return text, False
    level = numbering.find(qn("w:ilvl")) if numbering is not None else None
    depth = int(level.get(qn("w:val"), "0")) if level is not None else 0
    mark = "1." if style.startswith("List Number") else "-"
    return f"{'  ' * depth}{mark} {' '.join(text.split())}", True


def _text(element: Any) -> str:
    """Return the text of a paragraph, with what was inserted while changes are tracked, without its boxes."""
    if element.tag == _TEXT:
        return element.text or ""
    if element.tag in _BREAKS:
        return _BREAKS[element.tag]
    return "".join(_text(child) for child in element if child.tag not in {_BOX, _TWICE})


def _boxes(paragraph: Any, document: Document) -> Iterator[str]:
    for box in paragraph.iter(_BOX):
        if not any(parent.tag == _TWICE for parent in box.iterancestors()):
            yield from _blocks(box, document)


def _table(element: Any) -> Iterator[str]:
    rows = [
        [" ".join(" ".join(map(_text, cell.iter(qn("w:p")))).split()) for cell in row.iter(qn("w:tc"))]
        for row in element.iterchildren(qn("w:tr"))
    ]
    if text := markdown_table(rows):
        yield text


def _margins(document: Document, place: str) -> Iterator[str]:
    """Yield the headers, or the footers, each once."""
    seen = set()
    for section in document.sections:
        for margin in (getattr(section, place), getattr(section, f"first_page_{place}")):
            if not margin.is_linked_to_previous:
                text = "\n\n".join(_blocks(margin._element, document)).replace("\n\n\x00", "\n")  # noqa: SLF001 - the one way to its blocks in order
                if text and text not in seen:
                    seen.add(text)
                    yield text


def _footnotes(document: Document) -> Iterator[str]:
    for relation in document.part.rels.values():
        if relation.reltype.endswith(("/footnotes", "/endnotes")) and not relation.is_external:
            root = etree.fromstring(relation.target_part.blob, etree.XMLParser(resolve_entities=False))
            for note in root:
                if text := " ".join(" ".join(map(_text, note.iter(qn("w:p")))).split()):
                    yield f"[{note.get(qn('w:id'))}] {text}"
