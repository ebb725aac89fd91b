"""An answer as Markdown and as plain text, for a notebook's output."""

from __future__ import annotations

import html
import textwrap
from decimal import Decimal
from typing import TYPE_CHECKING

from agentbench.notebook.render import is_link
from agentbench.notebook.sanitize import fence, literal, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentbench.notebook.blocks import Block
    from agentbench.storage.usage import UsageRow

__all__ = ["bundle", "dollars", "plain", "seconds", "summary_line"]

_CENT = 0.01
_QUOTED = 200
"""Characters of a passage in plain text."""


_MARKDOWN_SIGNS = str.maketrans({sign: f"&#{ord(sign)};" for sign in "\\`*_[]~$|"})


def bundle(blocks: Sequence[Block], *, note: str = "", row: UsageRow | None = None) -> dict[str, str]:
    """Return an answer as a notebook stores it; `note` says why it stopped early, `row` what it took."""
    parts = [text for block in blocks if block.kind != "source" and (text := _MARKDOWN[block.kind](block))]
    parts += _sources(blocks)
    if note:
        parts.append(f"*{literal(note)}*")
    if row is not None:
        parts.append(f"<sub>{html.escape(summary_line(row))}</sub>")
    return {"text/markdown": "\n\n".join(parts), "text/plain": plain(blocks, note=note, row=row)}


def _sources(blocks: Sequence[Block]) -> list[str]:
    """Return the passages that an answer rests on, under a heading, each folded; empty if there are none."""
    found = [_source(block) for block in blocks if block.kind == "source"]
    return ["**Sources**", *found] if found else []


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
        parts.append(f"{_count(row.input_tokens)} → {_count(row.output_tokens)} tokens")
    parts.append(seconds(row.duration))
    if row.cost is not None:
        parts.append(dollars(row.cost))
    return " · ".join(parts)


def seconds(value: float) -> str:
    """Return a time as people read it, in milliseconds below a second."""
    return f"{value:.1f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def dollars(value: float) -> str:
    """Return an amount as the live views show it: cents, and below one cent two digits that count."""
    return f"${value:.2f}" if value >= _CENT else f"${Decimal(f'{value:.2g}'):f}"


def _count(tokens: int | None) -> str:
    return "?" if tokens is None else f"{tokens:,}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in safe(text).split("\n"))


def _folded(summary: str, text: str) -> str:
    shown = html.escape(" ".join(summary.split())).translate(_MARKDOWN_SIGNS)
    return f"<details><summary>{shown}</summary>\n\n{text}\n\n</details>"


def _source(block: Block) -> str:
    link = f"<{block.note}>\n\n" if is_link(block.note) else ""
    return _folded(block.name, f"{link}{fence(block.text, '')}")


def _reasoning(block: Block) -> str:
    return _folded("Reasoning", safe(block.text)) if block.text else ""


def _output(block: Block) -> str:
    shown = fence(block.text, "")
    return _folded(block.note, shown) if block.note else shown


_MARKDOWN: dict[str, Callable[[Block], str]] = {
    "text": lambda block: safe(block.text),
    "json": lambda block: fence(block.text, "json"),
    "refusal": lambda block: _quoted(block.text),
    "reasoning": _reasoning,
    "call": lambda block: f"**{literal(block.name)}**\n\n{fence(block.text, 'json')}",
    "output": _output,
    "search": lambda block: f"*{literal(block.text)}.*",
    "source": _source,
}
_PLAIN: dict[str, Callable[[Block], str]] = {
    "text": lambda block: block.text,
    "json": lambda block: block.text,
    "refusal": lambda block: block.text,
    "reasoning": lambda _: "",
    "call": lambda block: f"{block.name}({block.text})",
    "output": lambda block: f"→ {block.text}" + (f"\n({block.note})" if block.note else ""),
    "search": lambda block: f"({block.text}.)",
    "source": lambda block: f"{block.name}\n  {textwrap.shorten(block.text, _QUOTED, placeholder='…')}",
}
