"""What the process does to itself before it runs anything: limits, and all that the system lets it give up."""

from __future__ import annotations

import ctypes
import struct
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

from agentbench.interpreter.landlock import restrict_files
from agentbench.interpreter.seccomp import restrict_calls
from agentbench.interpreter.values import Confinement

__all__ = ["LARGEST_FILE", "confine"]

LARGEST_FILE = 128 * 2**20
"""Bytes of a file that the code writes, and of what it prints in a run."""

_MEGABYTE = 2**20
_MAPPED = 512 * _MEGABYTE  # address space for libraries and other files, which costs next to no memory
_OPEN_FILES = 256

_NO_NEW_PRIVILEGES = 38  # of prctl
_NEW_USER, _NEW_NETWORK, _NEW_IPC = 0x10000000, 0x40000000, 0x08000000  # of unshare
_CAPABILITIES_3 = 0x20080522

_READABLE = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/usr/share/zoneinfo",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/ssl/openssl.cnf",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
)


def confine(writable: tuple[str, ...], memory: int) -> Confinement:
    """Limit this process to so many megabytes and to those folders, and return what else is forbidden from here on.

    Must run before there is a second thread.
    """
    _limit(memory * _MEGABYTE)
    if sys.platform != "linux":
        return Confinement()
    libc = ctypes.CDLL(None, use_errno=True)
    unshared = libc.unshare(_NEW_USER | _NEW_NETWORK | _NEW_IPC) == 0
    _drop_capabilities(libc)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return Confinement(network=unshared)
    files = restrict_files(read=_python() + _READABLE, write=(*writable, "/dev/null"))
    calls = restrict_calls()
    return Confinement(network=unshared or calls, files=files, processes=calls)


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: there the time limit of the other side is all
        return
    for limit, value in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, memory + _MAPPED),
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a lower limit stands already, or the system knows no such limit
            resource.setrlimit(limit, (value, value))


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Give up what root may do beyond others, which many containers are run as."""
    libc.capset(struct.pack("=Ii", _CAPABILITIES_3, 0), bytes(24))


def _python() -> tuple[str, ...]:
    """Return where Python, its packages and this one lie; not what is beside them, as a project's `.env` may be."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix}
    found = {str(Path(prefix, name)) for prefix in prefixes for name in ("lib", "lib64", "share")}
    return (*sorted(found), sysconfig.get_path("stdlib"), str(Path(__file__).parent.parent))
