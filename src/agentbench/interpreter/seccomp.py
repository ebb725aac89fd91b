"""Linux' seccomp: a process gives up system calls for good: the network, other programs, signals to other processes.

A filter is a program of the kernel's classic BPF, see <linux/filter.h> and <linux/seccomp.h>; here, for 64 bits of
the two architectures whose numbers are listed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["restrict_calls"]

_X86, _ARM = 0xC000003E, 0xC00000B7
_ARCHITECTURES = {"x86_64": (_X86, 0), "aarch64": (_ARM, 1)}

# Each call's number on x86-64 and on 64-bit ARM (-1: it has none).
_FORBIDDEN: Mapping[str, tuple[int, int]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "io_uring_setup": (425, 425),
    "fork": (57, -1),
    "vfork": (58, -1),
    "execve": (59, 221),
    "execveat": (322, 281),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "memfd_create": (319, 279),  # memory that the limits don't count
    "shmget": (29, 194),  # the same
}
_ONLY_ITSELF = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261)}  # by their first argument
_CLONE, _CLONE3 = (56, 220), (435, 435)
_CLONE_THREAD = 0x00010000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CALL, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # where they lie in what the kernel shows
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_X32 = 0x40000000
_SET_SECCOMP, _FILTER = 22, 2

_Step = tuple[int, int, int, int]


def restrict_calls() -> bool:
    """Give up those calls; tell whether the kernel does it. Needs `no_new_privs`; holds for threads that come later."""
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None or sys.maxsize < 2**32 or sys.byteorder != "little":
        return False
    steps = _filter(*architecture)
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    header = struct.pack("@HP", len(steps), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.prctl(_SET_SECCOMP, _FILTER, header, 0, 0)) == 0


def _filter(architecture: int, column: int) -> list[_Step]:
    refused = _returned(_REFUSE | errno.EPERM)
    steps = [
        _loaded(_ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        refused,
        _loaded(_CALL),
        (_AT_LEAST, 0, 1, _X32),  # another way to name the same calls; above all of ARM's, too
        refused,
        (_EQUAL, 0, 1, _CLONE3[column]),
        _returned(_REFUSE | errno.ENOSYS),  # its flags can't be seen; the C library then uses `clone`
        (_EQUAL, 0, 4, _CLONE[column]),
        _loaded(_FIRST_ARGUMENT),
        (_ANY_BIT, 1, 0, _CLONE_THREAD),
        refused,
        _returned(_ALLOW),
    ]
    for numbers in _FORBIDDEN.values():
        if numbers[column] >= 0:
            steps += [(_EQUAL, 0, 1, numbers[column]), refused]
    for numbers in _ONLY_ITSELF.values():
        steps += [(_EQUAL, 0, 5, numbers[column]), _loaded(_FIRST_ARGUMENT), (_EQUAL, 2, 0, os.getpid())]
        steps += [(_EQUAL, 1, 0, 0), refused, _returned(_ALLOW)]
    return [*steps, _returned(_ALLOW)]


def _loaded(offset: int) -> _Step:
    return (_LOAD, 0, 0, offset)


def _returned(value: int) -> _Step:
    return (_RETURN, 0, 0, value)
