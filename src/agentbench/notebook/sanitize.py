"""Makes a stranger's Markdown harmless without changing how it reads.

JupyterLab runs scripts in a trusted notebook's Markdown, and fetches its images. So markup outside code is escaped,
images that aren't data become links, and then a CommonMark parser has to find the result inert. JupyterLab isn't quite
CommonMark, in ways that matter: it takes out maths first, wherever it stands, and puts it back into the HTML with its
quotes; it writes a fence's language into the HTML as it is; it pairs odd ticks in its own way. What isn't surely inert
is shown as it was written, in a block of code.
"""

from __future__ import annotations

import re
from functools import cache, partial
from html import unescape
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it import MarkdownIt
    from markdown_it.token import Token

__all__ = ["fence", "literal", "safe"]

_NEEDS_A_LOOK = re.compile(r"[<\]`~]|://|www\.", re.IGNORECASE)
_TAG = re.compile(r"<(?=[a-zA-Z/!?])")
_SPAN = re.compile(r"(?<![\\`~])`[^`\n]+`(?![`~])")
_NO_ADDRESS = r"(?!(?i:://|www\.))"  # else its ticks, not the maths, would count
_MATHS = (
    rf"(?<!\\)(?:\$\$(?:{_NO_ADDRESS}[^$])+\$\$|\$(?! )(?:{_NO_ADDRESS}[^$\n])+(?<! )\$(?!\d))"
    rf"|\\begin\{{(?P<name>\w+\*?)\}}(?s:{_NO_ADDRESS}.){{1,2000}}?\\end\{{(?P=name)\}}"
)
_ONE_LINE_ADDRESS = r"[ \t]*\S+[ \t]*(?:(?:\"[^\"\n]*\"|'[^'\n]*')[ \t]*)?$"
# A span of code; a link, whose ticks open no code; maths; and what may have to be escaped.
_INLINE = re.compile(
    rf"(?P<code>{_SPAN.pattern})"
    r"|(?P<link><(?:https?://|mailto:)[^\s<>]*>)"
    r"|(?P<address>(?i:https?://|ftp://|www\.)\S*)"
    rf"|(?P<maths>{_MATHS})"
    rf"|{_TAG.pattern}|\"|:(?<=\]:)(?!{_ONE_LINE_ADDRESS})"
    r"|!(?=\[)(?!\[[^\[\]\n]*\]\(data:image/(?:png|jpeg|gif|webp);base64,)",
    re.MULTILINE,
)
_SPACES = re.compile(r"^[ \t]+$", re.MULTILINE)
# Where readers differ: a line of both kinds of fence, an item that begins with a fence on its second line, and a quote
# that is as far in as indented code.
_ODD_FENCE = re.compile(
    r"^[\s>]*(?:(?=`*~)(?=~*`)[`~]{3,}[ \t]*$|(?:[-*+]|\d+[.)])[ \t]*\n[\s>]*(?:```|~~~))"
    r"|^(?: {4}|\t)[\s>]*>[\s>]*(?:```|~~~)|^[ \t]*>.*(?:```|~~~)(?:.*\n)+(?: {4}|\t)[ \t]*>",
    re.MULTILINE,
)
_LIST_OR_QUOTE = re.compile(r"\s*(?:>|(?:[-*+]|\d+[.)])(?:\s|$))")
_LANGUAGE = re.compile(r"[\w+#.-]*")
_RUNS = re.compile(r"\][(:][\s>]*<?\s*(?:javascript|vbscript|data(?!:image/))\s*:", re.IGNORECASE)

