"""Files of office programs, which are archives: told by what is in them, and not unpacked if that is a trap."""

from __future__ import annotations

import io
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agentbench.errors import Unreadable
from agentbench.retrieval.extraction.reading import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.retrieval.extraction.reading import Pages

__all__ = ["Archive", "read", "read_ole"]

_LARGEST = 512 * 1024 * 1024  # bytes, unpacked
_MOST_ENTRIES = 20_000
_SMALL = 32 * 1024 * 1024  # bytes: below, anything may be packed as tightly as it likes
_TIGHTEST = 150  # times smaller; XML of spreadsheets gets to 50

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, OSError, ValueError)


class Archive:
    """The entries of a zip file whose unpacked size has been looked at; raises `Unreadable` if it is too large."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        with _readable():
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        entries = self._zip.infolist()
        size = sum(each.file_size for each in entries)
        tight = size > _SMALL and size > _TIGHTEST * len(data)
        if size > _LARGEST or len(entries) > _MOST_ENTRIES or tight:
            raise Unreadable(
                f"This file would unpack to {size // 2**20:,} MiB in {len(entries):,} parts, which is refused."
                " Split it into several files."
            )
        self.names = frozenset(each.filename for each in entries)

    def read(self, name: str) -> bytes:
        """Return an entry; never more of it than the archive declares."""
        with _readable():
            return self._zip.read(name)

    def copied(self) -> bytes:
        """Return an archive of the entries as they are read here, for a reader that might believe them more."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
            for name in self.names:
                copy.writestr(name, self.read(name))
        return target.getvalue()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise _protected() from error
    except _BROKEN as error:
        raise damaged("a document of an office program") from error


def read(data: bytes) -> Pages:
    """Read a document, slides or sheets, whichever the archive holds."""
    archive = Archive(data)
    if "word/document.xml" in archive.names:
        from agentbench.retrieval.extraction import word

        return word.read(archive)
    if "ppt/presentation.xml" in archive.names:
        from agentbench.retrieval.extraction import slides

        return slides.read(archive)
    spreadsheet = "mimetype" in archive.names and b"spreadsheet" in archive.read("mimetype")
    if spreadsheet or archive.names & {"xl/workbook.xml", "xl/workbook.bin"}:
        from agentbench.retrieval.extraction import sheets

        return sheets.read(archive.copied())
    if "content.xml" in archive.names or "mimetype" in archive.names:
        raise Unreadable("This kind of document can't be read. Save it as .docx, .pptx or PDF.")
    raise Unreadable("This is an archive. Unpack it, and add the files in it.")


def read_ole(data: bytes) -> Pages:
    """Read the older container, in which sheets can be read; documents with a password are in it, too."""
    if _utf16("EncryptedPackage") in data:
        raise _protected()
    if _utf16("Workbook") in data or _utf16("Book") in data:
        from agentbench.retrieval.extraction import sheets

        return sheets.read(data)
    raise Unreadable("This is in an old format that can't be read. Save it as .docx, .pptx or PDF.")


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-le")


def _protected() -> Unreadable:
    return Unreadable("This file is protected by a password. Remove it, and add the file again.")
