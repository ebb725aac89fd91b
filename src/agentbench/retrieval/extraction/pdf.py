"""PDF files: the text of each page."""

from __future__ import annotations

import re

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from agentbench.errors import Unreadable
from agentbench.retrieval.extraction.reading import Pages, check_length, damaged

__all__ = ["read"]

_HYPHENATION = re.compile("[\x02\ufffe](?:\r?\n)?")  # what pdfium puts where a word is divided at a line's end


def read(data: bytes) -> Pages:
    """Read a PDF; raises `Unreadable` if it has a password, no pages or no text."""
    document = _opened(data)
    try:
        if len(document) == 0:
            raise Unreadable("This PDF has no pages.")
        pages, length, failed = [], 0, []
        for number in range(len(document)):
            try:
                pages.append(_text(document, number))
            except pdfium.PdfiumError:
                pages.append("")
                failed.append(number + 1)
            length += len(pages[-1])
            check_length(length)
        title = document.get_metadata_value("Title")
    finally:
        document.close()
    return Pages(pages=tuple(pages), paged=True, title=title, notes=_notes(pages, failed))


def _opened(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code in {pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY}:
            raise Unreadable("This PDF is protected by a password. Remove it, and add the file again.") from error
        raise damaged("a PDF") from error


def _text(document: pdfium.PdfDocument, number: int) -> str:
    page = document[number]
    try:
        text = page.get_textpage()
        try:
            return _HYPHENATION.sub("", text.get_text_range())
        finally:
            text.close()
    finally:
        page.close()


def _notes(pages: list[str], failed: list[int]) -> tuple[str, ...]:
    notes = []
    empty = [number for number, page in enumerate(pages, 1) if not page.strip() and number not in failed]
    if failed:
        notes.append(f"Pages that can't be read: {_listed(failed)}.")
    if len(empty) == len(pages):
        notes.append("Its pages seem to be scanned: run text recognition (OCR) on it.")
    elif empty:
        notes.append(f"Pages without text (scanned?): {_listed(empty)}.")
    return tuple(notes)


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:10]))
    return f"{shown} and {len(numbers) - 10} more" if len(numbers) > 10 else shown  # noqa: PLR2004 - a line's worth
