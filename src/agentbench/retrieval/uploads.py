"""What is uploaded: names made harmless, and data measured before any of it is stored."""

from __future__ import annotations

import hashlib
import io
import unicodedata
from contextlib import contextmanager
from pathlib import PurePosixPath
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from agentbench.errors import InvalidRequest, RequestTooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PART", "Upload", "clean_name", "measured", "too_large", "visible"]

PART = 1024 * 1024
"""The bytes of a file that are read, and stored in a row, at a time."""

_LONGEST_NAME = 200
_LONGEST_SUFFIX = 20
_LEFT_OUT = {"Cc", "Cs", "Zl", "Zp"}  # control characters, halves of characters, line ends
_TURNS_TEXT = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class Upload(NamedTuple):
    """Data that was read once, from `start` on: `head` is how it begins, `digest` its SHA-256."""

    stream: BinaryIO
    start: int
    size: int
    digest: str
    head: bytes

    def parts(self) -> Iterator[bytes]:
        """Read it once more, from its beginning. Raises `InvalidRequest` if it has changed in the meantime."""
        self.stream.seek(self.start)
        digest, left = hashlib.sha256(), self.size
        while left and (part := self.stream.read(min(PART, left))):
            left -= len(part)
            digest.update(part)
            yield part
        if digest.hexdigest() != self.digest:
            raise InvalidRequest("The file changed while it was read. Add it again.")


def clean_name(name: str) -> str:
    """Return a file's name without its folders, and without what isn't shown or turns text around."""
    last = visible(name.replace("\\", "/").rstrip("/").rpartition("/")[2]).strip()
    return _shortened(last) if last.strip(".") else "file"


def visible(text: str) -> str:
    """Return a text without line ends and what else isn't shown, or turns text around; macOS's Hangul is composed."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(each for each in composed if unicodedata.category(each) not in _LEFT_OUT and each not in _TURNS_TEXT)


@contextmanager
def measured(data: bytes | BinaryIO, name: str, *, largest: int) -> Iterator[Upload]:
    """Read data to its end, a part at a time; what can't be read twice is copied to a temporary file.

    Raises `RequestTooLarge` where there are more than `largest` bytes, and `InvalidRequest` where there are none.
    """
    source: BinaryIO = io.BytesIO(data) if isinstance(data, bytes) else data
    if source.seekable():
        yield _measured(source, None, name, largest)
    else:
        with TemporaryFile() as copy:
            yield _measured(source, copy, name, largest)


def too_large(name: str, largest: int) -> RequestTooLarge:
    """Return the error for a file that is larger than the limit."""
    mega = largest / PART
    limit = f"{mega:.4g} MB" if mega >= 1 else f"{largest} bytes"
    return RequestTooLarge(f"{name!r} is larger than {limit}, the limit for files. Split it, or add less of it.")


def _measured(source: BinaryIO, copy: BinaryIO | None, name: str, largest: int) -> Upload:
    start = source.tell() if copy is None else 0
    size, digest, head = 0, hashlib.sha256(), b""
    while part := source.read(PART):
        size += len(part)
        if size > largest:
            raise too_large(name, largest)
        digest.update(part)
        head = head or part[:8192]
        if copy is not None:
            copy.write(part)
    if not size:
        raise InvalidRequest(f"{name!r} is empty. Add a file that holds something.")
    return Upload(copy or source, start, size, digest.hexdigest(), head)


def _shortened(name: str) -> str:
    """Cut the stem of a long name, and keep what tells its type."""
    suffix = PurePosixPath(name).suffix
    suffix = suffix if len(suffix) <= _LONGEST_SUFFIX else ""
    stem = name.removesuffix(suffix)
    return stem[: _LONGEST_NAME - len(suffix)].rstrip() + suffix
