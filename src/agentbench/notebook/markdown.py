"""An answer as Markdown and as plain text, for a notebook's output.

What a model says can't become script: markup outside code is escaped, and links with a dangerous scheme are defused.
JupyterLab runs scripts in a trusted notebook's Markdown.
"""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markdown_it import MarkdownIt

    from agentbench.notebook.blocks import Block
    from agentbench.storage.usage import UsageRow

__all__ = ["bundle", "fence", "plain", "safe", "summary_line"]

# A span of inline code, a link in angle brackets, or the beginning of markup.
_INLINE = re.compile(
    r"(?P<code>(`+)(?!`).+?(?<!`)\2(?!`))|(?P<link><(?:https?://|mailto:)[^\s<>]*>)|<(?=[a-zA-Z/!?])", re.DOTALL
)
_LINK_TARGET = re.compile(r"(\]\(\s*<?|^\s{0,3}\[[^\]]+\]:\s*<?)([^\s)>]+)", re.MULTILINE)
_DANGEROUS = ("javascript:", "vbscript:", "data:text", "file:")


def bundle(blocks: Sequence[Block], *, note: str = "", row: UsageRow | None = None) -> dict[str, str]:
    """Return an answer as a notebook stores it; `note` says why it stopped early, `row` what it took."""
    parts = [text for block in blocks if (text := _MARKDOWN[block.kind](block))]
    if note:
        parts.append(f"*{note}*")
    if row is not None:
        parts.append(f"<sub>{html.escape(summary_line(row))}</sub>")
    return {"text/markdown": "\n\n".join(parts), "text/plain": plain(blocks, note=note, row=row)}


def plain(blocks: Sequence[Block], *, note: str = "", row: UsageRow | None = None) -> str:
    """Return an answer as plain text: without its reasoning, with its summary line."""
    parts = [text for block in blocks if (text := _PLAIN[block.kind](block))]
    if note:
        parts.append(f"({note})")
    if row is not None:
        parts.append(f"— {summary_line(row)}")
    return "\n\n".join(parts)


def summary_line(row: UsageRow) -> str:
    """Return model, tokens, time and cost in one line; what isn't known is left out."""
    parts = [f"{row.endpoint}/{row.model}"]
    if row.input_tokens is not None or row.output_tokens is not None:
        parts.append(f"{row.input_tokens} → {row.output_tokens} tokens")
    parts.append(f"{row.duration:.1f} s")
    if row.cost is not None:
        parts.append(f"${row.cost:.2g}")
    return " · ".join(parts)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in safe(text).splitlines())


def fence(text: str, language: str) -> str:
    """Return text as a fenced block, with a fence longer than any in it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def safe(text: str) -> str:
    """Return Markdown in which no markup outside code is live, and no link runs anything."""
    if "<" not in text and ":" not in text:
        return text
    lines = text.split("\n")
    code = {
        number
        for token in _parser().parse(text)
        if token.type in ("fence", "code_block") and token.map is not None
        for number in range(*token.map)
    }
    out: list[str] = []
    prose: list[str] = []
    for number, line in enumerate(lines):
        if number in code:
            out += [_defused("\n".join(prose))] if prose else []
            prose = []
            out.append(line)
        else:
            prose.append(line)
    out += [_defused("\n".join(prose))] if prose else []
    return "\n".join(out)


def _defused(prose: str) -> str:
    escaped = _INLINE.sub(lambda found: found[0] if found["code"] or found["link"] else "&lt;", prose)
    return _LINK_TARGET.sub(_defused_link, escaped)


def _defused_link(found: re.Match[str]) -> str:
    scheme = re.sub(r"[\s\x00-\x1f]", "", html.unescape(found[2])).lower()
    return f"{found[1]}#unsafe" if scheme.startswith(_DANGEROUS) else found[0]


def _details(block: Block) -> str:
    return f"<details><summary>Reasoning</summary>\n\n{safe(block.text)}\n\n</details>" if block.text else ""


_MARKDOWN: dict[str, Callable[[Block], str]] = {
    "text": lambda block: safe(block.text),
    "refusal": lambda block: _quoted(block.text),
    "reasoning": _details,
    "call": lambda block: f"**{safe(block.name)}**\n\n{fence(block.text, 'json')}",
    "output": lambda block: fence(block.text, ""),
}
_PLAIN: dict[str, Callable[[Block], str]] = {
    "text": lambda block: block.text,
    "refusal": lambda block: block.text,
    "reasoning": lambda _: "",
    "call": lambda block: f"{block.name}({block.text})",
    "output": lambda block: f"→ {block.text}",
}
