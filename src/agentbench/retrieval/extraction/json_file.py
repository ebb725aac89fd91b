"""JSON laid out for people, with its characters rather than their numbers."""

from __future__ import annotations

import msgspec

from agentbench.retrieval.extraction.encodings import decode
from agentbench.retrieval.extraction.reading import Pages, check_length

__all__ = ["read", "read_lines"]


def read(data: bytes, charset: str | None = None) -> Pages:
    """Read JSON; what isn't valid comes as it is."""
    text = decode(data, charset)
    check_length(len(text))
    return Pages(pages=(_laid_out(text, indent=2),))


def read_lines(data: bytes, charset: str | None = None) -> Pages:
    """Read a value a line."""
    text = decode(data, charset)
    check_length(len(text))
    return Pages(pages=("\n".join(_laid_out(line, indent=0) for line in text.splitlines() if line.strip()),))


def _laid_out(text: str, *, indent: int) -> str:
    try:
        if "\\u" in text:
            text = msgspec.json.encode(msgspec.json.decode(text)).decode()
        return msgspec.json.format(text, indent=indent)
    except (msgspec.MsgspecError, OverflowError, RecursionError, ValueError):
        return text
