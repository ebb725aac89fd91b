"""Text that is read as it stands."""

from __future__ import annotations

from agentbench.retrieval.extraction.encodings import decode
from agentbench.retrieval.extraction.reading import Pages, check_length

__all__ = ["read", "read_code", "read_markdown"]


def read(data: bytes, charset: str | None = None) -> Pages:
    """Read plain text in any encoding."""
    return Pages(pages=(_text(data, charset),))


def read_code(data: bytes, charset: str | None = None) -> Pages:
    """Read source code."""
    return Pages(pages=(_text(data, charset),), markup="code")


def read_markdown(data: bytes, charset: str | None = None) -> Pages:
    """Read markdown, whose title is its first heading."""
    text = _text(data, charset)
    first = text.lstrip("\ufeff \n\r").partition("\n")[0]
    return Pages(pages=(text,), markup="markdown", title=first.lstrip("# ") if first.startswith("# ") else None)


def _text(data: bytes, charset: str | None) -> str:
    text = decode(data, charset)
    check_length(len(text))
    return text