_MATHS_SIGN = re.compile(r"\$|\\\\[()\[\]]|\\(?:begin|end)\{")
# Code in which JupyterLab doesn't look for dollar signs: closed fences at the margin, and spans in one line.
_WITHOUT_DOLLARS = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[^`\n]*\n(?:.*\n)*?(?P=fence)`*$|(?<![\\`])(?P<ticks>`+)(?!`)[^\n]+?(?<!`)(?P=ticks)(?!`)",
    re.MULTILINE,
)
_CODE_MARK = "\0"
_CODE_BEGINS = re.compile(rf"[`{_CODE_MARK}]|~~~")
_BAIT = re.compile(rf"{_TAG.pattern}|\]\s*[(\[:]|://|www\.|(?:```|~~~).*[\"&$]", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*\[\]<>|$~&]|(?<!\w)_|_(?!\w)")


def fence(text: str, language: str) -> str:
    """Return text as a fenced block, with a fence longer than any in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def literal(text: str) -> str:
    """Return plain text as Markdown that shows just that, in one line."""
    return _SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))


def safe(text: str) -> str:
    """Return Markdown in which no markup outside code is live, and no link runs anything; open fences are closed."""
    if not _NEEDS_A_LOOK.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(_CODE_MARK, "")
    lines = _apart(_SPACES.sub("", text).split("\n"))
    blocks = _code_blocks(lines)
    for block in blocks:
        _simplify_language(lines, block)
    chunks = list(_maths_chunks(lines, blocks))
    escaped = _escaped(lines, blocks, {number for numbers, _ in chunks for number in numbers})
    may_hide_code = any(hides for _, hides in chunks) and _BAIT.search(escaped)
    if may_hide_code or _ODD_FENCE.search(escaped) or not _is_inert(escaped):
        return fence(text, "")
    return _closed(escaped)


@cache
def _block_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).disable("inline")


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


def _apart(lines: list[str]) -> list[str]:
    """Return the lines with fences set apart by blank ones: no maths goes past a blank line."""
    apart = list(lines)
    for block in reversed(_block_parser().parse("\n".join(lines))):
        if block.type == "fence" and block.level == 0 and block.map:
            start, end = block.map
            if end < len(lines) and lines[end]:
                apart.insert(end, "")
            if start and lines[start - 1]:
                apart.insert(start, "")
    return apart


def _code_blocks(lines: Sequence[str]) -> list[Token]:
    """Return what is code to every reader: fences, and indented blocks with no list or quote before them."""
    return [
        block
        for block in _block_parser().parse("\n".join(lines))
        if block.type == "fence" or (block.type == "code_block" and block.map and _stands_alone(lines, block.map[0]))
    ]


def _stands_alone(lines: Sequence[str], start: int) -> bool:
    return not (start and lines[start - 1]) and not any(map(_LIST_OR_QUOTE.match, lines[: start + 1]))


def _simplify_language(lines: list[str], block: Token) -> None:
    """Leave only the language's name behind a fence."""
    language = _LANGUAGE.match(block.info)
    if block.map and language and language[0] != block.info:
        number = block.map[0]
        lines[number] = "".join(lines[number].partition(block.markup)[:2]) + language[0]


def _maths_chunks(lines: Sequence[str], blocks: Sequence[Token]) -> Iterator[tuple[Sequence[int], bool]]:
    """Yield the numbers of lines together in which JupyterLab may see maths, and whether that may swallow a fence.

    Code after a fence that is swallowed is prose. Maths ends at a blank line at the latest.
    """
    indented = {number for block in blocks if block.type == "code_block" and block.map for number in range(*block.map)}
    marked = "\n".join(_CODE_MARK + line if number in indented else line for number, line in enumerate(lines))
    masked = _WITHOUT_DOLLARS.sub(_without_dollars, marked).split("\n")
    for _, group in groupby(range(len(masked)), key=lambda number: not masked[number]):
        numbers = list(group)
        chunk = "\n".join(masked[number] for number in numbers)
        signs = [found.start() for found in _MATHS_SIGN.finditer(chunk)]
        if len(signs) > 1:
            yield numbers, _CODE_BEGINS.search(chunk, signs[0], signs[-1]) is not None


def _without_dollars(found: re.Match[str]) -> str:
    rest = found[0].replace("$", "")
    return rest if _MATHS_SIGN.search(rest) else re.sub(".+", "code", rest)


def _escaped(lines: Sequence[str], blocks: Sequence[Token], maths: set[int]) -> str:
    """Return the lines with markup escaped outside code, and quotes too where there may be maths."""
    code = {number for block in blocks if block.map for number in range(*block.map)}
    out = []
    for (kept, quotes), group in groupby(
        range(len(lines)), key=lambda number: (number in code or not lines[number], number in maths)
    ):
        part = "\n".join(lines[number] for number in group)
        even = "`" not in _SPAN.sub("", part)
        like_fence = "```" in part or "~~~" in part  # another reader may find one here, and a language with quotes
        harmless = partial(_harmless, even=even, quotes=quotes or like_fence)
        out.append(part if kept else _INLINE.sub(harmless, part))
    return "\n".join(out)


def _harmless(found: re.Match[str], *, even: bool, quotes: bool) -> str:
    """Return what to write for a match: `even` says that each tick around is one of two, `quotes` to escape those."""
    text = found[0]
    if found["code"] and even and "|" not in text:  # a table would cut the span there
        return text
    if found["link"]:
        return text.replace('"', "%22")
    if found["maths"]:  # an entity would be shown as it is
        return _TAG.sub("< ", text).replace('"', "''")
    if text == "!":  # else the image is fetched, and its address can tell a stranger what was said
        return "&#33;"
    if text == ":":  # else a link's address or title on further lines could swallow a fence
        return "&#58;"
    text = text.replace("<", "&lt;")
    return text.replace('"', "&quot;") if quotes else text


def _is_inert(markdown: str) -> bool:
    tokens = _parser().parse(markdown)
    inner = (child for token in tokens for child in token.children or ())
    written = unescape(markdown).replace("\\", "")
    return not (
        any(token.type in ("html_block", "html_inline") for token in (*tokens, *inner)) or _RUNS.search(written)
    )


def _closed(markdown: str) -> str:
    """Return Markdown whose last fence is closed, so that what follows isn't code."""
    last = _block_parser().parse(f"{markdown}\n\n.")[-1]
    return "\n".join((markdown.rstrip("\n"), last.markup)) if last.type == "fence" else markdown
