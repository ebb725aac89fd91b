"""The folder of fetched model files, and how a file there earns trust.

A file counts only if it has the pinned size and hash. Beside it lies a seal with the size and time of change that it
had when it was hashed, so that 98 MB are hashed once, not at every load.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import platformdirs

if TYPE_CHECKING:
    from agentbench.providers.weights.table import Weights

__all__ = ["folder", "is_sound", "seal", "sha256_of"]


class _Seal(msgspec.Struct, frozen=True):
    sha256: str
    size: int
    changed_ns: int


def folder() -> Path:
    """Return where fetched files are kept; it may not exist yet. `AGENTBENCH_CACHE` moves it."""
    chosen = os.environ.get("AGENTBENCH_CACHE")
    cache = Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("agentbench", appauthor=False)
    return cache / "models"


def is_sound(file: Path, weights: Weights) -> bool:
    """Tell whether the file is there and is the pinned one; hashes it only if it has no seal that fits."""
    try:
        if file.stat().st_size != weights.size:
            return False
        if _read_seal(file) == _seal_of(file, weights):
            return True
        sound = sha256_of(file) == weights.sha256
    except OSError:
        return False
    if sound:
        seal(file, weights)
    return sound


def seal(file: Path, weights: Weights) -> None:
    """Note that the file as it is now has the pinned hash. In a folder that can't be written, nothing is noted."""
    with suppress(OSError):
        _seal_file(file).write_bytes(msgspec.json.encode(_seal_of(file, weights)))


def sha256_of(file: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _seal_file(file: Path) -> Path:
    return file.with_name(f"{file.name}.seal")


def _seal_of(file: Path, weights: Weights) -> _Seal:
    stat = file.stat()
    return _Seal(weights.sha256, stat.st_size, stat.st_mtime_ns)


def _read_seal(file: Path) -> _Seal | None:
    try:
        return msgspec.json.decode(_seal_file(file).read_bytes(), type=_Seal)
    except (OSError, msgspec.DecodeError):
        return None
