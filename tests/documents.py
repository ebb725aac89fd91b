"""Small files of each format, made here: what the tests of retrieval read."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import docx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["pdf", "pptx", "word", "xlsx", "zipped"]

_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def pdf(pages: Sequence[str], *, trailer: str = "") -> bytes:
    """Return a PDF with a line of Latin text on each page."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        resources = "<< /Font << /F1 3 0 R >> >>"
        page = f"/Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R"
        objects += [
            f"<< {page} /Resources {resources} >>",
            f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        ]
    body, offsets = "%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{each}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\n"
    return f"{body}{end}startxref\n{len(body)}\n%%EOF\n".encode("latin-1")


def zipped(entries: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive of the entries."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def word() -> bytes:
    """Return a Word document with a header, a footer, headings, a list and a table."""
    document = docx.Document()
    document.add_heading("안내서", 0)
    document.add_heading("Installing", 1)
    document.add_paragraph("Run the program.")
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("second", style="List Bullet")
    table = document.add_table(2, 2)
    for number, text in enumerate(("Part", "Price", "bolt", "3")):
        table.cell(number // 2, number % 2).text = text
    document.add_paragraph("After the table.")
    document.sections[0].header.paragraphs[0].text = "Confidential"
    document.sections[0].footer.paragraphs[0].text = "Acme"
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def pptx(slides: Sequence[tuple[str, str, str]]) -> bytes:
    """Return slides of a title, a text and notes each, stored in the reverse of their order."""
    count = len(slides)
    parts = {"ppt/presentation.xml": _list_of_slides(count), "ppt/_rels/presentation.xml.rels": _slides_parts(count)}
    for number, (title, text, notes) in enumerate(slides, 1):
        place = count - number + 1
        parts[f"ppt/slides/slide{place}.xml"] = _slide(_shape("title", title) + _shape("body", text))
        parts[f"ppt/notesSlides/notes{place}.xml"] = _slide(_shape("body", notes) + _shape("sldNum", "7"))
        parts[f"ppt/slides/_rels/slide{place}.xml.rels"] = _related("notesSlide", f"../notesSlides/notes{place}.xml")
    return zipped(parts)


def _related(kind: str, target: str) -> str:
    relation = f'<Relationship Id="rId1" Type="{_R}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_RELATIONS}">{relation}</Relationships>'


def _list_of_slides(count: int) -> str:
    ids = "".join(f'<p:sldId id="{256 + number}" r:id="rId{number}"/>' for number in range(1, count + 1))
    return f'<p:presentation xmlns:p="{_P}" xmlns:r="{_R}"><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>'


def _slides_parts(count: int) -> str:
    parts = "".join(
        f'<Relationship Id="rId{number}" Type="{_R}/slide" Target="slides/slide{count - number + 1}.xml"/>'
        for number in range(1, count + 1)
    )
    return f'<Relationships xmlns="{_RELATIONS}">{parts}</Relationships>'


def _slide(shapes: str) -> str:
    return f'<p:sld xmlns:p="{_P}" xmlns:a="{_A}"><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>'


def _shape(role: str, text: str) -> str:
    placeholder = f'<p:nvSpPr><p:nvPr><p:ph type="{role}"/></p:nvPr></p:nvSpPr>'
    return f"<p:sp>{placeholder}<p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"


def xlsx(sheets: Mapping[str, Sequence[Sequence[str | float]]]) -> bytes:
    """Return a workbook."""
    names = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>' for number, name in enumerate(sheets, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{number}" Type="{_R}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    parts = {
        "_rels/.rels": _related("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_S}" xmlns:r="{_R}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>',
    }
    for number, rows in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_S}"><sheetData>{"".join(map(_row, rows))}</sheetData></worksheet>'
        )
    return zipped(parts)


def _row(cells: Sequence[str | float]) -> str:
    return f"<row>{''.join(map(_cell, cells))}</row>"


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
    return f"<c><v>{value}</v></c>"
