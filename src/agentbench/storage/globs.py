"""How names are searched for: without regard to case, the same on every database."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement

__all__ = ["matches", "search_key"]

ESCAPE = "\\"
WILDCARDS = str.maketrans({"*": "%", "?": "_", "%": r"\%", "_": r"\_", "\\": r"\\"})


def search_key(name: str) -> str:
    """Return what names are compared by; macOS writes Hangul and accents in another form than other systems."""
    return unicodedata.normalize("NFC", name).casefold()


def matches(column: Column[str], glob: str) -> ColumnElement[bool]:
    """Compare a column of search keys with a name in which `*` stands for any text and `?` for one character."""
    return column.like(search_key(glob).translate(WILDCARDS), escape=ESCAPE)
