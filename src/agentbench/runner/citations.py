"""What an answer cites: from the numbers in its text to the passages that they stand for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agentbench.protocol.content import UrlCitation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentbench.runner.documents import Passage

__all__ = ["citations", "label", "link"]

_LONGEST_HEADING = 80
_MARK = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]+`"  # code, where brackets mean something else
    r"|\[([0-9]{1,4}(?:\s*,\s*[0-9]{1,4})*)\]",
    re.DOTALL,
)
_NUMBER = re.compile(r"[0-9]+")


def citations(text: str, passages: Sequence[Passage]) -> Iterator[UrlCitation]:
    """Yield the citations in a text, in order; numbers that no passage has are left alone.

    `[1]` is cited with its brackets; of `[1, 2]` each number is a citation by itself.
    """
    by_number = {str(passage.n): passage for passage in passages}
    for mark in _MARK.finditer(text):
        if mark[1] is None:
            continue
        numbers = list(_NUMBER.finditer(text, *mark.span(1)))
        for number in numbers:
            passage = by_number.get(number[0])
            begin, end = mark.span() if len(numbers) == 1 else number.span()
            if passage is not None:
                yield UrlCitation(url=link(passage), title=label(passage), start_index=begin, end_index=end)


def label(passage: Passage) -> str:
    """Return where a passage is from, in one line: its file and the page, or else the heading."""
    if passage.page is not None:
        return f"{passage.name}, page {passage.page}"
    heading = " ".join((passage.heading or "").split())
    if len(heading) > _LONGEST_HEADING:
        heading = heading[: _LONGEST_HEADING - 1].rstrip() + "…"
    return f"{passage.name}, {heading}" if heading else passage.name


def link(passage: Passage) -> str:
    """Return the address of what a passage is from: the web page, or the stored file at the page; empty for a text."""
    if passage.url:
        return passage.url
    if passage.file is None:
        return ""
    page = "" if passage.page is None else f"#page={passage.page}"
    return f"/api/v1/files/{passage.file}/content{page}"
