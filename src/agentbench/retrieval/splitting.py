"""Text to passages: on its structure, of about the wanted size, each with its page and the headings it is under.

Passages may overlap, so that a thought that is cut in two is whole in one of them; where a heading or a page begins,
none does.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from agentbench.retrieval.outline import Outline
from agentbench.retrieval.values import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from semantic_text_splitter import MarkdownSplitter, TextSplitter

    from agentbench.config.retrieval import RetrievalSettings
    from agentbench.retrieval.values import Extracted

__all__ = ["split"]

_Span = tuple[int, int]

_BLOCK = 20_000  # characters the splitter gets at once: its time grows with the square of them
_NEARLY_EMPTY = 40  # characters of a page, slide or sheet that is no passage by itself: a title, a number
_BREAKS = ("\n\n", "\n", " ")
_SENTENCE = re.compile(r"\n|[.!?][\"')]*\s+|[\u3002\uff01\uff1f]")  # the last are the same in Chinese and Japanese


def split(extracted: Extracted, settings: RetrievalSettings) -> list[Piece]:
    """Return the passages in their order; each one's `text` is the slice of the file's text between its offsets."""
    text = extracted.text
    outline = Outline(text if extracted.markup == "markdown" else "")
    splitter = _splitter(extracted, settings.passage_size)
    pieces = []
    for page in _merged(_pages(extracted), min(_NEARLY_EMPTY, settings.smallest_passage)):
        spans = [span for block in _blocks(text, page, outline.starts) for span in _spans(text, block, splitter)]
        for number, (start, end) in enumerate(_merged(spans, settings.smallest_passage)):
            earlier = start if number == 0 else _earlier(text, page[0], start, settings.passage_overlap, outline)
            pieces.append(_piece(extracted, outline, earlier, start, end))
    return pieces


def _splitter(extracted: Extracted, size: int) -> MarkdownSplitter | TextSplitter:
    from semantic_text_splitter import MarkdownSplitter, TextSplitter

    return (MarkdownSplitter if extracted.markup == "markdown" else TextSplitter)(size)


def _pages(extracted: Extracted) -> list[_Span]:
    """Return the spans of the pages that have text, without the blank space around it."""
    starts = extracted.pages or (0,)
    ends = (*starts[1:], len(extracted.text))
    stripped = (_stripped(extracted.text, span) for span in zip(starts, ends, strict=True))
    return [(start, end) for start, end in stripped if start < end]


def _stripped(text: str, span: _Span) -> _Span:
    part = text[slice(*span)]
    start = span[0] + len(part) - len(part.lstrip())
    return start, max(start, span[0] + len(part.rstrip()))


def _merged(spans: list[_Span], smallest: int) -> list[_Span]:
    """Return the spans, those that are too small for themselves together with what follows, or with what was before."""
    merged: list[_Span] = []
    for start, end in spans:
        if merged and merged[-1][1] - merged[-1][0] < smallest:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    if len(merged) > 1 and merged[-1][1] - merged[-1][0] < smallest:
        merged[-2:] = [(merged[-2][0], merged[-1][1])]
    return merged


def _blocks(text: str, span: _Span, headings: list[int]) -> Iterator[_Span]:
    """Yield parts that the splitter is quick with, cut at the best place near their end, such as a heading."""
    start, end = span
    while end - start > _BLOCK:
        cut = _cut(text, start, headings)
        yield start, cut
        start = cut
    yield start, end


def _cut(text: str, start: int, headings: list[int]) -> int:
    least, most = start + _BLOCK // 2, start + _BLOCK
    number = bisect_right(headings, most)
    if number and headings[number - 1] > least:
        return headings[number - 1]
    for each in _BREAKS:
        if (found := text.rfind(each, least, most)) != -1:
            return found + len(each)
    return most


def _spans(text: str, block: _Span, splitter: MarkdownSplitter | TextSplitter) -> list[_Span]:
    chunks = splitter.chunk_indices(text[slice(*block)])
    return [(block[0] + offset, block[0] + offset + len(chunk)) for offset, chunk in chunks]


def _earlier(text: str, page: int, start: int, overlap: int, outline: Outline) -> int:
    """Return where a passage begins that repeats the end of the one before: at a sentence, or at least a word."""
    number = bisect_right(outline.starts, start)
    least = max(page, start - overlap, outline.starts[number - 1] if number else 0)
    if least >= start:
        return start
    if (sentence := _SENTENCE.search(text, least, start)) and sentence.end() < start:
        return _stripped(text, (sentence.end(), start + 1))[0]
    word = text.find(" ", least, start)
    return word + 1 if word != -1 else start


def _piece(extracted: Extracted, outline: Outline, earlier: int, start: int, end: int) -> Piece:
    """Return the passage from `earlier` to `end`; its headings are those of `start`, its page where most of it is."""
    return Piece(
        text=extracted.text[earlier:end],
        start=earlier,
        end=end,
        page=bisect_right(extracted.pages, (start + end) // 2) or None,
        heading=outline.path(start),
    )
