"""A file that keeps an experiment's trials as they end, so that the next start asks only what is missing.

JSON Lines: the first line says what it is, each other holds a trial and the key of what was asked.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Entry", "Journal"]

_KEPT = ("completed", "incomplete")


class _Head(msgspec.Struct, frozen=True):
    object: str = "agentbench.trials"
    version: int = 1


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line: `key` is what was asked, `marks` tell by which scorers of their names it was scored."""

    key: str
    trial: Trial
    marks: dict[str, str] = {}


_heads = msgspec.json.Decoder(_Head)
_entries = msgspec.json.Decoder(Entry)
_encoder = msgspec.json.Encoder(enc_hook=str)


class Journal:
    """The trials of earlier starts, and those of this one; `close` it.

    `keys` are what is to be asked, in order: a key that is there several times takes as many trials. A last line that
    was cut off is left out. Raises `InvalidRequest` for a file that is something else.
    """

    def __init__(self, path: str | Path, keys: Sequence[str]) -> None:
        self._path = Path(path).expanduser()
        self._keys = keys
        self._file: BinaryIO | None = None
        try:
            data = self._path.read_bytes() if self._path.exists() else b""
        except OSError as error:
            raise self._unusable(error) from None
        self._whole = data.rfind(b"\n") + 1
        self.found = self._matched(self._read(data))

    def add(self, index: int, trial: Trial, marks: dict[str, str]) -> None:
        """Write down what has ended."""
        if self._file is None:
            self._file = self._opened()
        self._file.write(_encoder.encode(Entry(self._keys[index], trial, marks)) + b"\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _read(self, data: bytes) -> list[Entry]:
        lines = data[: self._whole].split(b"\n")[:-1]
        if data and (not lines or not _is_head(lines[0])):
            message = f"{self._path} is no journal of an experiment. Name another file, or one that isn't there yet."
            raise InvalidRequest(message, param="journal")
        return [self._entry(number, line) for number, line in enumerate(lines[1:], 2)]

    def _entry(self, number: int, line: bytes) -> Entry:
        try:
            return _entries.decode(line)
        except msgspec.DecodeError as error:
            message = f"Line {number} of {self._path} is broken ({error}). Take it out, and start again."
            raise InvalidRequest(message, param="journal") from None

    def _matched(self, entries: Sequence[Entry]) -> dict[int, Entry]:
        """Return the trials that need not be asked again, by their place among the keys."""
        known: dict[str, dict[str | None, Entry]] = defaultdict(dict)
        for entry in entries:
            if entry.trial.status in _KEPT and entry.trial.error_type != "interrupted":
                known[entry.key][entry.trial.response_id] = entry  # one that was scored again stands there twice
        left = {key: iter(found.values()) for key, found in known.items()}
        matched = {index: next(left[key], None) for index, key in enumerate(self._keys) if key in left}
        return {index: entry for index, entry in matched.items() if entry is not None}

    def _opened(self) -> BinaryIO:
        try:
            file = self._path.open("ab")
            file.truncate(self._whole)
            if not self._whole:
                file.write(msgspec.json.encode(_Head()) + b"\n")
        except OSError as error:
            raise self._unusable(error) from None
        return file

    def _unusable(self, error: OSError) -> InvalidRequest:
        return InvalidRequest(f"{self._path} can't be used: {error.strerror or error}.", param="journal")


def _is_head(line: bytes) -> bool:
    try:
        return _heads.decode(line) == _Head()
    except msgspec.DecodeError:
        return False
