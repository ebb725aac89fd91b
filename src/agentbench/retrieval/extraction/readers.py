"""The reader of each kind of file, and which kinds need none of their own process."""

from __future__ import annotations

from typing import NamedTuple

from agentbench.retrieval.extraction.encodings import NO_TEXT
from agentbench.retrieval.extraction.names import CODE, TEXTUAL

__all__ = ["READERS", "SIMPLE", "reader_of"]


class _Reader(NamedTuple):
    """Where a reader is; one of `encoded` text takes the encoding that somebody named."""

    module: str
    function: str = "read"
    encoded: bool = False


READERS = {
    "archive": _Reader("archive"),
    "code": _Reader("plain", "read_code", encoded=True),
    "csv": _Reader("rows", "read_csv", encoded=True),
    "html": _Reader("html_page", encoded=True),
    "json": _Reader("json_file", encoded=True),
    "jsonl": _Reader("json_file", "read_lines", encoded=True),
    "mail": _Reader("mail"),
    "markdown": _Reader("plain", "read_markdown", encoded=True),
    "notebook": _Reader("notebook_file", encoded=True),
    "ole": _Reader("archive", "read_ole"),
    "pdf": _Reader("pdf"),
    "plain": _Reader("plain", encoded=True),
}

SIMPLE = frozenset({"code", "markdown", "plain"})
"""Readers that only decode: harmless in this process if the file is small, and UTF-8."""

_BY_KIND = {
    "application/json": "json",
    "application/jsonl": "jsonl",
    "application/pdf": "pdf",
    "application/x-ipynb+json": "notebook",
    "message/rfc822": "mail",
    "text/csv": "csv",
    "text/html": "html",
    "text/markdown": "markdown",
    "text/tab-separated-values": "csv",
}
_OLE = {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/x-ole-storage"}
_ZIPPED = ("application/vnd.openxmlformats-", "application/vnd.oasis.", "application/epub+zip", "application/zip")
_UNREAD = {
    "image": "This is an image. Only text can be read: run text recognition (OCR) on it first.",
    "audio": "This is a sound recording. Only text can be read: transcribe it first.",
    "video": "This is a video. Only text can be read: transcribe it first.",
}


def reader_of(kind: str) -> tuple[str | None, str]:
    """Return the name of the reader of a MIME type; or None, and the reason why there is none."""
    if kind in _BY_KIND:
        return _BY_KIND[kind], ""
    if kind in TEXTUAL:
        return ("code" if kind in CODE else "plain"), ""
    if kind in _OLE:
        return "ole", ""
    if kind.startswith(_ZIPPED):
        return "archive", ""
    return None, _UNREAD.get(kind.partition("/")[0], NO_TEXT)
