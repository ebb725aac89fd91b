"""Spreadsheets: a page a sheet, a line a row."""

from __future__ import annotations

import io

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from agentbench.errors import Unreadable
from agentbench.retrieval.extraction.reading import Pages, check_length, damaged
from agentbench.retrieval.extraction.rows import rows_text

__all__ = ["read"]


def read(data: bytes) -> Pages:
    """Read the sheets that aren't empty; a file that isn't whole raises `Unreadable`."""
    names, pages = [], []
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for name in book.sheet_names:
            rows = rows_text(book.get_sheet_by_name(name).iter_rows())
            if rows:
                names.append(name)
                pages.append(f"{name}\n\n{rows}")
                check_length(sum(map(len, pages)))
    except PasswordError as error:
        raise Unreadable("This file is protected by a password. Remove it, and add the file again.") from error
    except (CalamineError, OSError) as error:
        raise damaged("a spreadsheet") from error
    return Pages(pages=tuple(pages), names=tuple(names), paged=True)
