"""Linux' Landlock: a process gives up the right to files outside some folders, for itself and all it starts.

The numbers are those of the kernel's <linux/landlock.h>; what a kernel doesn't know yet is left out.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["restrict_files"]

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_ASK_VERSION = 1
_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # execute, write, read, truncate, ioctl
_EXECUTE = 1 << 0
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # by version: so many bits of rights to files; 16 since the fifth
_MOST_RIGHTS = 16
_WITH_NETWORK, _WITH_SCOPES = 4, 6  # the versions that brought them
_TCP, _SOCKETS_AND_SIGNALS = 0b11, 0b11


def restrict_files(*, read: Iterable[str], write: Iterable[str]) -> bool:
    """Leave this process only those files and folders; tell whether the kernel does it. Nothing can be executed.

    Needs `no_new_privs`, and holds for this thread and those that come after it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, 0, _ASK_VERSION)
    if version < 1:
        return False
    handled = (1 << _RIGHTS.get(version, _MOST_RIGHTS)) - 1
    ruleset = libc.syscall(_CREATE, *_ruleset(version, handled), 0)
    if ruleset < 0:
        return False
    try:
        for path in read:
            _allow(libc, ruleset, path, _READ_FILE | _READ_DIR)
        for path in write:
            _allow(libc, ruleset, path, handled & ~_EXECUTE)
        return int(libc.syscall(_RESTRICT, ruleset, 0)) == 0
    finally:
        os.close(ruleset)


def _ruleset(version: int, handled: int) -> tuple[bytes, ctypes.c_size_t]:
    """Return the rights that are taken, as the kernel wants them, and their length."""
    fields = [handled]
    if version >= _WITH_NETWORK:
        fields.append(_TCP)
    if version >= _WITH_SCOPES:
        fields.append(_SOCKETS_AND_SIGNALS)
    data = struct.pack(f"={len(fields)}Q", *fields)
    return data, ctypes.c_size_t(len(data))


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """Give a right back for a file or all of a folder; a path that isn't there needs none."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _OF_FILES
        libc.syscall(_ADD, ruleset, _BENEATH, struct.pack("=Qi", rights, opened), 0)
    finally:
        os.close(opened)
