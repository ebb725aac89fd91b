"""What a file is: by its first bytes, then by its name, and last by what somebody says."""

from __future__ import annotations

from agentbench.retrieval.extraction.encodings import is_binary
from agentbench.retrieval.extraction.names import BY_EXTENSION, BY_NAME, TEXTUAL

__all__ = ["content_type_of"]

_UNKNOWN = "application/octet-stream"
_ZIP = "application/zip"
_OLE = "application/x-ole-storage"
_PDF_LOOKED_AT = 1024  # bytes in which a PDF may begin
_OFFICE = "application/vnd.openxmlformats-officedocument."

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"ID3\x02", "audio/mpeg"),
    (b"ID3\x03", "audio/mpeg"),
    (b"ID3\x04", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"OggS\x00", "audio/ogg"),
    (b"fLaC\x00", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"BZh91AY&SY", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"PK\x05\x06", _ZIP),
    (b"{\\rtf", "application/rtf"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"PAR1\x15", "application/vnd.apache.parquet"),
    (b"\x7fELF", "application/x-elf"),
)
_INSIDE: tuple[tuple[bytes, str], ...] = (  # names that a zip's first bytes show
    (b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
    (b"mimetypeapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
    (b"mimetypeapplication/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.presentation"),
    (b"mimetypeapplication/epub+zip", "application/epub+zip"),
    (b"word/", f"{_OFFICE}wordprocessingml.document"),
    (b"ppt/", f"{_OFFICE}presentationml.presentation"),
    (b"xl/", f"{_OFFICE}spreadsheetml.sheet"),
)
_ZIPPED = {kind for _, kind in _INSIDE}
_OLE_KINDS = {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}
_RIFF = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp"}


def content_type_of(name: str, head: bytes, said: str | None) -> str:
    """Return the MIME type of a file that begins with `head`, of which a few kB are enough.

    What was said counts for text of no known name, and for pages at addresses such as `index.php`; it can't make text
    anything but text.
    """
    named = _by_name(name)
    if found := _by_content(head, named):
        return found
    if is_binary(head):
        return _UNKNOWN if named is None or named in TEXTUAL else named
    is_page = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:5].lower() in {b"<!doc", b"<html"}
    if is_page and (named not in TEXTUAL or _said(said) == "text/html"):
        return "text/html"
    if named is not None and (named in TEXTUAL or not head.strip()):
        return named
    return _said(said) or "text/plain"


def _by_name(name: str) -> str | None:
    base = name.replace("\\", "/").rpartition("/")[2].replace("\x00", "").strip().casefold()
    return BY_NAME.get(base) or BY_EXTENSION.get(base.rpartition(".")[2] if "." in base else "")


def _said(said: str | None) -> str | None:
    kind = (said or "").partition(";")[0].strip().lower()
    return kind if kind in TEXTUAL else None


def _by_content(head: bytes, named: str | None) -> str | None:
    if b"%PDF-" in head[:_PDF_LOOKED_AT] and (head.startswith(b"%PDF-") or named not in TEXTUAL):
        return "application/pdf"
    if head.startswith(b"PK\x03\x04"):
        return next((kind for mark, kind in _INSIDE if mark in head), named if named in _ZIPPED else _ZIP)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return named if named in _OLE_KINDS else _OLE
    return _medium(head) or next((kind for mark, kind in _BEGINNINGS if head.startswith(mark)), None)


def _medium(head: bytes) -> str | None:
    """Return the type of images, sounds and videos whose bytes are told by more than how they begin."""
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "image/heic" if head[8:11] in {b"hei", b"mif", b"avi"} else "video/mp4"
    return "image/bmp" if head.startswith(b"BM") and is_binary(head) else None
