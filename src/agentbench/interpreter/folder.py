"""The working folder as the code's own process sees it: what a run made or changed there, within limits."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TypeAlias

from agentbench.interpreter.values import Answer, Written

__all__ = ["MOST_BYTES", "MOST_FILES", "State", "answered", "state_of"]

MOST_FILES = 20
MOST_BYTES = 20 * 2**20
"""Of the files that come back from one run."""

_MOST_LOOKED_AT = 10_000
_MOST_NAMED = 50

State: TypeAlias = dict[str, tuple[int, int, int]]


def state_of(folder: str) -> State:
    """Return what tells whether a file has changed, by its path in the folder; links and the like aren't files."""
    found: State = {}
    waiting = [folder]
    while waiting and len(found) < _MOST_LOOKED_AT:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found[os.path.relpath(entry.path, folder)] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def answered(error: str | None, figures: list[bytes], folder: str, before: State) -> Answer:
    """Return a run's answer: its figures, and its files in the order of their names, as far as they may come back."""
    kept = figures[:MOST_FILES]
    while sum(map(len, kept)) > MOST_BYTES:
        kept.pop()
    left_out = [f"figure-{number}.png" for number in range(len(kept) + 1, len(figures) + 1)]
    count, room = MOST_FILES - len(kept), MOST_BYTES - sum(map(len, kept))
    written: list[Written] = []
    for path, status in sorted(state_of(folder).items()):
        if before.get(path) == status:
            continue
        data = _content(Path(folder, path), room) if len(written) < count else None
        name = path.replace(os.sep, "/").encode(errors="replace").decode()
        if data is None:
            left_out.append(name)
        else:
            written.append(Written(name=name, data=data))
            room -= len(data)
    if len(left_out) > _MOST_NAMED:
        left_out[_MOST_NAMED:] = [f"and {len(left_out) - _MOST_NAMED:,} more"]
    return Answer(error=error, figures=kept, written=written, left_out=left_out)


def _content(path: Path, room: int) -> bytes | None:
    """Return a file's content; None if it is longer than that, or can't be read."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            data = file.read(room + 1)
    except OSError:
        return None
    return data if len(data) <= room else None


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
