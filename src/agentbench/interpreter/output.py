"""What the code prints: a file, so that it needs no one who reads along; its beginning and its end are kept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Output", "shortened"]

_WIDEST = 4  # bytes of a character in UTF-8


class Output:
    """A file that a process writes and that is read here; whoever makes it closes it."""

    def __init__(self, path: Path) -> None:
        self.writer = path.open("ab", buffering=0)
        self._reader = path.open("rb", buffering=0)
        self._begun = 0

    def begin(self) -> None:
        """Forget what was written."""
        if os.name == "nt":  # the process goes on where it was, whatever becomes of the file
            self._begun = os.fstat(self.writer.fileno()).st_size
        else:
            self.writer.truncate(0)

    def text(self, limit: int) -> str:
        """Return what was written since `begin`, without its middle if that is over twice as many characters."""
        reach = limit * _WIDEST
        end = os.fstat(self._reader.fileno()).st_size
        self._reader.seek(self._begun)
        if end - self._begun <= 2 * reach:
            return _decoded(self._reader.read(2 * reach))
        head = self._reader.read(reach)
        self._reader.seek(end - reach)
        return _decoded(head) + _decoded(self._reader.read(reach))

    def close(self) -> None:
        """Close the file."""
        self.writer.close()
        self._reader.close()


def shortened(text: str, limit: int) -> str:
    """Return a text of at most so many characters and a note, without its middle if it is longer."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[The middle is left out: more than {limit:,} characters.]\n{text[-half:]}"


def _decoded(data: bytes) -> str:
    return data.decode(errors="replace").replace("\r\n", "\n")
