"""What every reader of a format gives, and how that becomes a file's text: clean, bounded, with the pages' offsets."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from agentbench.errors import Unreadable

__all__ = ["LONGEST_TEXT", "Pages", "Text", "assembled", "check_length", "damaged"]

LONGEST_TEXT = 20_000_000
"""Characters that the text of a file may have."""

_UNWANTED = re.compile("\x1b\\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
_LINE_ENDS = re.compile("\r\n?|[\x85\u2028\u2029]")


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader found. `names` are as many as `pages`, or none; a file without pages has one, not `paged`."""

    pages: tuple[str, ...]
    names: tuple[str, ...] = ()
    paged: bool = False
    markup: Literal["markdown", "code", "plain"] = "plain"
    title: str | None = None
    notes: tuple[str, ...] = ()


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of `retrieval.values.Extracted`, from a process that needs nothing else of that room."""

    text: str
    markup: Literal["markdown", "code", "plain"]
    title: str | None
    pages: tuple[int, ...]
    page_names: tuple[str, ...]
    notes: tuple[str, ...]


def assembled(found: Pages) -> Text:
    """Return the text with its pages one after another; raises `Unreadable` if there is none, or too much."""
    parts, offsets, length = [], [], 0
    for page in found.pages:
        part = _clean(page)
        offsets.append(length)
        parts.append(part)
        length += len(part) + len("\n\n")
    text = "\n\n".join(parts)
    check_length(len(text))
    if not text.strip():
        raise Unreadable(" ".join(("There is no text in this file.", *found.notes)))
    return Text(
        text=text,
        markup=found.markup,
        title=" ".join(_clean(found.title or "").split()) or None,
        pages=tuple(offsets) if found.paged else (),
        page_names=found.names if found.paged else (),
        notes=found.notes,
    )


def check_length(length: int) -> None:
    """Raise `Unreadable` for more characters than a file may have."""
    if length > LONGEST_TEXT:
        raise Unreadable(
            f"This file has more text than the {LONGEST_TEXT // 1_000_000} million characters that one file may have."
            " Split it into several files."
        )


def damaged(what: str) -> Unreadable:
    """Return the error for a file that isn't what it should be; `what` is a noun with its article."""
    return Unreadable(f"This file is damaged, or isn't {what}. Open it in its own program and save it again.")


def _clean(text: str) -> str:
    """Return the text with one kind of line end, and without colours, control characters and lone surrogates."""
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text)).rstrip()
