"""What is in a file, whatever its name: text, or a ZIP with texts in it. Bounded, as archives come from anywhere."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from agentbench.archives.values import Malformed, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MOST_BYTES", "Member", "members"]

MOST_BYTES = 1 << 30
"""Of text that is read from one file."""
_MOST_MEMBERS = 10_000
_SUFFIXES = (".json", ".jsonl", ".ndjson")
_PIECE = 1 << 20


class Member(NamedTuple):
    """A text, and where it stands in its file; empty for a file that is no ZIP."""

    place: str
    text: str


def members(data: bytes, problems: list[Problem], *, most: int = MOST_BYTES) -> Iterator[Member]:
    """Yield the texts of a file; raises `Malformed` if it is none, or too large. What a ZIP lacks is a problem."""
    if len(data) > most:
        raise Malformed(f"it is larger than {most >> 20} MB")
    if not data.startswith(b"PK\x03\x04"):
        yield Member("", _text(data))
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from _unpacked(archive, problems, most)
    except zipfile.BadZipFile:
        raise Malformed("it is a broken ZIP") from None


def _unpacked(archive: zipfile.ZipFile, problems: list[Problem], most: int) -> Iterator[Member]:
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise Malformed(f"it is a ZIP of more than {_MOST_MEMBERS:,} files")
    for info in _chosen(infos):
        try:
            data = _read(archive, info, most)
            most -= len(data)
            yield Member(info.filename, _text(data))
        except (Malformed, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            problems.append(Problem(place=info.filename, reason=str(error)))


def _chosen(infos: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the members that hold conversations: those that ChatGPT calls so, else all of JSON."""
    found = [info for info in infos if PurePosixPath(info.filename).suffix.casefold() in _SUFFIXES]
    named = [info for info in found if PurePosixPath(info.filename).name.startswith("conversations")]
    return sorted(named or found, key=lambda info: info.filename)


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """Unpack a member piece by piece: what its header says of its size may be a lie."""
    pieces: list[bytes] = []
    room = most
    with archive.open(info) as file:
        while piece := file.read(_PIECE):
            room -= len(piece)
            if room < 0:
                raise Malformed("unpacked it is too large")
            pieces.append(piece)
    return b"".join(pieces)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Malformed("it is no text in UTF-8") from None
